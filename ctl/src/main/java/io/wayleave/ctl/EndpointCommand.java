package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.EndpointPort;
import io.wayleave.model.Kind;
import io.wayleave.model.WorkloadEndpoint;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/**
 * {@code netctl endpoint}: the interfaces of containers. Agents write them, so there is nothing to
 * create or delete here.
 */
@Command(name = "endpoint", description = "Interfaces of containers and their addresses.")
final class EndpointCommand {
  private final Context context;

  EndpointCommand(Context context) {
    this.context = requireNonNull(context, "context is null");
  }

  @Command(name = "list", description = "Show all endpoints of all nodes.")
  int list() {
    List<WorkloadEndpoint> endpoints = context.resources().list(WorkloadEndpoint.class);
    context
        .output()
        .resources(endpoints, () -> ResourceTables.of(Kind.WORKLOAD_ENDPOINT, endpoints));
    return 0;
  }

  @Command(name = "show", description = "Show all that is known of one endpoint.")
  int show(
      @Parameters(
              paramLabel = "NAME",
              description = "name of the endpoint, or the beginning of its container's id")
          String name) {
    WorkloadEndpoint endpoint = find(name);
    WorkloadEndpoint.Spec spec = endpoint.spec();
    context
        .output()
        .resource(
            endpoint,
            () ->
                new Table("ENDPOINT", endpoint.name())
                    .row("node", spec.node())
                    .row("container", spec.containerID())
                    .row("interface in the container", spec.endpoint())
                    .row("interface on the node", spec.interfaceName())
                    .row("MAC address", spec.mac().toString())
                    .row("addresses", ResourceTables.addresses(endpoint))
                    .row("namespace", endpoint.metadata().namespace().orElse(""))
                    .row("labels", ResourceTables.labels(endpoint.labels()))
                    .row("profiles", Table.cell(spec.profiles()))
                    .row(
                        "ports",
                        Table.cell(spec.ports().stream().map(EndpointCommand::port).toList()))
                    .row("network", spec.network())
                    .text());
    return 0;
  }

  @Command(
      name = "label",
      description = {
        "Set and remove labels of an endpoint, which policies select by.",
        "They stay until the container goes; one that starts anew has those of its network again."
      })
  int label(
      @Parameters(
              index = "0",
              paramLabel = "NAME",
              description = "name of the endpoint, or the beginning of its container's id")
          String name,
      @Parameters(
              index = "1..*",
              arity = "1..*",
              paramLabel = LabelChanges.LABEL,
              description = LabelChanges.DESCRIPTION)
          List<String> changes) {
    LabelChanges labels = LabelChanges.parse(changes);
    Change change =
        context
            .resources()
            .change(
                Kind.WORKLOAD_ENDPOINT,
                find(name).name(),
                present ->
                    new WorkloadEndpoint(
                        labels.of(present.metadata()), ((WorkloadEndpoint) present).spec()));
    context.output().changes(List.of(change));
    return 0;
  }

  private static String port(EndpointPort port) {
    return port.name() + "=" + port.protocol() + ":" + port.port();
  }

  private WorkloadEndpoint find(String name) {
    List<WorkloadEndpoint> endpoints = context.resources().list(WorkloadEndpoint.class);
    List<WorkloadEndpoint> found =
        endpoints.stream().filter(endpoint -> endpoint.name().equals(name)).toList();
    if (found.isEmpty()) {
      found =
          endpoints.stream()
              .filter(endpoint -> endpoint.spec().containerID().startsWith(name))
              .toList();
    }
    if (found.isEmpty()) {
      throw context.resources().absent(Kind.WORKLOAD_ENDPOINT, name);
    }
    if (found.size() > 1) {
      throw new CommandFailedException(
          "\""
              + name
              + "\" is the beginning of several endpoints' containers; name one of "
              + String.join(", ", found.stream().map(WorkloadEndpoint::name).toList()));
    }
    return found.getFirst();
  }
}
