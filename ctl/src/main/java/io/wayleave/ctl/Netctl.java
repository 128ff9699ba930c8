package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import io.wayleave.datastore.Datastores;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Kind;
import io.wayleave.model.Protocol;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/**
 * {@code netctl}: parses the command line, lets one command do its work, and turns whatever goes
 * wrong into one line on standard error and an exit code: 0 done, 1 failed, 2 wrong usage. The
 * commands are one class per group; everything they need comes from {@link Context}.
 */
public final class Netctl {
  private static final int HELP_WIDTH = 100;

  private static final String COMPLETION = "completion";

  /** All commands in the order of the help. */
  private static final Map<String, Function<Context, Object>> COMMANDS = commands();

  private final GlobalOptions options = new GlobalOptions();
  private final InputStream in;
  private final PrintStream out;
  private final PrintStream err;
  private final Map<String, String> environment;
  private final Context.Opener opener;

  Netctl(
      InputStream in,
      PrintStream out,
      PrintStream err,
      Map<String, String> environment,
      Context.Opener opener) {
    this.in = requireNonNull(in, "in is null");
    this.out = requireNonNull(out, "out is null");
    this.err = requireNonNull(err, "err is null");
    this.environment = Map.copyOf(environment);
    this.opener = requireNonNull(opener, "opener is null");
  }

  /** Runs one command and ends the process. */
  public static void main(String[] args) {
    // Manifests are UTF-8 whatever the locale of the terminal.
    PrintStream out =
        new PrintStream(
            new BufferedOutputStream(new FileOutputStream(FileDescriptor.out)),
            false,
            StandardCharsets.UTF_8);
    System.exit(run(args, out, System.err, System.getenv()));
  }

  /** Runs one command against the real datastore and agent, and returns its exit code. */
  public static int run(
      String[] args, PrintStream out, PrintStream err, Map<String, String> environment) {
    return new Netctl(System.in, out, err, environment, Datastores::open).run(args);
  }

  /** Runs one command. Call once. */
  int run(String... args) {
    int code;
    try (Context context = new Context(options, in, out, err, environment, opener)) {
      code = Math.max(commandLine(context, args).execute(args), context.exitCode());
    } catch (StackOverflowError | OutOfMemoryError e) {
      return failed(e, ""); // a manifest can be nested or large beyond all measure
    }
    // A full disk must not look like success to who redirected the result.
    if (out.checkError() && code == 0) {
      return report(new ErrorLine("the result could not be written to standard output", 1));
    }
    return code;
  }

  private static Map<String, Function<Context, Object>> commands() {
    Map<String, Function<Context, Object>> commands = new LinkedHashMap<>();
    commands.put("pool", PoolCommand::new);
    commands.put("ipam", IpamCommand::new);
    commands.put("peer", PeerCommand::new);
    commands.put("node", NodeCommand::new);
    commands.put("bgp", BgpCommand::new);
    commands.put("endpoint", EndpointCommand::new);
    commands.put("policy", PolicyCommand::new);
    commands.put("get", GetCommand::new);
    commands.put("apply", ApplyCommand.Apply::new);
    commands.put("create", ApplyCommand.Create::new);
    commands.put("replace", ApplyCommand.Replace::new);
    commands.put("delete", DeleteCommand::new);
    commands.put("datastore", DatastoreCommand::new);
    commands.put("version", VersionCommand::new);
    commands.put(COMPLETION, CompletionCommand::new);
    return Collections.unmodifiableMap(commands);
  }

  /**
   * The commands that the parser has to know. To describe all of them to it takes longer than most
   * take to do their work, so when the line begins with a command's name, it is that one alone.
   */
  private static Map<String, Function<Context, Object>> chosen(String... args) {
    if (args.length == 0 || args[0].equals(COMPLETION) || !COMMANDS.containsKey(args[0])) {
      return COMMANDS;
    }
    return Map.of(args[0], COMMANDS.get(args[0]));
  }

  private CommandLine commandLine(Context context, String... args) {
    CommandLine commandLine = new CommandLine(options);
    chosen(args)
        .forEach((name, command) -> commandLine.addSubcommand(name, command.apply(context)));
    return commandLine
        .registerConverter(Asn.class, Asn::parse)
        .registerConverter(Cidr.class, Cidr::parse)
        .registerConverter(Duration.class, GlobalOptions::parseTimeout)
        .registerConverter(Integer.class, Flags::parseInteger)
        .registerConverter(IpAddress.class, IpAddress::parse)
        .registerConverter(Kind.class, Kind::parse)
        .registerConverter(OutputFormat.class, OutputFormat::parse)
        .registerConverter(Protocol.class, Protocol::parse)
        .setOut(new PrintWriter(out, true, StandardCharsets.UTF_8))
        .setColorScheme(CommandLine.Help.defaultColorScheme(Ansi.OFF))
        .setHelpFactory(CommandHelp::new)
        .setUsageHelpWidth(HELP_WIDTH)
        .setParameterExceptionHandler((e, _) -> report(ErrorLine.of(e)))
        .setExecutionExceptionHandler((e, _, _) -> failed(e, context.datastoreNames()));
  }

  private int failed(Throwable e, String datastores) {
    if (options.debug()) {
      e.printStackTrace(err);
    }
    return report(ErrorLine.of(e, datastores, options.timeout()));
  }

  private int report(ErrorLine line) {
    err.println(line.printed());
    return line.exitCode();
  }
}
