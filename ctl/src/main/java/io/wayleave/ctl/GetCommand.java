package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Kind;
import io.wayleave.model.Resource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code netctl get}: resources as they are in the datastore. */
@Command(
    name = "get",
    description = {
      "Show resources of a kind, all or those named.",
      "With -o yaml or -o json the result is a manifest that apply takes back."
    })
final class GetCommand implements Callable<Integer> {
  private final Context context;

  @Parameters(index = "0", paramLabel = "KIND", description = "such as ippools or BGPPeer")
  private Kind kind;

  @Parameters(index = "1..*", arity = "0..*", paramLabel = "NAME", description = Names.WHICH)
  private List<String> names = List.of();

  GetCommand(Context context) {
    this.context = requireNonNull(context, "context is null");
  }

  @Override
  public Integer call() {
    if (names.size() == 1) {
      Resource resource = context.resources().get(kind, Names.id(kind, names.getFirst()));
      context.output().resource(resource, () -> ResourceTables.of(kind, List.of(resource)));
      return 0;
    }
    List<Resource> resources = new ArrayList<>();
    if (names.isEmpty()) {
      resources.addAll(context.resources().list(kind.type()));
    } else {
      names.forEach(name -> resources.add(context.resources().get(kind, Names.id(kind, name))));
    }
    context.output().resources(resources, () -> ResourceTables.of(kind, resources));
    return 0;
  }
}
