package io.wayleave.test.policy;

import io.wayleave.model.Direction;
import io.wayleave.model.Family;
import io.wayleave.model.Protocol;
import io.wayleave.model.policy.FailsafePort;
import io.wayleave.model.policy.HostSettings;
import io.wayleave.model.policy.WorkloadToHost;
import io.wayleave.test.policy.Flow.Place;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * How many flows of each kind were allowed and denied: by the way that they go and the family, and
 * by protocol. NOT thread safe.
 */
final class FlowKinds {
  private static final String SPOOFED = "from an address of others ";
  private static final String FAILSAFE = "configured failsafe port ";
  private static final String USUAL_FAILSAFE = "usual failsafe port that is none here ";

  private final FleetLayout layout;
  private final Map<String, Count> counts = new TreeMap<>();

  /** Flows of one kind, by what was expected of them. */
  record Count(int allowed, int denied) {
    private Count plus(Count other) {
      return new Count(allowed + other.allowed, denied + other.denied);
    }

    @Override
    public String toString() {
      return allowed + "+" + denied;
    }
  }

  FlowKinds(FleetLayout layout) {
    this.layout = layout;
    for (Way way : Way.values()) {
      for (Family family : Family.values()) {
        counts.put(way + " " + family, new Count(0, 0));
      }
    }
    for (int protocol : Station.PROTOCOLS_V4) {
      counts.put("protocol " + protocol, new Count(0, 0));
    }
    counts.put("protocol " + Flow.ICMPV6, new Count(0, 0));
    for (Family family : Family.values()) {
      counts.put(SPOOFED + family, new Count(0, 0));
    }
    for (WorkloadToHost action : WorkloadToHost.values()) {
      counts.put(Way.CONTAINER_TO_OWN_HOST + " " + action, new Count(0, 0));
    }
    for (Direction direction : Direction.values()) {
      counts.put(FAILSAFE + direction, new Count(0, 0));
      counts.put(USUAL_FAILSAFE + direction, new Count(0, 0));
    }
  }

  /**
   * Counts a flow.
   *
   * @param hosts what the agents of all hosts are told
   */
  void add(Map<String, HostSettings> hosts, Flow flow, boolean allowed) {
    Count one = new Count(allowed ? 1 : 0, allowed ? 0 : 1);
    counts.merge("protocol " + flow.protocol(), one, Count::plus);
    if (layout.spoofed(flow)) {
      counts.merge(SPOOFED + flow.family(), one, Count::plus);
      return;
    }
    counts.merge(way(flow) + " " + flow.family(), one, Count::plus);
    if (way(flow) == Way.CONTAINER_TO_OWN_HOST) {
      counts.merge(
          way(flow) + " " + hosts.get(node(flow.to())).workloadToHostAction(), one, Count::plus);
    }
    addFailsafe(hosts, flow.from(), Direction.Egress, flow, one);
    addFailsafe(hosts, flow.to(), Direction.Ingress, flow, one);
  }

  /** Of host endpoints: ports that are kept open, and those that would be if nobody said others. */
  private void addFailsafe(
      Map<String, HostSettings> hosts, Place place, Direction direction, Flow flow, Count one) {
    if (place instanceof Place.Host(String node, Optional<String> endpoint)
        && endpoint.isPresent()
        && !node(flow.from()).equals(node(flow.to()))
        && Flow.hasPorts(flow.protocol())
        && flow.destinationPort() > 0) {
      FailsafePort port = new FailsafePort(Protocol.of(flow.protocol()), flow.destinationPort());
      boolean usual = FailsafePort.defaults(direction).contains(port);
      if (hosts.get(node).failsafes(direction).contains(port) && !usual) {
        counts.merge(FAILSAFE + direction, one, Count::plus);
      } else if (usual && !hosts.get(node).failsafes(direction).contains(port)) {
        counts.merge(USUAL_FAILSAFE + direction, one, Count::plus);
      }
    }
  }

  /** Those of which fewer flows than this were allowed, or denied where anything can deny them. */
  Map<String, Count> rarerThan(int count) {
    Map<String, Count> rare = new TreeMap<>(counts);
    rare.entrySet()
        .removeIf(
            entry ->
                (entry.getValue().allowed >= count || neverAllowed(entry.getKey()))
                    && (entry.getValue().denied >= count || neverDenied(entry.getKey())));
    return rare;
  }

  /** Or by the other end only. */
  private static boolean neverDenied(String kind) {
    return kind.startsWith(FAILSAFE) || kind.startsWith(Way.HOST_TO_OWN_CONTAINER.name());
  }

  /** Or rarely, by a policy that has just that port. */
  private static boolean neverAllowed(String kind) {
    return kind.startsWith(SPOOFED)
        || kind.startsWith(USUAL_FAILSAFE)
        || kind.equals(Way.CONTAINER_TO_OWN_HOST + " " + WorkloadToHost.Drop);
  }

  @Override
  public String toString() {
    return counts.toString();
  }

  private enum Way {
    CONTAINER_TO_CONTAINER_OF_THE_HOST,
    CONTAINER_TO_CONTAINER_OF_ANOTHER,
    CONTAINER_TO_OWN_HOST,
    CONTAINER_TO_OTHER_HOST,
    CONTAINER_TO_OUTSIDE,
    HOST_TO_OWN_CONTAINER,
    HOST_TO_CONTAINER_OF_ANOTHER,
    HOST_TO_HOST,
    HOST_TO_OUTSIDE,
    OUTSIDE_TO_CONTAINER,
    OUTSIDE_TO_HOST
  }

  private Way way(Flow flow) {
    boolean oneHost = node(flow.from()).equals(node(flow.to()));
    return switch (flow.from()) {
      case Place.Container _ ->
          switch (flow.to()) {
            case Place.Container _ ->
                oneHost
                    ? Way.CONTAINER_TO_CONTAINER_OF_THE_HOST
                    : Way.CONTAINER_TO_CONTAINER_OF_ANOTHER;
            case Place.Host _ -> oneHost ? Way.CONTAINER_TO_OWN_HOST : Way.CONTAINER_TO_OTHER_HOST;
            case Place.Outside _ -> Way.CONTAINER_TO_OUTSIDE;
          };
      case Place.Host _ ->
          switch (flow.to()) {
            case Place.Container _ ->
                oneHost ? Way.HOST_TO_OWN_CONTAINER : Way.HOST_TO_CONTAINER_OF_ANOTHER;
            case Place.Host _ -> Way.HOST_TO_HOST;
            case Place.Outside _ -> Way.HOST_TO_OUTSIDE;
          };
      case Place.Outside _ ->
          flow.to() instanceof Place.Container ? Way.OUTSIDE_TO_CONTAINER : Way.OUTSIDE_TO_HOST;
    };
  }

  private String node(Place place) {
    return switch (place) {
      case Place.Container(String name) ->
          layout.containers().stream()
              .filter(container -> container.endpoint().equals(name))
              .map(FleetLayout.Container::node)
              .findFirst()
              .orElseThrow();
      case Place.Host(String node, _) -> node;
      case Place.Outside _ -> "";
    };
  }
}
