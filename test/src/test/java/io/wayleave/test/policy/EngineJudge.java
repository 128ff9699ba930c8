package io.wayleave.test.policy;

import io.wayleave.model.Direction;
import io.wayleave.model.Resource;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.policy.Explanation.Verdict;
import io.wayleave.model.policy.FailsafePort;
import io.wayleave.model.policy.HostSettings;
import io.wayleave.model.policy.Picture;
import io.wayleave.model.policy.Question;
import io.wayleave.model.policy.WorkloadToHost;
import io.wayleave.policy.calc.Judge;
import io.wayleave.policy.calc.PolicyCalculator;
import io.wayleave.test.policy.Flow.Place;
import io.wayleave.test.policy.NaiveEvaluator.Judgement;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * What the engine's calculation, one for each host, has told the dataplane to do with a flow. What
 * the frame of the packet filter decides before any policy is added here. The calculators stay from
 * one fleet to the next and are told the difference, so that each fleet is reached by changes. NOT
 * thread safe.
 */
final class EngineJudge {
  private final Map<String, PolicyCalculator> byNode = new TreeMap<>();
  private final Map<String, WorkloadEndpoint> endpoints = new HashMap<>();
  private Map<String, HostSettings> hosts = Map.of();
  private Map<String, Resource> told = Map.of();

  EngineJudge(FleetLayout layout) {
    layout.hosts().forEach(host -> byNode.put(host.node(), new PolicyCalculator(host.node())));
  }

  /** Tells another fleet; only the last one told is judged. */
  Function<Flow, Judgement> tell(Picture fleet) {
    Map<String, Resource> now = new LinkedHashMap<>();
    Fleets.resources(fleet).stream()
        .filter(resource -> PolicyCalculator.KINDS.contains(resource.kind()))
        .forEach(resource -> now.put(resource.kind() + " " + resource.id(), resource));
    for (PolicyCalculator calculator : byNode.values()) {
      told.forEach(
          (key, gone) -> {
            if (!now.containsKey(key)) {
              calculator.remove(gone.kind(), gone.id());
            }
          });
      now.values().forEach(calculator::put);
      calculator.flush(new NoDataplane());
    }
    told = now;
    endpoints.clear();
    fleet.endpoints().forEach(endpoint -> endpoints.put(endpoint.id(), endpoint));
    hosts = fleet.hosts();
    return this::judge;
  }

  private Judgement judge(Flow flow) {
    if (flow.from() instanceof Place.Container(String name)
        && !endpoints.get(name).spec().ipNetworks().contains(flow.source().toCidr())) {
      return new Judgement(Optional.empty(), Optional.empty(), false);
    }
    Question packet = ExplainJudge.question(flow);
    Optional<String> sender = node(flow.from());
    boolean oneHost = sender.isPresent() && sender.equals(node(flow.to()));
    // The host reaches its own containers, and no host endpoint governs containers' interfaces.
    boolean fromHost = oneHost && flow.from() instanceof Place.Host;
    boolean toHost = oneHost && flow.to() instanceof Place.Host;
    return new Judgement(
        fromHost ? Optional.empty() : ask(flow.from(), Direction.Egress, packet),
        fromHost || toHost ? Optional.empty() : ask(flow.to(), Direction.Ingress, packet),
        fromHost
            || !toHost
            || settings(sender.get()).workloadToHostAction() != WorkloadToHost.Drop);
  }

  private Optional<String> node(Place place) {
    return switch (place) {
      case Place.Container(String endpoint) -> Optional.of(nodeOf(endpoint));
      case Place.Host(String node, _) -> Optional.of(node);
      case Place.Outside _ -> Optional.empty();
    };
  }

  private Optional<Boolean> ask(Place place, Direction direction, Question packet) {
    return switch (place) {
      case Place.Container(String endpoint) ->
          Optional.of(
              judgeOf(nodeOf(endpoint)).workload(endpoint, direction, packet).orElse(Verdict.DENY)
                  == Verdict.ALLOW);
      case Place.Host(String node, Optional<String> endpoint) ->
          endpoint
              .flatMap(id -> judgeOf(node).host(id, direction, packet))
              .map(verdict -> verdict == Verdict.ALLOW || failsafe(node, direction, packet));
      case Place.Outside _ -> Optional.empty();
    };
  }

  private Judge judgeOf(String node) {
    return new Judge(byNode.get(node));
  }

  private String nodeOf(String endpoint) {
    return endpoints.get(endpoint).spec().node();
  }

  private HostSettings settings(String node) {
    return hosts.getOrDefault(node, HostSettings.DEFAULT);
  }

  private boolean failsafe(String node, Direction direction, Question packet) {
    return packet.protocol().hasPorts()
        && settings(node)
            .failsafes(direction)
            .contains(new FailsafePort(packet.protocol(), packet.port()));
  }
}
