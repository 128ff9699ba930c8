package io.wayleave.test.policy;

import io.wayleave.model.Cidr;
import io.wayleave.model.Direction;
import io.wayleave.model.EndpointPort;
import io.wayleave.model.Family;
import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.GlobalNetworkSet;
import io.wayleave.model.HostEndpoint;
import io.wayleave.model.IpAddress;
import io.wayleave.model.NetworkPolicy;
import io.wayleave.model.NetworkSet;
import io.wayleave.model.Policy;
import io.wayleave.model.PolicyRule;
import io.wayleave.model.PolicyRule.Entity;
import io.wayleave.model.PolicyRule.Icmp;
import io.wayleave.model.Port;
import io.wayleave.model.PortName;
import io.wayleave.model.PortRange;
import io.wayleave.model.Profile;
import io.wayleave.model.Tier;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.policy.FailsafePort;
import io.wayleave.model.policy.HostSettings;
import io.wayleave.model.policy.Picture;
import io.wayleave.test.policy.Flow.Place;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Judges a flow by reading the policies as docs/policy.md describes them, and nothing else: no
 * index, no set, no order kept from one flow to the next. It shares no code with the engine nor
 * with the explanation, only the records that hold the resources. NOT thread safe.
 */
final class NaiveEvaluator {
  /** TCP ports of a host that stay open, as the agent has them when nobody configures others. */
  private static final Set<Integer> FAILSAFE_TCP_IN =
      Set.of(22, 179, 2379, 2380, 5473, 6443, 6666, 6667);

  private static final Set<Integer> FAILSAFE_UDP_IN = Set.of(68);
  private static final Set<Integer> FAILSAFE_TCP_OUT =
      Set.of(179, 2379, 2380, 5473, 6443, 6666, 6667);
  private static final Set<Integer> FAILSAFE_UDP_OUT = Set.of(53, 67);

  private final Picture fleet;

  /** Everything that a rule can choose. */
  private final List<Thing> things = new ArrayList<>();

  NaiveEvaluator(Picture fleet) {
    this.fleet = fleet;
    fleet.endpoints().forEach(endpoint -> things.add(thing(endpoint)));
    fleet.hostEndpoints().forEach(endpoint -> things.add(thing(endpoint)));
    for (NetworkSet set : fleet.networkSets()) {
      String namespace = set.metadata().namespace().orElseThrow();
      Map<String, String> labels = new HashMap<>(set.metadata().labels());
      labels.put("projectcalico.org/namespace", namespace);
      things.add(
          new Thing(
              Optional.of(namespace),
              labels,
              namespaceLabels(namespace, Map.of()),
              set.spec().nets(),
              List.of()));
    }
    for (GlobalNetworkSet set : fleet.globalNetworkSets()) {
      things.add(
          new Thing(
              Optional.empty(), set.metadata().labels(), Map.of(), set.spec().nets(), List.of()));
    }
  }

  /**
   * What both ends say; empty where no policy is asked.
   *
   * @param egress whether the sender's policies allow it
   * @param ingress whether the receiver's policies allow it
   * @param open whether what is no policy lets it pass
   */
  record Judgement(Optional<Boolean> egress, Optional<Boolean> ingress, boolean open) {
    static final Judgement UNASKED = new Judgement(Optional.empty(), Optional.empty(), true);

    boolean allowed() {
      return open && egress.orElse(true) && ingress.orElse(true);
    }
  }

  /** Whether the packet gets where it should, a host's own rules included. */
  boolean arrives(Flow flow) {
    boolean ownRulesAsked = toOwnHost(flow) && workloadToHost(flow).equals("Return");
    return judge(flow).allowed()
        && !(ownRulesAsked && flow.protocol() == FleetLayout.DROPPED_BY_HOSTS);
  }

  Judgement judge(Flow flow) {
    if (flow.protocol() == Flow.ICMPV6 && (flow.icmpType() == 135 || flow.icmpType() == 136)) {
      return Judgement.UNASKED;
    }
    // A container sends from its own addresses only: no policy is asked about others.
    if (flow.from() instanceof Place.Container(String name)
        && !inOneOf(endpoint(name).spec().ipNetworks(), flow.source())) {
      return new Judgement(Optional.empty(), Optional.empty(), false);
    }
    // From a host to its own containers, or to itself: always.
    if (sameNode(flow) && flow.from() instanceof Place.Host) {
      return Judgement.UNASKED;
    }
    // From a container to its own host: its egress, and then what the host's agent is told to do.
    if (toOwnHost(flow)) {
      return new Judgement(
          at(flow.from(), flow, Direction.Egress),
          Optional.empty(),
          !workloadToHost(flow).equals("Drop"));
    }
    return new Judgement(
        at(flow.from(), flow, Direction.Egress), at(flow.to(), flow, Direction.Ingress), true);
  }

  private boolean sameNode(Flow flow) {
    Optional<String> sender = node(flow.from());
    return sender.isPresent() && sender.equals(node(flow.to()));
  }

  private boolean toOwnHost(Flow flow) {
    return sameNode(flow)
        && flow.from() instanceof Place.Container
        && flow.to() instanceof Place.Host;
  }

  /** What the file of the agent of the host that the flow goes to says. */
  private String workloadToHost(Flow flow) {
    HostSettings settings = fleet.hosts().get(node(flow.to()).orElseThrow());
    return settings == null ? "Return" : settings.workloadToHostAction().name();
  }

  private Optional<String> node(Place place) {
    return switch (place) {
      case Place.Container(String name) -> Optional.of(endpoint(name).spec().node());
      case Place.Host(String node, _) -> Optional.of(node);
      case Place.Outside _ -> Optional.empty();
    };
  }

  private Optional<Boolean> at(Place place, Flow flow, Direction direction) {
    return switch (place) {
      case Place.Container(String name) -> {
        WorkloadEndpoint endpoint = endpoint(name);
        yield Optional.of(
            asks(thing(endpoint), false, endpoint.spec().profiles(), flow, direction));
      }
      case Place.Host(_, Optional<String> name) ->
          name.map(
              hostEndpoint -> {
                HostEndpoint endpoint = hostEndpoint(hostEndpoint);
                return failsafe(endpoint.spec().node(), flow, direction)
                    || asks(thing(endpoint), true, endpoint.spec().profiles(), flow, direction);
              });
      case Place.Outside _ -> Optional.empty();
    };
  }

  private boolean failsafe(String node, Flow flow, Direction direction) {
    boolean in = direction == Direction.Ingress;
    HostSettings settings = fleet.hosts().get(node);
    if (settings != null) {
      for (FailsafePort port : in ? settings.failsafeInbound() : settings.failsafeOutbound()) {
        if (port.protocol().number() == flow.protocol() && port.port() == flow.destinationPort()) {
          return true;
        }
      }
      return false;
    }
    return switch (flow.protocol()) {
      case Flow.TCP -> (in ? FAILSAFE_TCP_IN : FAILSAFE_TCP_OUT).contains(flow.destinationPort());
      case Flow.UDP -> (in ? FAILSAFE_UDP_IN : FAILSAFE_UDP_OUT).contains(flow.destinationPort());
      default -> false;
    };
  }

  /** Whether the endpoint's tiers and profiles let the packet pass. */
  private boolean asks(
      Thing endpoint, boolean isHost, List<String> profiles, Flow flow, Direction direction) {
    for (String tier : tierNames()) {
      List<Policy> policies = new ArrayList<>();
      for (Policy policy : fleet.policies()) {
        if (policy.spec().tier().equals(tier)
            && policy.spec().types().contains(direction)
            && governs(policy, endpoint, isHost)) {
          policies.add(policy);
        }
      }
      if (policies.isEmpty()) {
        continue;
      }
      policies.sort(NaiveEvaluator::comparePolicies);
      Optional<PolicyRule.Action> decided = Optional.empty();
      for (Policy policy : policies) {
        decided = firstMatch(policy.spec().rules(direction), flow, namespaceOf(policy));
        if (decided.isPresent()) {
          break;
        }
      }
      if (decided.equals(Optional.of(PolicyRule.Action.Allow))) {
        return true;
      }
      if (decided.equals(Optional.of(PolicyRule.Action.Deny))) {
        return false;
      }
      if (decided.isEmpty() && tierDenies(tier)) {
        return false;
      }
    }
    if (profiles.isEmpty()) {
      return !isHost;
    }
    for (String name : profiles) {
      for (Profile profile : fleet.profiles()) {
        if (profile.name().equals(name)) {
          Optional<PolicyRule.Action> decided =
              firstMatch(profile.spec().rules(direction), flow, Optional.empty());
          if (decided.isPresent()) {
            return decided.get() == PolicyRule.Action.Allow;
          }
        }
      }
    }
    return false;
  }

  /** The action of the first rule that matches; Log rules decide nothing. */
  private Optional<PolicyRule.Action> firstMatch(
      List<PolicyRule> rules, Flow flow, Optional<String> namespace) {
    for (PolicyRule rule : rules) {
      if (rule.action() != PolicyRule.Action.Log && matches(rule, flow, namespace)) {
        return Optional.of(rule.action());
      }
    }
    return Optional.empty();
  }

  private List<String> tierNames() {
    Set<String> names = new TreeSet<>();
    names.add("default");
    fleet.tiers().forEach(tier -> names.add(tier.name()));
    fleet.policies().forEach(policy -> names.add(policy.spec().tier()));
    List<String> ordered = new ArrayList<>(names);
    // The sort is stable: equal orders stay in the order of the names.
    ordered.sort(Comparator.comparingDouble(this::tierOrder));
    return ordered;
  }

  private double tierOrder(String name) {
    for (Tier tier : fleet.tiers()) {
      if (tier.name().equals(name)) {
        return tier.spec().order().orElse(Double.MAX_VALUE);
      }
    }
    return name.equals("default") ? 1_000_000 : Double.MAX_VALUE;
  }

  private boolean tierDenies(String name) {
    for (Tier tier : fleet.tiers()) {
      if (tier.name().equals(name)) {
        return tier.spec().defaultAction() == Tier.DefaultAction.Deny;
      }
    }
    return true;
  }

  private static int comparePolicies(Policy a, Policy b) {
    double orderA = a.spec().order().orElse(Double.MAX_VALUE);
    double orderB = b.spec().order().orElse(Double.MAX_VALUE);
    if (orderA != orderB) {
      return orderA < orderB ? -1 : 1;
    }
    if (!a.name().equals(b.name())) {
      return a.name().compareTo(b.name());
    }
    boolean globalA = a instanceof GlobalNetworkPolicy;
    boolean globalB = b instanceof GlobalNetworkPolicy;
    if (globalA != globalB) {
      return globalA ? -1 : 1;
    }
    return a.metadata().namespace().orElse("").compareTo(b.metadata().namespace().orElse(""));
  }

  private static Optional<String> namespaceOf(Policy policy) {
    return policy instanceof NetworkPolicy ? policy.metadata().namespace() : Optional.empty();
  }

  private static boolean governs(Policy policy, Thing endpoint, boolean isHost) {
    if (policy instanceof NetworkPolicy
        && (isHost || !policy.metadata().namespace().equals(endpoint.namespace()))) {
      return false;
    }
    if (policy.spec().namespaceSelector().isPresent()
        && !namespaceMatches(policy.spec().namespaceSelector().get(), endpoint)) {
      return false;
    }
    return NaiveSelector.matches(policy.spec().selector(), endpoint.labels());
  }

  /**
   * Whether a rule matches.
   *
   * @param namespace of the policy of the rule; empty for those of global policies and of profiles
   */
  boolean matches(PolicyRule rule, Flow flow, Optional<String> namespace) {
    int version = flow.family() == Family.IPV4 ? 4 : 6;
    if (rule.ipVersion().isPresent() && rule.ipVersion().get() != version) {
      return false;
    }
    if (rule.protocol().isPresent() && rule.protocol().get().number() != flow.protocol()) {
      return false;
    }
    if (rule.notProtocol().isPresent() && rule.notProtocol().get().number() == flow.protocol()) {
      return false;
    }
    if (rule.icmp().isPresent() && !isMessage(rule.icmp().get(), flow)) {
      return false;
    }
    if (rule.notIcmp().isPresent() && isMessage(rule.notIcmp().get(), flow)) {
      return false;
    }
    return (rule.source().isEmpty()
            || matches(rule.source().get(), flow.source(), flow.sourcePort(), flow, namespace))
        && (rule.destination().isEmpty()
            || matches(
                rule.destination().get(),
                flow.destination(),
                flow.destinationPort(),
                flow,
                namespace));
  }

  private static boolean isMessage(Icmp icmp, Flow flow) {
    return icmp.type().orElseThrow() == flow.icmpType()
        && (icmp.code().isEmpty() || icmp.code().get() == flow.icmpCode());
  }

  private boolean matches(
      Entity entity, IpAddress address, int port, Flow flow, Optional<String> namespace) {
    if (!entity.nets().isEmpty() && !inOneOf(entity.nets(), address)) {
      return false;
    }
    if (inOneOf(entity.notNets(), address)) {
      return false;
    }
    if (entity.selector().isPresent() || entity.namespaceSelector().isPresent()) {
      boolean found = false;
      for (Thing thing : things) {
        found |= inOneOf(thing.nets(), address) && chooses(entity, thing, namespace);
      }
      if (!found) {
        return false;
      }
    }
    if (entity.notSelector().isPresent()) {
      for (Thing thing : things) {
        if (inOneOf(thing.nets(), address)
            && NaiveSelector.matches(entity.notSelector().get(), thing.labels())) {
          return false;
        }
      }
    }
    if (!entity.ports().isEmpty()
        && !isOneOf(entity.ports(), entity, address, port, flow, namespace)) {
      return false;
    }
    return !isOneOf(entity.notPorts(), entity, address, port, flow, namespace);
  }

  private static boolean chooses(Entity entity, Thing thing, Optional<String> namespace) {
    if (entity.namespaceSelector().isPresent()) {
      if (!namespaceMatches(entity.namespaceSelector().get(), thing)) {
        return false;
      }
    } else if (entity.selector().isPresent()
        && namespace.isPresent()
        && !namespace.equals(thing.namespace())) {
      return false;
    }
    return entity.selector().isEmpty()
        || NaiveSelector.matches(entity.selector().get(), thing.labels());
  }

  private static boolean namespaceMatches(String selector, Thing thing) {
    if (selector.strip().equals("global()")) {
      return thing.namespace().isEmpty();
    }
    return thing.namespace().isPresent()
        && NaiveSelector.matches(selector, thing.namespaceLabels());
  }

  private boolean isOneOf(
      List<Port> ports,
      Entity entity,
      IpAddress address,
      int port,
      Flow flow,
      Optional<String> namespace) {
    for (Port wanted : ports) {
      if (wanted instanceof PortRange range && range.first() <= port && port <= range.last()) {
        return true;
      }
      if (wanted instanceof PortName name) {
        for (Thing thing : things) {
          if (inOneOf(thing.nets(), address) && chooses(entity, thing, namespace)) {
            for (EndpointPort own : thing.ports()) {
              if (own.name().equals(name)
                  && own.protocol().number() == flow.protocol()
                  && own.port() == port) {
                return true;
              }
            }
          }
        }
      }
    }
    return false;
  }

  private static boolean inOneOf(List<Cidr> nets, IpAddress address) {
    for (Cidr net : nets) {
      if (net.family() == address.family()
          && net.address().compareTo(address) <= 0
          && address.compareTo(net.last()) <= 0) {
        return true;
      }
    }
    return false;
  }

  private WorkloadEndpoint endpoint(String name) {
    for (WorkloadEndpoint endpoint : fleet.endpoints()) {
      if (endpoint.name().equals(name)) {
        return endpoint;
      }
    }
    throw new IllegalArgumentException(name + " is not there");
  }

  private HostEndpoint hostEndpoint(String name) {
    for (HostEndpoint endpoint : fleet.hostEndpoints()) {
      if (endpoint.name().equals(name)) {
        return endpoint;
      }
    }
    throw new IllegalArgumentException(name + " is not there");
  }

  /** An endpoint or a network set, as rules see it. */
  private record Thing(
      Optional<String> namespace,
      Map<String, String> labels,
      Map<String, String> namespaceLabels,
      List<Cidr> nets,
      List<EndpointPort> ports) {}

  private Thing thing(WorkloadEndpoint endpoint) {
    String namespace = endpoint.metadata().namespace().orElseThrow();
    Map<String, String> labels = labels(endpoint.labels(), endpoint.spec().profiles());
    labels.put("projectcalico.org/namespace", namespace);
    return new Thing(
        Optional.of(namespace),
        labels,
        namespaceLabels(namespace, endpoint.spec().namespaceLabels()),
        endpoint.spec().ipNetworks(),
        endpoint.spec().ports());
  }

  private Thing thing(HostEndpoint endpoint) {
    List<Cidr> nets = new ArrayList<>();
    for (IpAddress address : endpoint.spec().expectedIPs()) {
      nets.add(new Cidr(address, address.family().bits()));
    }
    return new Thing(
        Optional.empty(),
        labels(endpoint.labels(), endpoint.spec().profiles()),
        Map.of(),
        nets,
        endpoint.spec().ports());
  }

  /** Its own labels, and those of its profiles that neither it nor an earlier profile has. */
  private Map<String, String> labels(Map<String, String> own, List<String> profileNames) {
    Map<String, String> labels = new HashMap<>(own);
    for (String name : profileNames) {
      for (Profile profile : fleet.profiles()) {
        if (profile.name().equals(name)) {
          profile.spec().labelsToApply().forEach(labels::putIfAbsent);
        }
      }
    }
    return labels;
  }

  private static Map<String, String> namespaceLabels(String namespace, Map<String, String> told) {
    Map<String, String> labels = new HashMap<>(told);
    labels.put("projectcalico.org/name", namespace);
    labels.put("kubernetes.io/metadata.name", namespace);
    return labels;
  }
}
