package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import io.wayleave.datastore.Datastores;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.Kind;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/**
 * {@code netctl}: parses the command line, lets one command do its work, and turns whatever goes
 * wrong into one line on standard error and an exit code: 0 done, 1 failed, 2 wrong usage. The
 * commands are one class per group; everything they need comes from {@link Context}.
 */
public final class Netctl {
  private static final int HELP_WIDTH = 100;

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
      code = Math.max(commandLine(context).execute(args), context.exitCode());
    }
    // A full disk must not look like success to who redirected the result.
    if (out.checkError() && code == 0) {
      return report(new ErrorLine("the result could not be written to standard output", 1));
    }
    return code;
  }

  private CommandLine commandLine(Context context) {
    CommandLine commandLine =
        new CommandLine(options)
            .addSubcommand(new PoolCommand(context))
            .addSubcommand(new PeerCommand(context))
            .addSubcommand(new NodeCommand(context))
            .addSubcommand(new EndpointCommand(context))
            .addSubcommand(new GetCommand(context))
            .addSubcommand(new ApplyCommand.Apply(context))
            .addSubcommand(new ApplyCommand.Create(context))
            .addSubcommand(new ApplyCommand.Replace(context))
            .addSubcommand(new DeleteCommand(context))
            .addSubcommand(new VersionCommand(context))
            .addSubcommand(new CompletionCommand(context));
    return commandLine
        .registerConverter(Asn.class, Asn::parse)
        .registerConverter(Cidr.class, Cidr::parse)
        .registerConverter(Duration.class, GlobalOptions::parseTimeout)
        .registerConverter(Integer.class, Flags::parseInteger)
        .registerConverter(Kind.class, Kind::parse)
        .registerConverter(OutputFormat.class, OutputFormat::parse)
        .setOut(new PrintWriter(out, true, StandardCharsets.UTF_8))
        .setColorScheme(CommandLine.Help.defaultColorScheme(Ansi.OFF))
        .setHelpFactory(CommandHelp::new)
        .setUsageHelpWidth(HELP_WIDTH)
        .setParameterExceptionHandler((e, _) -> report(ErrorLine.of(e)))
        .setExecutionExceptionHandler((e, _, _) -> failed(e));
  }

  private int failed(Exception e) {
    if (options.debug()) {
      e.printStackTrace(err);
    }
    return report(ErrorLine.of(e, options.datastoreUrl(environment), options.timeout()));
  }

  private int report(ErrorLine line) {
    err.println(line.printed());
    return line.exitCode();
  }
}
