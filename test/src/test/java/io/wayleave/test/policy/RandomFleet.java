package io.wayleave.test.policy;

import io.wayleave.model.Cidr;
import io.wayleave.model.Direction;
import io.wayleave.model.EndpointPort;
import io.wayleave.model.Family;
import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.GlobalNetworkSet;
import io.wayleave.model.HostEndpoint;
import io.wayleave.model.IpAddress;
import io.wayleave.model.MacAddress;
import io.wayleave.model.Metadata;
import io.wayleave.model.NetworkPolicy;
import io.wayleave.model.NetworkSet;
import io.wayleave.model.Node;
import io.wayleave.model.Policy;
import io.wayleave.model.PolicyRule;
import io.wayleave.model.PolicySpec;
import io.wayleave.model.PolicySpec.StagedAction;
import io.wayleave.model.PortName;
import io.wayleave.model.Profile;
import io.wayleave.model.Protocol;
import io.wayleave.model.Resource;
import io.wayleave.model.StagedGlobalNetworkPolicy;
import io.wayleave.model.StagedNetworkPolicy;
import io.wayleave.model.Tier;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.policy.FailsafePort;
import io.wayleave.model.policy.HostSettings;
import io.wayleave.model.policy.Picture;
import io.wayleave.model.policy.WorkloadToHost;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/**
 * Endpoints, sets, tiers, profiles and policies of every kind, drawn by chance over a layout, and
 * flows to judge by them. Rules are drawn around some of the flows, so that most of them decide
 * something. The same seed gives the same fleet. NOT thread safe.
 */
final class RandomFleet {
  private static final List<String> PROFILES = List.of("open", "base", "strict", "gone");
  private static final List<String> TIERS = List.of("early", "late", "middle", "default");

  /** Named by policies, never stored. */
  private static final String GHOST_TIER = "ghost";

  private static final List<String> POLICY_NAMES = List.of("a", "b", "c", "d");
  private static final List<Optional<Double>> ORDERS =
      List.of(
          Optional.empty(),
          Optional.of(-1.0),
          Optional.of(1.0),
          Optional.of(1.0),
          Optional.of(2.5),
          Optional.of(2e6));

  private static final List<Integer> FAILSAFE_PROTOCOLS =
      List.of(Flow.TCP, Flow.TCP, Flow.UDP, Flow.SCTP, Flow.UDPLITE);

  private static final int FIRST_FLOWS = 30;

  private final Random random;
  private final RandomSelector selectors;
  private final FleetLayout layout;
  private final RandomFlows flows;
  private final List<Resource> objects = new ArrayList<>();
  private final Picture picture;

  RandomFleet(long seed, FleetLayout layout) {
    this.random = new Random(seed);
    this.selectors = new RandomSelector(random);
    this.layout = layout;
    addNodes();
    addEndpoints();
    addHostEndpoints();
    addSets();
    addProfileLabels();
    this.flows = new RandomFlows(random, layout, Picture.of(objects));
    List<Flow> around = new ArrayList<>();
    for (int i = 0; i < FIRST_FLOWS; i++) {
      around.add(flows.next());
    }
    RandomRules rules = new RandomRules(random, selectors, Picture.of(objects), around);
    fillProfiles(rules);
    addTiers();
    addPolicies(rules);
    this.picture = Picture.of(objects).withHosts(hosts());
  }

  /** What the agents of some hosts say; of the others nothing is known. */
  private Map<String, HostSettings> hosts() {
    Map<String, HostSettings> hosts = new TreeMap<>();
    for (FleetLayout.Host host : layout.hosts()) {
      if (random.nextInt(4) > 0) {
        hosts.put(host.node(), hostSettings(random, pick(List.of(WorkloadToHost.values()))));
      }
    }
    return hosts;
  }

  /** With failsafe ports that flows go to. */
  static HostSettings hostSettings(Random random, WorkloadToHost action) {
    return new HostSettings(action, failsafes(random), failsafes(random));
  }

  private static List<FailsafePort> failsafes(Random random) {
    List<FailsafePort> ports = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      ports.add(
          new FailsafePort(
              Protocol.of(FAILSAFE_PROTOCOLS.get(random.nextInt(FAILSAFE_PROTOCOLS.size()))),
              RandomFlows.PORTS.get(random.nextInt(RandomFlows.PORTS.size()))));
    }
    return ports.stream().distinct().toList();
  }

  Picture picture() {
    return picture;
  }

  /** Another flow: by chance, or close to one that rules were drawn around. */
  Flow nextFlow() {
    return random.nextInt(3) == 0 ? flows.next() : flows.near();
  }

  private void addNodes() {
    for (FleetLayout.Host host : layout.hosts()) {
      Node.Bgp bgp =
          new Node.Bgp(
              Optional.empty(),
              address(host, Family.IPV4),
              address(host, Family.IPV6),
              Optional.empty(),
              Optional.empty());
      objects.add(
          new Node(Metadata.of(host.node()), new Node.Spec(Optional.of(bgp), Optional.empty())));
    }
  }

  private static Optional<String> address(FleetLayout.Host host, Family family) {
    return host.addresses().stream()
        .filter(address -> address.family() == family)
        .map(IpAddress::toString)
        .findFirst();
  }

  private void addEndpoints() {
    for (FleetLayout.Container container : layout.containers()) {
      Map<String, String> labels = labels();
      if (random.nextInt(8) == 0) {
        // Nobody overrides what a namespace implies.
        labels.put("projectcalico.org/namespace", "bank");
      }
      Map<String, String> namespaceLabels = new TreeMap<>();
      if (random.nextInt(3) > 0) {
        namespaceLabels.put("grade", selectors.grade());
      }
      if (random.nextInt(8) == 0) {
        namespaceLabels.put("projectcalico.org/name", "bank");
      }
      objects.add(
          new WorkloadEndpoint(
              Metadata.of(container.endpoint(), labels)
                  .withNamespace(pick(RandomSelector.NAMESPACES)),
              new WorkloadEndpoint.Spec(
                  container.node(),
                  container.id(),
                  "eth0",
                  container.interfaceName(),
                  MacAddress.parse("02:00:00:00:00:01"),
                  container.addresses().stream().map(IpAddress::toCidr).toList(),
                  "net",
                  "g1",
                  profileNames(),
                  ports(),
                  namespaceLabels)));
    }
  }

  private void addHostEndpoints() {
    for (FleetLayout.Host host : layout.hosts()) {
      if (random.nextInt(4) == 0) {
        continue;
      }
      Optional<String> name =
          switch (random.nextInt(3)) {
            case 0 -> Optional.of(FleetLayout.UPLINK);
            case 1 -> Optional.of(HostEndpoint.ALL_INTERFACES);
            default -> Optional.empty();
          };
      boolean known = name.isEmpty() || random.nextInt(3) > 0;
      objects.add(
          new HostEndpoint(
              Metadata.of("host-" + host.node(), labels()),
              new HostEndpoint.Spec(
                  host.node(),
                  name,
                  known ? host.addresses() : List.of(),
                  profileNames(),
                  ports())));
    }
  }

  private void addSets() {
    for (int i = 0; i < 3; i++) {
      objects.add(
          new NetworkSet(
              Metadata.of("set" + i % 2, labels()).withNamespace(RandomSelector.NAMESPACES.get(i)),
              new NetworkSet.Spec(nets())));
      objects.add(
          new GlobalNetworkSet(Metadata.of("set" + i, labels()), new NetworkSet.Spec(nets())));
    }
  }

  /** Labels only: the rules come when there are flows to draw them around. */
  private void addProfileLabels() {
    for (String name : PROFILES.subList(0, PROFILES.size() - 1)) {
      objects.add(new Profile(Metadata.of(name), new Profile.Spec(List.of(), List.of(), labels())));
    }
  }

  private void fillProfiles(RandomRules rules) {
    objects.replaceAll(
        object ->
            object instanceof Profile profile
                ? new Profile(
                    profile.metadata(),
                    new Profile.Spec(
                        rules.ofProfile(), rules.ofProfile(), profile.spec().labelsToApply()))
                : object);
  }

  private void addTiers() {
    for (String name : TIERS) {
      if (random.nextInt(3) > 0) {
        objects.add(
            new Tier(
                Metadata.of(name),
                new Tier.Spec(
                    pick(ORDERS),
                    random.nextInt(5) < 2 ? Tier.DefaultAction.Deny : Tier.DefaultAction.Pass)));
      }
    }
  }

  private void addPolicies(RandomRules rules) {
    Map<String, Policy> policies = new HashMap<>();
    int count = 6 + random.nextInt(6);
    for (int i = 0; i < count; i++) {
      Policy policy = policy(rules, false);
      policies.put(policy.kind() + policy.id(), policy);
    }
    for (int i = 0; i < 3; i++) {
      Policy policy = policy(rules, true);
      policies.put(policy.kind() + policy.id(), policy);
    }
    policies.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(entry -> objects.add(entry.getValue()));
  }

  private Policy policy(RandomRules rules, boolean staged) {
    boolean global = random.nextInt(5) < 3;
    Set<Direction> types =
        switch (random.nextInt(4)) {
          case 0 -> EnumSet.of(Direction.Ingress);
          case 1 -> EnumSet.of(Direction.Egress);
          default -> EnumSet.allOf(Direction.class);
        };
    Optional<StagedAction> stagedAction = Optional.empty();
    if (staged) {
      stagedAction =
          switch (random.nextInt(3)) {
            case 0 -> Optional.empty();
            case 1 -> Optional.of(StagedAction.Set);
            default -> Optional.of(StagedAction.Delete);
          };
    }
    boolean deletes = stagedAction.equals(Optional.of(StagedAction.Delete));
    PolicySpec spec =
        new PolicySpec(
            random.nextInt(10) == 0 ? GHOST_TIER : pick(TIERS),
            pick(ORDERS),
            random.nextInt(3) == 0 ? "all()" : selectors.ofObjects(),
            global && random.nextInt(3) == 0
                ? Optional.of(selectors.ofNamespaces())
                : Optional.empty(),
            types,
            deletes || !types.contains(Direction.Ingress) ? List.of() : rules.ofPolicy(),
            deletes || !types.contains(Direction.Egress) ? List.of() : rules.ofPolicy(),
            stagedAction);
    Metadata metadata = Metadata.of(pick(POLICY_NAMES));
    if (global) {
      return staged
          ? new StagedGlobalNetworkPolicy(metadata, spec)
          : new GlobalNetworkPolicy(metadata, spec);
    }
    Metadata inNamespace = metadata.withNamespace(pick(RandomSelector.NAMESPACES));
    return staged
        ? new StagedNetworkPolicy(inNamespace, spec)
        : new NetworkPolicy(inNamespace, spec);
  }

  private Map<String, String> labels() {
    Map<String, String> labels = new TreeMap<>();
    for (String key : RandomSelector.KEYS) {
      if (random.nextInt(3) > 0) {
        labels.put(key, selectors.value());
      }
    }
    return labels;
  }

  private List<String> profileNames() {
    List<String> names = new ArrayList<>();
    for (int i = random.nextInt(4); i > 1; i--) {
      names.add(pick(PROFILES));
    }
    return names.stream().distinct().toList();
  }

  private List<EndpointPort> ports() {
    List<EndpointPort> ports = new ArrayList<>();
    for (int i = random.nextInt(4); i > 0; i--) {
      ports.add(
          new EndpointPort(
              new PortName(pick(RandomRules.PORT_NAMES)),
              pick(List.of(Protocol.TCP, Protocol.UDP, Protocol.SCTP)),
              pick(RandomFlows.PORTS)));
    }
    return ports;
  }

  private List<Cidr> nets() {
    List<Cidr> nets = new ArrayList<>();
    for (int i = 1 + random.nextInt(3); i > 0; i--) {
      nets.add(RandomRules.netAround(random, flowsAddress()));
    }
    return nets;
  }

  private IpAddress flowsAddress() {
    return random.nextInt(3) == 0
        ? pick(pick(layout.containers()).addresses())
        : pick(layout.outside());
  }

  private <T> T pick(List<T> items) {
    return items.get(random.nextInt(items.size()));
  }

  /** The rules of all policies and profiles. */
  static List<PolicyRule> rules(Picture picture) {
    List<PolicyRule> rules = new ArrayList<>();
    for (Policy policy : picture.policies()) {
      rules.addAll(policy.spec().ingress());
      rules.addAll(policy.spec().egress());
    }
    for (Profile profile : picture.profiles()) {
      rules.addAll(profile.spec().ingress());
      rules.addAll(profile.spec().egress());
    }
    return rules;
  }
}
