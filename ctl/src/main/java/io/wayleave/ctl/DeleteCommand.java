package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code netctl delete}: resources by name, or those that a manifest names. */
@Command(
    name = "delete",
    description = {
      "Delete resources by kind and name, or those that a manifest names, last first.",
      "Nothing is deleted when one of them does not exist, unless --if-exists."
    })
final class DeleteCommand implements Callable<Integer> {
  private final Context context;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "KIND",
      description = "such as ippools or BGPPeer")
  private Optional<Kind> kind = Optional.empty();

  @Parameters(index = "1..*", arity = "0..*", paramLabel = "NAME", description = Names.WHICH)
  private List<String> names = List.of();

  @Option(
      names = {"-f", "--filename"},
      paramLabel = "FILE",
      description = "a manifest, - for standard input; may be given several times")
  private List<String> files = List.of();

  @Option(names = "--if-exists", description = "what does not exist is as good as deleted")
  private boolean ifExists;

  @Option(
      names = "--force",
      description =
          "also a pool with addresses in use, which stay with their owners, a node that is lost"
              + " with its containers, whose addresses other hosts then free, a tier with policies"
              + " and a profile that endpoints name")
  private boolean force;

  @Option(
      names = "--wait",
      paramLabel = "TIME",
      description =
          "until policies are out of force on every node that has a living agent, at most so long")
  private Optional<Duration> limit = Optional.empty();

  private record Target(Kind kind, String name) {}

  DeleteCommand(Context context) {
    this.context = requireNonNull(context, "context is null");
  }

  @Override
  public Integer call() {
    List<Target> targets = targets();
    Deletion deletion = context.deletion(ifExists);
    targets.forEach(target -> deletion.check(target.kind(), target.name()));
    context
        .output()
        .eachChange(targets, target -> deletion.delete(target.kind(), target.name(), force));
    limit.ifPresent(context::awaitPolicy);
    return 0;
  }

  private List<Target> targets() {
    if (files.isEmpty()) {
      if (kind.isEmpty() || names.isEmpty()) {
        throw new UsageException("netctl delete needs KIND and NAME, or -f FILE");
      }
      return names.stream()
          .map(name -> new Target(kind.get(), Names.id(kind.get(), name)))
          .toList();
    }
    if (kind.isPresent()) {
      throw new UsageException("KIND and -f are both given; give KIND and NAME, or -f FILE");
    }
    List<Target> targets = new ArrayList<>();
    for (Manifest.Item item : Manifest.read(files, context.in())) {
      // What was made last may depend on what was made first.
      targets.addFirst(new Target(item.resource().kind(), item.resource().id()));
    }
    return targets;
  }
}
