package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code netctl completion}: the script by which a shell completes commands and options. */
@Command(
    name = "completion",
    description = {
      "Print the completion script for bash and zsh.",
      "Try it by: source <(netctl completion)"
    })
final class CompletionCommand implements Callable<Integer> {
  private final Context context;

  @Spec private CommandSpec spec;

  CompletionCommand(Context context) {
    this.context = requireNonNull(context, "context is null");
  }

  @Override
  public Integer call() {
    CommandSpec netctl = spec.root();
    context.output().script(AutoComplete.bash(netctl.name(), netctl.commandLine()));
    return 0;
  }
}
