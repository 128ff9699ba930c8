package io.wayleave.test.policy;

import io.wayleave.model.Cidr;
import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Kind;
import io.wayleave.model.MacAddress;
import io.wayleave.model.Metadata;
import io.wayleave.model.NetworkPolicy;
import io.wayleave.model.PolicyRule;
import io.wayleave.model.PolicyRule.Action;
import io.wayleave.model.PolicyRule.Entity;
import io.wayleave.model.PolicySpec;
import io.wayleave.model.Port;
import io.wayleave.model.Profile;
import io.wayleave.model.Protocol;
import io.wayleave.model.Resource;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.calc.PolicyCalculator;
import io.wayleave.policy.calc.SetId;
import io.wayleave.policy.calc.SetMember;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntConsumer;

/**
 * What the calculation of policy costs in a large fleet: from nothing, and by single changes. The
 * kernel is not part of it. Memory is what is used after a collection of garbage, so run it with a
 * heap that is its own: {@code java -XX:+UseSerialGC -Xmx400m}.
 *
 * <p>Each endpoint has an IPv4 and an IPv6 address, five labels of which one is its own, a
 * namespace with labels and a profile; each policy governs the endpoints of one application and has
 * four rules with four selectors.
 */
public final class CalculationBench {
  private static final int ENDPOINTS = 100_000;
  private static final int APPLICATIONS = 1_000;
  private static final int NAMESPACES = 200;
  private static final int CHUNK = 10_000;
  private static final int UPDATES = 2_000;
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final String NODE = "node-0";

  private final int localEndpoints;
  private final int policies;
  private final PolicyCalculator calculator = new PolicyCalculator(NODE);
  private final Counting told = new Counting();
  private long clock;
  private long cpu;

  /**
   * One measured fleet.
   *
   * @param activeRules rules in force on the node
   * @param members of all sets
   * @param coldMillis from nothing to told, by the clock
   * @param coldCpuMillis the same, by the time that the thread was given a processor
   * @param heapMiB used after a collection of garbage, with everything calculated
   * @param updates what a single change costs, by its name
   */
  public record Result(
      int localEndpoints,
      int policies,
      int activeRules,
      long members,
      double coldMillis,
      double coldCpuMillis,
      double heapMiB,
      List<Update> updates) {}

  /** Times of one kind of change, in milliseconds. */
  public record Update(String name, double median, double p99) {}

  private CalculationBench(int localEndpoints, int policies) {
    this.localEndpoints = localEndpoints;
    this.policies = policies;
  }

  /**
   * Measures a fleet of 100,000 endpoints.
   *
   * @param localEndpoints how many of them are on the node that calculates
   */
  public static Result measure(int localEndpoints, int policies) {
    return new CalculationBench(localEndpoints, policies).run();
  }

  /** Prints the figures of a usual node and of one on which every policy is in force. */
  public static void main(String[] arguments) {
    int policies = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 1_000;
    int[] sizes =
        arguments.length > 1 ? new int[] {Integer.parseInt(arguments[1])} : new int[] {100, 1_000};
    for (int localEndpoints : sizes) {
      Result result = measure(localEndpoints, policies);
      System.out.printf(
          "%,d endpoints, %,d here, %,d policies, %,d blocks of rules in force, %,d members:"
              + " cold %.0f ms (%.0f ms of processor), heap %.0f MiB%n",
          ENDPOINTS,
          result.localEndpoints(),
          result.policies(),
          result.activeRules(),
          result.members(),
          result.coldMillis(),
          result.coldCpuMillis(),
          result.heapMiB());
      for (Update update : result.updates()) {
        System.out.printf(
            "  %-45s median %.3f ms, 99 %% under %.3f ms%n",
            update.name(), update.median(), update.p99());
      }
    }
  }

  private Result run() {
    for (int first = 0; first < ENDPOINTS; first += CHUNK) {
      List<Resource> chunk = new ArrayList<>(CHUNK);
      for (int i = first; i < first + CHUNK; i++) {
        chunk.add(endpoint(i, application(i)));
      }
      timed(() -> chunk.forEach(calculator::put));
    }
    List<Resource> rest = new ArrayList<>();
    for (int i = 0; i < NAMESPACES; i++) {
      rest.add(profile(i));
    }
    for (int i = 0; i < policies; i++) {
      rest.add(policy(i, 80));
    }
    timed(() -> rest.forEach(calculator::put));
    timed(() -> calculator.flush(told));
    double heap = usedMiB();
    long members = told.members;
    List<Update> updates =
        List.of(
            update(
                "label of an endpoint elsewhere", i -> calculator.put(endpoint(remote(i), i + 1))),
            update(
                "endpoint here, added and removed",
                i -> {
                  if (i % 2 == 0) {
                    calculator.put(endpoint(ENDPOINTS * 10, i));
                  } else {
                    calculator.remove(Kind.WORKLOAD_ENDPOINT, id(ENDPOINTS * 10));
                  }
                }),
            update("address of an endpoint elsewhere", i -> calculator.put(moved(remote(i), i))),
            update("a policy's port", i -> calculator.put(policy(i % policies, 1000 + i))),
            update("a profile's rule", i -> calculator.put(profileWithRule(i % NAMESPACES, i))));
    return new Result(
        localEndpoints,
        policies,
        calculator.activeRules().size(),
        members,
        clock / 1e6,
        cpu / 1e6,
        heap,
        updates);
  }

  private void timed(Runnable work) {
    long cpuBegin = THREADS.getCurrentThreadCpuTime();
    long begin = System.nanoTime();
    work.run();
    clock += System.nanoTime() - begin;
    cpu += THREADS.getCurrentThreadCpuTime() - cpuBegin;
  }

  /** The second half of the changes counts; the first warms up. */
  private Update update(String name, IntConsumer change) {
    double[] millis = new double[UPDATES];
    for (int i = 0; i < UPDATES; i++) {
      long begin = System.nanoTime();
      change.accept(i);
      calculator.flush(told);
      millis[i] = (System.nanoTime() - begin) / 1e6;
    }
    double[] counted = Arrays.copyOfRange(millis, UPDATES / 2, UPDATES);
    Arrays.sort(counted);
    return new Update(name, counted[counted.length / 2], counted[counted.length * 99 / 100]);
  }

  private static double usedMiB() {
    Runtime runtime = Runtime.getRuntime();
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    return (runtime.totalMemory() - runtime.freeMemory()) / 1048576.0;
  }

  /** Local endpoints are spread over the applications. */
  private static int application(int i) {
    return i % APPLICATIONS;
  }

  private int remote(int i) {
    return localEndpoints + (i * 7919) % (ENDPOINTS - localEndpoints);
  }

  private String id(int i) {
    boolean local = i < localEndpoints || i >= ENDPOINTS;
    return (local ? NODE : "node-" + (1 + i % 999)) + "." + "%064x".formatted(i) + ".eth0";
  }

  private WorkloadEndpoint moved(int i, int step) {
    WorkloadEndpoint before = endpoint(i, application(i));
    WorkloadEndpoint.Spec spec = before.spec();
    return new WorkloadEndpoint(
        before.metadata(),
        new WorkloadEndpoint.Spec(
            spec.node(),
            spec.containerID(),
            spec.endpoint(),
            spec.interfaceName(),
            spec.mac(),
            List.of(IpAddress.ofIpv4(0x0b00_0000 + step).toCidr()),
            spec.network(),
            spec.generation(),
            spec.profiles(),
            spec.ports(),
            spec.namespaceLabels()));
  }

  private WorkloadEndpoint endpoint(int i, int app) {
    String application = "app-" + app % APPLICATIONS;
    String namespace = "namespace-" + app % NAMESPACES;
    Map<String, String> labels = new HashMap<>();
    labels.put("app", application);
    labels.put("role", "role-" + app % 7);
    labels.put("env", "production");
    labels.put("version", "v" + i % 5);
    labels.put("pod", "pod-" + i);
    String id = id(i);
    int dot = id.indexOf('.');
    List<Cidr> addresses =
        List.of(
            IpAddress.ofIpv4(0x0a00_0000 + i).toCidr(),
            IpAddress.ofIpv6(0xfd00_0000_0000_0000L, i).toCidr());
    return new WorkloadEndpoint(
        Metadata.of(id, labels).withNamespace(namespace),
        new WorkloadEndpoint.Spec(
            id.substring(0, dot),
            id.substring(dot + 1, dot + 65),
            "eth0",
            "wl%011x".formatted(i),
            MacAddress.parse("02:00:00:00:00:01"),
            addresses,
            "net",
            "generation-" + i,
            List.of("profile-" + app % NAMESPACES),
            List.of(),
            Map.of("team", "team-" + app % 20)));
  }

  private static Profile profile(int i) {
    return new Profile(
        Metadata.of("profile-" + i),
        new Profile.Spec(
            List.of(), List.of(PolicyRule.of(Action.Allow)), Map.of("cell", "cell-" + i % 10)));
  }

  private static Profile profileWithRule(int i, int step) {
    return new Profile(
        Metadata.of("profile-" + i),
        new Profile.Spec(
            List.of(rule(Action.Allow, "app == \"app-1\"", 1000 + step)),
            List.of(PolicyRule.of(Action.Allow)),
            Map.of("cell", "cell-" + i % 10)));
  }

  /** Four of five are of a namespace. */
  private static Resource policy(int i, int port) {
    PolicySpec spec =
        new PolicySpec(
            null,
            Optional.of((double) (i % 10)),
            "app == \"app-" + i % APPLICATIONS + "\"",
            Optional.empty(),
            null,
            List.of(
                rule(Action.Allow, "app == \"app-" + (i + 200) % APPLICATIONS + "\"", port),
                rule(Action.Allow, "app in {\"app-" + i + "\", \"app-" + (i + 1) + "\"}", 443),
                rule(Action.Deny, "cell == \"cell-3\" && role == \"role-" + i % 7 + "\"", 22)),
            List.of(rule(Action.Allow, "has(pod) && app == \"app-" + (i + 400) + "\"", 53)),
            Optional.empty());
    Metadata metadata = Metadata.of("policy-" + i);
    return i % 5 == 0
        ? new GlobalNetworkPolicy(metadata, spec)
        : new NetworkPolicy(
            metadata.withNamespace("namespace-" + i % APPLICATIONS % NAMESPACES), spec);
  }

  private static PolicyRule rule(Action action, String selector, int port) {
    Entity chosen =
        new Entity(
            List.of(),
            List.of(),
            Optional.of(selector),
            Optional.empty(),
            Optional.empty(),
            List.of(),
            List.of());
    Entity ports =
        new Entity(
            List.of(),
            List.of(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            List.of(Port.of(port)),
            List.of());
    return new PolicyRule(
        action,
        Optional.empty(),
        Optional.of(Protocol.TCP),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.of(chosen),
        Optional.of(ports),
        Optional.empty());
  }

  /** Counts and keeps nothing, as memory is that of the calculation. */
  private static final class Counting extends NoDataplane {
    private long members;

    @Override
    public void addMember(SetId set, SetMember member) {
      members++;
    }

    @Override
    public void removeMember(SetId set, SetMember member) {
      members--;
    }
  }
}
