package io.wayleave.test.policy;

import io.wayleave.model.InvalidInputException;
import io.wayleave.policy.dataplane.IptablesBackend;
import io.wayleave.test.bench.BenchCommand;
import io.wayleave.test.lab.OnInterrupt;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code ./dev bench policy}: how fast policy gets into the kernel, what its calculation costs in a
 * large fleet, and what it costs a flow. All in network namespaces that are gone afterwards. Exit
 * status: 0 done, whatever the figures are, 1 failed, 2 wrong usage.
 */
@Command(
    name = "bench policy",
    description = "Measures how fast policy is in force, and what it costs.",
    mixinStandardHelpOptions = true)
public final class PolicyBench implements Callable<Integer> {
  private static final List<String> PARTS = List.of("add", "member", "set", "calculation", "flow");

  private final PrintStream out;

  @Option(
      names = "--part",
      split = ",",
      defaultValue = "add,member,set,calculation,flow",
      description =
          "add, member, set, calculation, flow (${DEFAULT-VALUE}); docs/performance.md says what"
              + " they are")
  private List<String> parts = List.of();

  @Option(
      names = "--endpoints",
      defaultValue = "1000",
      description = "Endpoints on the host, each with a policy of its own (${DEFAULT-VALUE})")
  private int endpoints;

  @Option(
      names = "--members",
      defaultValue = "10000",
      description = "Members of the set that is made from nothing (${DEFAULT-VALUE})")
  private int members;

  @Option(
      names = "--changes",
      defaultValue = "200",
      description = "Additions and changes of a label that are measured (${DEFAULT-VALUE})")
  private int changes;

  @Option(
      names = "--rounds",
      defaultValue = "15",
      description = "Rounds of flows on each of both hosts (${DEFAULT-VALUE})")
  private int rounds;

  @Option(
      names = "--mebibytes",
      defaultValue = "512",
      description = "Sent for one figure of throughput (${DEFAULT-VALUE})")
  private int mebibytes;

  private PolicyBench(PrintStream out) {
    this.out = out;
  }

  public static void main(String[] args) {
    System.exit(run(new PrintStream(System.out, true, StandardCharsets.UTF_8), System.err, args));
  }

  static int run(PrintStream out, PrintStream err, String... args) {
    return BenchCommand.run(new PolicyBench(out), err, args);
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    for (String part : parts) {
      if (!PARTS.contains(part)) {
        throw new InvalidInputException("--part", part, String.join(", ", PARTS));
      }
    }
    atLeast("--endpoints", endpoints, 2);
    atLeast("--members", members, 1);
    atLeast("--changes", changes, 1);
    atLeast("--rounds", rounds, 1);
    atLeast("--mebibytes", mebibytes, 1);
    try (OnInterrupt _ = new OnInterrupt(PolicyHost::removeLeft)) {
      FigureTable table = new FigureTable(out);
      for (IptablesBackend backend : IptablesBackend.values()) {
        ProgrammingBench bench = new ProgrammingBench(backend, endpoints, changes, table);
        if (parts.contains("add")) {
          bench.addition();
        }
        if (parts.contains("member")) {
          bench.member();
        }
        if (parts.contains("set")) {
          bench.set(members);
        }
      }
      if (parts.contains("calculation")) {
        CalculationFigures.run(table);
      }
      if (parts.contains("flow")) {
        new FlowBench(IptablesBackend.NFT, endpoints, rounds, mebibytes).run(table);
      }
    }
    return 0;
  }

  private static void atLeast(String option, int given, int least) {
    if (given < least) {
      throw new InvalidInputException(option, Integer.toString(given), least + " or more");
    }
  }
}
