package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code netctl apply}, {@code create} and {@code replace}: resources from manifests. All documents
 * are understood and checked against what exists before the first is written.
 */
abstract sealed class ApplyCommand implements Callable<Integer> {
  private final Context context;
  private final Applier.Mode mode;

  @Option(
      names = {"-f", "--filename"},
      required = true,
      paramLabel = "FILE",
      description = "a manifest, - for standard input; may be given several times")
  private List<String> files = List.of();

  @Option(
      names = "--wait",
      paramLabel = "TIME",
      description =
          "until policies are in force on every node that has a living agent, at most so long")
  private Optional<Duration> limit = Optional.empty();

  private ApplyCommand(Context context, Applier.Mode mode) {
    this.context = requireNonNull(context, "context is null");
    this.mode = requireNonNull(mode, "mode is null");
  }

  @Override
  public Integer call() {
    List<Manifest.Item> items = Manifest.read(files, context.in());
    Applier applier = context.applier(mode);
    applier.check(items);
    context.output().eachChange(items, item -> applier.write(item.resource()));
    limit.ifPresent(context::awaitPolicy);
    return 0;
  }

  /** Creates what does not exist and replaces what does. */
  @Command(
      name = "apply",
      description = {
        "Create or replace the resources of a manifest in YAML or JSON.",
        "Nothing is written unless all of it can be."
      })
  static final class Apply extends ApplyCommand {
    Apply(Context context) {
      super(context, Applier.Mode.APPLY);
    }
  }

  /** Creates, and refuses when one exists. */
  @Command(
      name = "create",
      description = "Create the resources of a manifest; none of them may exist.")
  static final class Create extends ApplyCommand {
    Create(Context context) {
      super(context, Applier.Mode.CREATE);
    }
  }

  /** Replaces, and refuses when one does not exist. */
  @Command(
      name = "replace",
      description = "Replace the resources of a manifest; all of them must exist.")
  static final class Replace extends ApplyCommand {
    Replace(Context context) {
      super(context, Applier.Mode.REPLACE);
    }
  }
}
