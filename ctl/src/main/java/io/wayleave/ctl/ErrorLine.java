package io.wayleave.ctl;

import io.wayleave.datastore.DatastoreRefusedException;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.OutcomeUnknownException;
import io.wayleave.datastore.ResourceConflictException;
import io.wayleave.ipam.IpamException;
import io.wayleave.model.InvalidInputException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.OverwrittenOptionException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Whatever went wrong, as the one line that the user reads and the exit code that scripts read.
 *
 * @param text without the leading {@code netctl:}
 */
record ErrorLine(String text, int exitCode) {
  static final int FAILED = 1;
  static final int USAGE = 2;

  ErrorLine {
    text = Table.clean(String.join(" ", text.lines().map(String::strip).toList()));
  }

  /** As it stands on standard error. */
  String printed() {
    return "netctl: " + text;
  }

  /** What a command threw. */
  static ErrorLine of(Throwable thrown, String datastoreUrl, Duration timeout) {
    return switch (thrown) {
      case UsageException e -> new ErrorLine(e.getMessage(), USAGE);
      case CommandFailedException e -> new ErrorLine(e.getMessage(), FAILED);
      case ResourceConflictException e -> new ErrorLine(e.getMessage(), FAILED);
      case IpamException e -> new ErrorLine(e.getMessage(), FAILED);
      case InvalidInputException e -> new ErrorLine(e.getMessage(), FAILED);
      case OutcomeUnknownException e ->
          new ErrorLine(
              "the datastore "
                  + datastoreUrl
                  + " was asked to write and did not answer within "
                  + GlobalOptions.text(timeout)
                  + "; look with netctl get whether it was done ("
                  + e.getMessage()
                  + ")",
              FAILED);
      case DatastoreUnavailableException e ->
          new ErrorLine(
              "the datastore "
                  + datastoreUrl
                  + " does not answer within "
                  + GlobalOptions.text(timeout)
                  + "; check that it runs and can be reached, and that --datastore or"
                  + " WAYLEAVE_DATASTORE is right ("
                  + e.getMessage()
                  + ")",
              FAILED);
      case DatastoreRefusedException e ->
          new ErrorLine("the datastore " + datastoreUrl + " refused: " + e.getMessage(), FAILED);
      default ->
          new ErrorLine(
              "this is a mistake in netctl itself: "
                  + thrown
                  + "; run it again with --debug and report what it prints",
              FAILED);
    };
  }

  /** What the parser of the command line found. */
  static ErrorLine of(ParameterException e) {
    return new ErrorLine(usage(e), USAGE);
  }

  private static String usage(ParameterException e) {
    CommandSpec command = e.getCommandLine().getCommandSpec();
    if (e.getCause() instanceof InvalidInputException invalid) {
      // The path of the model, such as "kind", says more than the label of the parameter.
      return (invalid.field().isEmpty() ? invalid.within(name(e.getArgSpec())) : invalid)
          .getMessage();
    }
    return switch (e) {
      case UnmatchedArgumentException unmatched -> unmatched(command, unmatched);
      case MissingParameterException missing -> missing(command, missing.getMissing());
      case OverwrittenOptionException twice ->
          name(twice.getOverwritten()) + " is given twice; give it once";
      default -> {
        if (!command.subcommands().isEmpty()) {
          yield command.qualifiedName() + " needs a command; there are " + subcommands(command);
        }
        yield String.valueOf(e.getMessage());
      }
    };
  }

  private static String unmatched(CommandSpec command, UnmatchedArgumentException e) {
    String argument = e.getUnmatched().getFirst();
    if (e.isUnknownOption()) {
      TreeSet<String> options = new TreeSet<>();
      command.options().forEach(option -> options.add(option.longestName()));
      return command.qualifiedName()
          + " has no option \""
          + argument
          + "\"; there are "
          + String.join(", ", options);
    }
    if (!command.subcommands().isEmpty()) {
      return command.qualifiedName()
          + " has no command \""
          + argument
          + "\"; there are "
          + subcommands(command);
    }
    String parameters =
        String.join(" ", command.positionalParameters().stream().map(ArgSpec::paramLabel).toList());
    return command.qualifiedName()
        + " does not take \""
        + argument
        + "\"; it takes "
        + (parameters.isEmpty() ? "options only" : parameters + " and options");
  }

  private static String missing(CommandSpec command, List<ArgSpec> missing) {
    if (missing.size() == 1
        && missing.getFirst() instanceof OptionSpec given
        && !given.required()) {
      return given.longestName() + " needs a value, " + given.paramLabel();
    }
    List<String> wanted = new ArrayList<>();
    for (ArgSpec argument : missing) {
      wanted.add(label(argument) + " (" + String.join(" ", argument.description()) + ")");
    }
    return command.qualifiedName() + " needs " + String.join(" and ", wanted);
  }

  private static String subcommands(CommandSpec command) {
    return String.join(", ", command.subcommands().keySet());
  }

  private static String label(ArgSpec argument) {
    return switch (argument) {
      case OptionSpec option -> option.longestName() + " " + option.paramLabel();
      default -> argument.paramLabel();
    };
  }

  private static String name(ArgSpec argument) {
    return switch (argument) {
      case OptionSpec option -> option.longestName();
      case PositionalParamSpec parameter -> parameter.paramLabel();
      default -> "";
    };
  }
}
