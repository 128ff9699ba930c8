package io.wayleave.test.lab;

import io.wayleave.model.InvalidInputException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * The lab's command line: {@code ./dev lab …} and {@code ./dev demo}. Results go to the output,
 * errors in one line to the error output. Exit status: 0 done, 1 failed, 2 wrong usage.
 */
@Command(
    name = "lab",
    description = "A fabric of several hosts on this machine, to try things on.",
    mixinStandardHelpOptions = true,
    subcommands = {
      LabMain.Up.class,
      LabMain.Down.class,
      LabMain.Status.class,
      LabMain.Run.class,
      LabMain.Remove.class,
      LabMain.Exec.class,
      LabMain.Cli.class,
      LabMain.Power.class,
      LabMain.Cable.class,
      LabMain.NetctlCommand.class,
      LabMain.BenchCni.class,
      LabMain.DemoCommand.class,
    })
public final class LabMain {
  private LabMain() {}

  public static void main(String[] args) {
    System.exit(run(Terminal.OUTPUT, System.err, args));
  }

  static int run(PrintStream out, PrintStream err, String... args) {
    CommandLine line = new CommandLine(new LabMain());
    line.setOut(new PrintWriter(out, true, StandardCharsets.UTF_8));
    line.setErr(new PrintWriter(err, true, StandardCharsets.UTF_8));
    // What follows the first word is netctl's, options too.
    CommandLine netctl = line.getSubcommands().get("netctl");
    netctl.setStopAtPositional(true);
    line.setExecutionExceptionHandler(
        (failure, command, result) -> {
          err.println("lab: " + message(failure));
          return failure instanceof InvalidInputException ? 2 : 1;
        });
    return line.execute(args);
  }

  private static String message(Throwable failure) {
    StringBuilder text = new StringBuilder(String.valueOf(failure.getMessage()));
    for (Throwable also : failure.getSuppressed()) {
      text.append("\nlab: also: ").append(also.getMessage());
    }
    return text.toString();
  }

  /** The lab that a command is about. */
  static final class Which {
    @Option(
        names = "--name",
        defaultValue = "lab",
        description = "The lab's name (${DEFAULT-VALUE})")
    private String name;

    Lab open() {
      return Lab.find(name)
          .orElseThrow(() -> new LabException("lab " + name + " is not up; ./dev lab up makes it"));
    }
  }

  /** A lab to make. */
  static final class Wanted {
    @Option(
        names = "--shape",
        defaultValue = "one-tor",
        description =
            "How hosts and switches are put together (${DEFAULT-VALUE}), as docs/deployments says:"
                + " one-tor, two-tors, unnumbered, mesh, reflectors, rack-as, one-as")
    private String shape;

    @Option(names = "--racks", defaultValue = "2", description = "Racks (${DEFAULT-VALUE})")
    private int racks;

    @Option(
        names = "--hosts",
        defaultValue = "2",
        description = "Hosts per rack (${DEFAULT-VALUE})")
    private int hosts;

    @Option(
        names = "--tor",
        defaultValue = "mixed",
        description = "Switches: bird, frr, or mixed (${DEFAULT-VALUE}), which is both in turn")
    private String tor;

    @Option(
        names = "--datastore",
        defaultValue = "etcd",
        description = "etcd (${DEFAULT-VALUE}) or zookeeper")
    private String datastore;

    @Option(names = "--no-agents", description = "Only the fabric, the datastore and the runtimes")
    private boolean noAgents;

    LabSpec spec(String name) {
      return new LabSpec(
          name,
          Shape.parse(shape),
          racks,
          hosts,
          RouterKind.Choice.parse(tor),
          !noAgents,
          StoreKind.parse(datastore));
    }
  }

  abstract static class Sub implements Callable<Integer> {
    @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

    void say(String text) {
      spec.commandLine().getOut().println(text);
    }
  }

  @Command(name = "up", description = "Makes a lab.", mixinStandardHelpOptions = true)
  static final class Up extends Sub {
    @Mixin private Which which;
    @Mixin private Wanted wanted;

    @Override
    public Integer call() {
      LabSpec spec = wanted.spec(which.name);
      try (OnInterrupt _ = new OnInterrupt(() -> Lab.down(spec.name()))) {
        Lab lab = Lab.up(spec, ConsoleProgress.standard());
        say(new StatusReport(lab).text());
      }
      return 0;
    }
  }

  @Command(
      name = "down",
      description = "Takes a lab down, also what is left of one that failed.",
      mixinStandardHelpOptions = true)
  static final class Down extends Sub {
    @Mixin private Which which;

    @Override
    public Integer call() {
      Lab.down(which.name);
      say("lab " + which.name + " is down");
      return 0;
    }
  }

  @Command(
      name = "status",
      description = "Shows hosts, BGP sessions and containers.",
      mixinStandardHelpOptions = true)
  static final class Status extends Sub {
    @Mixin private Which which;

    @Override
    public Integer call() {
      say(new StatusReport(which.open()).text());
      return 0;
    }
  }

  @Command(
      name = "run",
      description = "Starts a container on a host.",
      mixinStandardHelpOptions = true)
  static final class Run extends Sub {
    @Mixin private Which which;

    @Option(names = "--label", description = "A label that policies select by: KEY=VALUE")
    private Map<String, String> labels = new TreeMap<>();

    @Option(names = "--runtime", description = "podman or containerd; else the rack's own")
    private String runtime;

    @Parameters(index = "0", paramLabel = "HOST", description = "The host, such as r1h1")
    private String host;

    @Parameters(index = "1", paramLabel = "NAME", description = "The container's name")
    private String name;

    @Parameters(
        index = "2..*",
        paramLabel = "CMD",
        arity = "0..*",
        description =
            "What it runs, after --, and as long as it is to live; without it, it stays until"
                + " removed")
    private List<String> command = new ArrayList<>();

    @Override
    public Integer call() {
      LabHost on = which.open().host(host);
      RuntimeKind kind =
          runtime == null ? on.place().preferredRuntime() : RuntimeKind.parse(runtime);
      LabContainer container = on.run(name, kind, labels, command);
      say(container + " " + container.address() + " (" + kind.label() + ")");
      return 0;
    }
  }

  @Command(
      name = "bench-cni",
      description = "Measures ADD and DEL beside the reference plugins, on a lab of its own.",
      mixinStandardHelpOptions = true)
  static final class BenchCni extends Sub {
    @Option(
        names = "--name",
        defaultValue = "bench",
        description = "The lab's name (${DEFAULT-VALUE})")
    private String name;

    @Override
    public Integer call() {
      new CniBench(Terminal.OUTPUT).run(name, ConsoleProgress.standard());
      return 0;
    }
  }

  @Command(name = "rm", description = "Removes a container.", mixinStandardHelpOptions = true)
  static final class Remove extends Sub {
    @Mixin private Which which;

    @Parameters(index = "0", paramLabel = "HOST", description = "The host, such as r1h1")
    private String host;

    @Parameters(index = "1", paramLabel = "NAME", description = "The container's name")
    private String name;

    @Override
    public Integer call() {
      which.open().host(host).remove(name);
      return 0;
    }
  }

  @Command(
      name = "exec",
      description = "Runs a command in a host's network, or in a container.",
      mixinStandardHelpOptions = true)
  static final class Exec extends Sub {
    @Mixin private Which which;

    @Parameters(
        index = "0",
        paramLabel = "HOST[/NAME]",
        description = "A host, or a container on it")
    private String where;

    @Parameters(
        index = "1..*",
        paramLabel = "CMD",
        arity = "1..*",
        description = "The command, after --")
    private List<String> command = new ArrayList<>();

    @Override
    public Integer call() {
      return which.open().exec(where, command);
    }
  }

  @Command(
      name = "cli",
      description = "Runs a router's own command line: birdc or vtysh.",
      mixinStandardHelpOptions = true)
  static final class Cli extends Sub {
    @Mixin private Which which;

    @Parameters(index = "0", paramLabel = "ROUTER", description = "A switch or the spine")
    private String router;

    @Parameters(
        index = "1..*",
        paramLabel = "CMD",
        arity = "0..*",
        description = "One command; without it, a prompt")
    private List<String> command = new ArrayList<>();

    @Override
    public Integer call() {
      return io.wayleave.test.lab.Command.of(which.open().router(router).cli(command)).attached();
    }
  }

  @Command(
      name = "power",
      description = "Takes a router's power away, or gives it back.",
      mixinStandardHelpOptions = true)
  static final class Power extends Sub {
    enum PowerState {
      off,
      on
    }

    @Mixin private Which which;

    @Parameters(index = "0", description = "${COMPLETION-CANDIDATES}")
    private PowerState state;

    @Parameters(index = "1", paramLabel = "ROUTER", description = "A switch or the spine")
    private String router;

    @Override
    public Integer call() {
      Faults faults = which.open().faults();
      switch (state) {
        case off -> faults.powerOff(router);
        case on -> faults.powerOn(router);
      }
      return 0;
    }
  }

  @Command(
      name = "cable",
      description =
          "Cuts the cable between a host and its switch, lets it carry nothing, mends it.",
      mixinStandardHelpOptions = true)
  static final class Cable extends Sub {
    enum CableState {
      cut,
      mute,
      mend
    }

    @Mixin private Which which;

    @Parameters(index = "0", description = "${COMPLETION-CANDIDATES}")
    private CableState state;

    @Parameters(index = "1", paramLabel = "HOST", description = "The host, such as r1h1")
    private String host;

    @Parameters(index = "2", paramLabel = "ROUTER", description = "The switch, such as tor1a")
    private String router;

    @Override
    public Integer call() {
      Faults faults = which.open().faults();
      switch (state) {
        case cut -> faults.cut(host, router);
        case mute -> faults.mute(host, router);
        case mend -> faults.mend(host, router);
      }
      return 0;
    }
  }

  @Command(
      name = "netctl",
      description = "Runs netctl with the lab's datastore and a host's agent.",
      mixinStandardHelpOptions = true)
  static final class NetctlCommand extends Sub {
    @Mixin private Which which;

    @Option(
        names = "--host",
        paramLabel = "HOST",
        description = "Where it runs and whose agent it asks; else beside etcd, the first host's")
    private Optional<String> host = Optional.empty();

    @Parameters(
        index = "0..*",
        paramLabel = "ARGS",
        description = "What netctl gets; the lab's own options go before")
    private List<String> arguments = new ArrayList<>();

    @Override
    public Integer call() {
      return which.open().netctl(host).command(arguments).attached();
    }
  }

  @Command(
      name = "demo",
      description = "Brings a fabric up, shows what it does, and takes it down.",
      mixinStandardHelpOptions = true)
  static final class DemoCommand extends Sub {
    @Mixin private Wanted wanted;

    @Option(
        names = "--name",
        defaultValue = "demo",
        description = "The lab's name (${DEFAULT-VALUE}): not that of one that is up")
    private String name;

    @Override
    public Integer call() {
      long begin = System.nanoTime();
      new Demo(Terminal.OUTPUT, ConsoleProgress.standard()).run(wanted.spec(name));
      say("Done in " + Duration.ofNanos(System.nanoTime() - begin).toSeconds() + " s.");
      return 0;
    }
  }
}
