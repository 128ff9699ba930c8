package io.wayleave.policy.calc;

import io.wayleave.model.Cidr;
import io.wayleave.model.Direction;
import io.wayleave.model.EndpointPort;
import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.GlobalNetworkSet;
import io.wayleave.model.HostEndpoint;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Kind;
import io.wayleave.model.MacAddress;
import io.wayleave.model.Metadata;
import io.wayleave.model.NetworkPolicy;
import io.wayleave.model.NetworkSet;
import io.wayleave.model.Policy;
import io.wayleave.model.PolicyRule;
import io.wayleave.model.PolicyRule.Action;
import io.wayleave.model.PolicyRule.Entity;
import io.wayleave.model.PolicyRule.Icmp;
import io.wayleave.model.PolicySpec;
import io.wayleave.model.Port;
import io.wayleave.model.PortName;
import io.wayleave.model.Profile;
import io.wayleave.model.Protocol;
import io.wayleave.model.Resource;
import io.wayleave.model.Tier;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.policy.SubjectSelector;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Fleets of every kind with every field, of few names, labels, addresses and ports, so that things
 * meet: selectors choose, addresses are had twice, policies name tiers that are stored or not.
 */
final class RandomFleet {
  static final List<String> NODES = List.of("n1", "n1", "n2");
  private static final List<String> NAMESPACES = List.of("default", "shop", "lab");
  private static final List<String> NETS =
      List.of(
          "10.0.0.0/8",
          "10.0.0.0/30",
          "10.0.0.2/31",
          "0.0.0.0/0",
          "192.0.2.7/32",
          "fd00::/8",
          "fd00::4/126",
          "::/0");
  private static final List<String> SELECTORS =
      List.of(
          "all()",
          "a == 'x'",
          "a in {'x', 'y'}",
          "a == 'x' && b == 'y'",
          "a == 'x' || b == 'x'",
          "a == 'x' || !has(b)",
          "has(c)",
          "!has(c)",
          "a != 'x'",
          "b not in {'x', 'z'}",
          "c starts with 'x'",
          "has(a) && !(b == 'y')",
          "projectcalico.org/namespace == 'shop'",
          "has(projectcalico.org/namespace) && a contains 'x'",
          "!all()",
          "global()");
  private static final List<String> NAMESPACE_SELECTORS =
      List.of(
          "all()",
          "global()",
          "team == 'one'",
          "has(team)",
          "!has(team)",
          "projectcalico.org/name == 'shop'",
          "kubernetes.io/metadata.name in {'lab', 'shop'}");
  private static final List<Protocol> PROTOCOLS =
      List.of(
          Protocol.TCP,
          Protocol.UDP,
          Protocol.SCTP,
          Protocol.UDPLITE,
          Protocol.ICMP,
          Protocol.ICMPV6,
          Protocol.of(47));
  private static final List<String> PORTS = List.of("80", "1:100", "443", "http", "dns", "admin");
  private static final List<String> TIERS = List.of("default", "first", "second");

  private final Random random;
  private final Map<String, Resource> resources = new LinkedHashMap<>();
  private final Map<String, Unreadable> unreadable = new LinkedHashMap<>();

  /** Something that is stored and cannot be read. */
  record Unreadable(Kind kind, String id, SubjectSelector closes) {}

  RandomFleet(Random random) {
    this.random = random;
    for (int i = random.nextInt(50); i > 0; i--) {
      mutate();
    }
  }

  List<Resource> resources() {
    return List.copyOf(resources.values());
  }

  List<Unreadable> unreadable() {
    return List.copyOf(unreadable.values());
  }

  /** Everything by kind and id: {@link Resource}, {@link Unreadable}. */
  Map<String, Object> byKey() {
    Map<String, Object> all = new LinkedHashMap<>(resources);
    all.putAll(unreadable);
    return all;
  }

  /** Puts or removes one resource. */
  void mutate() {
    Resource any = any();
    String key = any.kind() + " " + any.id();
    resources.remove(key);
    unreadable.remove(key);
    if (random.nextInt(30) == 0) {
      unreadable.put(key, new Unreadable(any.kind(), any.id(), closes(any)));
    } else if (random.nextInt(4) > 0) {
      resources.put(key, any);
    }
  }

  private static SubjectSelector closes(Resource resource) {
    return resource instanceof Policy policy
        ? SubjectSelector.governedBy(policy)
        : SubjectSelector.ALL;
  }

  private Resource any() {
    return switch (random.nextInt(12)) {
      case 0, 1, 2 -> workload();
      case 3 -> host();
      case 4 -> profile();
      case 5 -> new NetworkSet(namespaced(), nets());
      case 6 -> new GlobalNetworkSet(global(), nets());
      case 7 -> tier();
      case 8, 9 -> valid(() -> new NetworkPolicy(namespaced(), policy(false)));
      default -> valid(() -> new GlobalNetworkPolicy(global(), policy(true)));
    };
  }

  private WorkloadEndpoint workload() {
    String id = "c" + random.nextInt(6);
    return new WorkloadEndpoint(
        new Metadata(
            "n." + id + ".eth0",
            random.nextInt(4) == 0 ? Optional.empty() : Optional.of(pick(NAMESPACES)),
            labels(),
            Map.of(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty()),
        new WorkloadEndpoint.Spec(
            pick(NODES),
            id,
            "eth0",
            "wl" + id,
            MacAddress.parse("02:00:00:00:00:01"),
            some(3, () -> address().toCidr()),
            "net",
            "g" + random.nextInt(2),
            profileNames(),
            ports(),
            random.nextInt(2) == 0 ? Map.of() : Map.of("team", pick(List.of("one", "two")))));
  }

  private HostEndpoint host() {
    return new HostEndpoint(
        global(),
        new HostEndpoint.Spec(
            pick(NODES),
            Optional.of(pick(List.of("*", "eth0"))),
            some(2, this::address),
            profileNames(),
            ports()));
  }

  private Profile profile() {
    return new Profile(
        Metadata.of("p" + random.nextInt(3)),
        new Profile.Spec(some(2, () -> rule(false)), some(2, () -> rule(false)), labels()));
  }

  private Tier tier() {
    return new Tier(
        Metadata.of(pick(TIERS)),
        new Tier.Spec(order(), pick(List.of(Tier.DefaultAction.values()))));
  }

  private PolicySpec policy(boolean global) {
    return new PolicySpec(
        pick(TIERS),
        order(),
        pick(SELECTORS),
        global && random.nextInt(3) == 0
            ? Optional.of(pick(NAMESPACE_SELECTORS))
            : Optional.empty(),
        EnumSet.allOf(Direction.class).stream()
            .filter(_ -> random.nextInt(3) > 0)
            .collect(Collectors.toSet()),
        some(3, () -> rule(true)),
        some(3, () -> rule(true)),
        Optional.empty());
  }

  private PolicyRule rule(boolean pass) {
    return valid(
        () -> {
          Optional<Protocol> protocol = maybe(() -> pick(PROTOCOLS));
          return new PolicyRule(
              pick(
                  pass ? List.of(Action.values()) : List.of(Action.Allow, Action.Deny, Action.Log)),
              rarely(() -> pick(List.of(4, 6))),
              protocol,
              rarely(() -> pick(PROTOCOLS)),
              rarely(this::icmp),
              rarely(this::icmp),
              maybe(() -> entity(protocol)),
              maybe(() -> entity(protocol)),
              Optional.empty());
        });
  }

  private Entity entity(Optional<Protocol> protocol) {
    boolean hasPorts = protocol.map(Protocol::hasPorts).orElse(false);
    return new Entity(
        random.nextInt(3) == 0 ? some(2, this::net) : List.of(),
        random.nextInt(3) == 0 ? some(2, this::net) : List.of(),
        maybe(() -> pick(SELECTORS)),
        rarely(() -> pick(SELECTORS)),
        rarely(() -> pick(NAMESPACE_SELECTORS)),
        hasPorts ? some(2, () -> Port.parse(pick(PORTS))) : List.of(),
        hasPorts && random.nextInt(2) == 0 ? some(2, () -> Port.parse(pick(PORTS))) : List.of());
  }

  private Icmp icmp() {
    return new Icmp(Optional.of(pick(List.of(8, 128))), rarely(() -> 0));
  }

  private NetworkSet.Spec nets() {
    return new NetworkSet.Spec(some(3, this::net));
  }

  private Cidr net() {
    return Cidr.parse(pick(NETS));
  }

  /** One of few addresses of either family. */
  IpAddress address() {
    int host = 1 + random.nextInt(6);
    return IpAddress.parse(random.nextBoolean() ? "10.0.0." + host : "fd00::" + host);
  }

  private List<EndpointPort> ports() {
    return some(
        2,
        () ->
            new EndpointPort(
                new PortName(pick(List.of("http", "dns", "admin"))),
                pick(List.of(Protocol.TCP, Protocol.UDP, Protocol.SCTP)),
                pick(List.of(80, 443))));
  }

  private List<String> profileNames() {
    return random.nextBoolean() ? List.of() : some(3, () -> "p" + random.nextInt(3));
  }

  private Metadata namespaced() {
    return global().withNamespace(pick(NAMESPACES));
  }

  private Metadata global() {
    return Metadata.of("o" + random.nextInt(4), labels());
  }

  private Map<String, String> labels() {
    Map<String, String> labels = new LinkedHashMap<>();
    for (String key : List.of("a", "b", "c")) {
      if (random.nextBoolean()) {
        labels.put(key, pick(List.of("x", "y", "z")));
      }
    }
    return labels;
  }

  private Optional<Double> order() {
    return maybe(() -> pick(List.of(-1.0, -0.0, 0.0, 10.0)));
  }

  private <T> Optional<T> maybe(Supplier<T> value) {
    return random.nextBoolean() ? Optional.of(value.get()) : Optional.empty();
  }

  private <T> Optional<T> rarely(Supplier<T> value) {
    return random.nextInt(5) == 0 ? Optional.of(value.get()) : Optional.empty();
  }

  private <T> List<T> some(int most, Supplier<T> value) {
    List<T> some = new ArrayList<>();
    for (int i = random.nextInt(most + 1); i > 0; i--) {
      some.add(value.get());
    }
    return some;
  }

  private <T> T pick(List<T> values) {
    return values.get(random.nextInt(values.size()));
  }

  /** Tries until the model accepts what it got. */
  private static <T> T valid(Supplier<T> attempt) {
    while (true) {
      try {
        return attempt.get();
      } catch (InvalidInputException e) {
        // Another combination of fields, then.
      }
    }
  }
}
