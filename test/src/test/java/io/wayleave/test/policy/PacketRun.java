package io.wayleave.test.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.ResourceCodec;
import io.wayleave.model.policy.Explanation;
import io.wayleave.model.policy.HostSettings;
import io.wayleave.model.policy.Picture;
import io.wayleave.model.policy.WorkloadToHost;
import io.wayleave.policy.dataplane.IptablesBackend;
import io.wayleave.test.lab.Command;
import io.wayleave.test.lab.NetNs;
import io.wayleave.test.policy.NaiveEvaluator.Judgement;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Random fleets one after the other on the engines of a lab, and their flows as packets. NOT thread
 * safe.
 */
final class PacketRun {
  private static final AtomicInteger COUNTER = new AtomicInteger();

  /** How long a dispute is made smaller: each step programs kernels. */
  private static final Duration TIME_TO_MINIMISE = Duration.ofSeconds(60);

  private static final int MOST_DRAWS_PER_FLOW = 20;

  /** So often in a run the agents get another configuration of their hosts. */
  private static final int CONFIGURATIONS = 3;

  private final FleetLayout layout = FleetLayout.twoHosts();
  private final IptablesBackend backend;
  private final long seed;
  private final Optional<Fault> fault;
  private final RuleFields fields = new RuleFields();
  private final FlowKinds kinds = new FlowKinds(layout);
  private int flows;
  private int denied;
  private long millis;

  /** What is broken on purpose. */
  enum Fault {
    /** The chains are there, but nothing leads to them. */
    NO_FILTER,
    /** The kernels keep the policies of the fleet before. */
    OLD_POLICIES
  }

  /** A flow whose packet did not meet what was said of it. */
  record Dispute(Picture fleet, Flow flow, boolean arrived) {}

  PacketRun(IptablesBackend backend, long seed) {
    this(backend, seed, Optional.empty());
  }

  private PacketRun(IptablesBackend backend, long seed, Optional<Fault> fault) {
    this.backend = backend;
    this.seed = seed;
    this.fault = fault;
  }

  PacketRun withFault(Fault wanted) {
    return new PacketRun(backend, seed, Optional.of(wanted));
  }

  int flows() {
    return flows;
  }

  int denied() {
    return denied;
  }

  RuleFields fields() {
    return fields;
  }

  FlowKinds kinds() {
    return kinds;
  }

  /** Fails with the first dispute, made small. */
  void fleets(int count, int flowsPerFleet) throws IOException {
    long start = System.nanoTime();
    try (FleetLab lab = lab()) {
      EngineJudge calculation = new EngineJudge(layout);
      int next = 0;
      for (int i = 0; i < CONFIGURATIONS; i++) {
        int end = count * (i + 1) / CONFIGURATIONS;
        Map<String, HostSettings> settings = settings(i);
        // The engines adopt what those before them left.
        try (EngineFleet engines = new EngineFleet(layout, lab, backend, settings)) {
          for (; next < end; next++) {
            fleet(lab, engines, settings, calculation, seed + next, flowsPerFleet);
          }
        }
      }
    }
    millis = (System.nanoTime() - start) / 1_000_000;
  }

  private void fleet(
      FleetLab lab,
      EngineFleet engines,
      Map<String, HostSettings> settings,
      EngineJudge calculation,
      long fleetSeed,
      int count)
      throws IOException {
    RandomFleet random = new RandomFleet(fleetSeed, layout);
    fields.add(RandomFleet.rules(random.picture()));
    engines.tell(random.picture());
    List<Dispute> disputes = packets(lab, random, settings, count, Optional.of(calculation));
    if (!disputes.isEmpty()) {
      throw new AssertionError(
          "%s seed %d, of a run from seed %d: %d of %d packets are disputed, such as%n%s"
              .formatted(
                  backend,
                  fleetSeed,
                  seed,
                  disputes.size(),
                  count,
                  describe(minimise(lab, engines, disputes.getFirst()))));
    }
  }

  /** Each action on each host in turn, ports by chance, and once what nobody has configured. */
  private Map<String, HostSettings> settings(int configuration) {
    Random random = new Random(seed + configuration);
    Map<String, HostSettings> settings = new TreeMap<>();
    WorkloadToHost[] actions = WorkloadToHost.values();
    for (int i = 0; i < layout.hosts().size(); i++) {
      settings.put(
          layout.hosts().get(i).node(),
          configuration + i == 0
              ? HostSettings.DEFAULT
              : RandomFleet.hostSettings(random, actions[(configuration + i) % actions.length]));
    }
    return settings;
  }

  /** Over some fleets, with the fault if there is one. */
  List<Dispute> disputes(int count, int flowsPerFleet) throws IOException {
    List<Dispute> disputes = new ArrayList<>();
    Map<String, HostSettings> settings = settings(0);
    try (FleetLab lab = lab();
        EngineFleet engines = new EngineFleet(layout, lab, backend, settings)) {
      for (int i = 0; i < count; i++) {
        RandomFleet random = new RandomFleet(seed + i, layout);
        if (i == 0 || !fault.equals(Optional.of(Fault.OLD_POLICIES))) {
          engines.tell(random.picture());
        }
        if (fault.equals(Optional.of(Fault.NO_FILTER))) {
          // No engine must be there to repair it.
          engines.stop();
          unhook(lab);
        }
        disputes.addAll(packets(lab, random, settings, flowsPerFleet, Optional.empty()));
      }
    }
    return disputes;
  }

  private FleetLab lab() throws IOException {
    FleetLab lab =
        new FleetLab(
            layout, "wlpp" + ProcessHandle.current().pid() + "n" + COUNTER.incrementAndGet());
    try {
      // What the hosts' administrators want, apart from us.
      String protocol = Integer.toString(FleetLayout.DROPPED_BY_HOSTS);
      iptables(lab, "-A", "INPUT", "-i", "wl+", "-p", protocol, "-j", "DROP");
      return lab;
    } catch (RuntimeException e) {
      lab.close();
      throw e;
    }
  }

  /** On each host, for both families. */
  private void iptables(FleetLab lab, String... arguments) {
    String name = backend == IptablesBackend.NFT ? "tables-nft" : "tables-legacy";
    for (FleetLayout.Host host : layout.hosts()) {
      for (String family : List.of("ip", "ip6")) {
        List<String> argv = new ArrayList<>(List.of(family + name));
        argv.addAll(List.of(arguments));
        Command.of(argv).at(NetNs.named(lab.host(host.node()))).check();
      }
    }
  }

  private List<Dispute> packets(
      FleetLab lab,
      RandomFleet random,
      Map<String, HostSettings> settings,
      int count,
      Optional<EngineJudge> calculation)
      throws IOException {
    Picture fleet = random.picture().withHosts(settings);
    NaiveEvaluator naive = new NaiveEvaluator(fleet);
    Optional<Function<Flow, Judgement>> engine = calculation.map(judge -> judge.tell(fleet));
    FlowTable table = new FlowTable();
    Set<Flow> drawn = new LinkedHashSet<>();
    Set<Flow> allowed = new LinkedHashSet<>();
    for (int i = 0; drawn.size() < count && i < count * MOST_DRAWS_PER_FLOW; i++) {
      Flow flow = random.nextFlow();
      if (!table.add(flow)) {
        continue;
      }
      drawn.add(flow);
      Judgement judgement = naive.judge(flow);
      assertThat(ExplainJudge.judge(fleet, flow)).as("explanation of " + flow).isEqualTo(judgement);
      engine.ifPresent(
          judge ->
              assertThat(judge.apply(flow)).as("calculation for " + flow).isEqualTo(judgement));
      kinds.add(settings, flow, naive.arrives(flow));
      if (naive.arrives(flow)) {
        allowed.add(flow);
      }
    }
    flows += drawn.size();
    denied += drawn.size() - allowed.size();
    lab.forgetFlows();
    Set<Flow> arrived = lab.send(List.copyOf(drawn), allowed);
    return drawn.stream()
        .filter(flow -> allowed.contains(flow) != arrived.contains(flow))
        .map(flow -> new Dispute(fleet, flow, arrived.contains(flow)))
        .toList();
  }

  private static Dispute minimise(FleetLab lab, EngineFleet engines, Dispute dispute) {
    long end = System.nanoTime() + TIME_TO_MINIMISE.toNanos();
    Flow flow = dispute.flow();
    Picture small =
        Minimiser.minimise(
            dispute.fleet(),
            flow,
            fleet -> {
              boolean allowed = new NaiveEvaluator(fleet).arrives(flow);
              return allowed != dispute.arrived()
                  && System.nanoTime() - end < 0
                  && arrives(lab, engines, fleet, flow) != allowed;
            });
    return new Dispute(small, flow, dispute.arrived());
  }

  private static boolean arrives(FleetLab lab, EngineFleet engines, Picture fleet, Flow flow) {
    engines.tell(fleet);
    lab.forgetFlows();
    try {
      return lab.arrivesSoon(flow);
    } catch (IOException e) {
      throw new AssertionError("cannot send " + flow, e);
    }
  }

  private static String describe(Dispute dispute) {
    Explanation explanation =
        Explanation.explain(dispute.fleet(), ExplainJudge.question(dispute.flow()));
    return "%s%n%s%negress %s%ningress %s%n%s"
        .formatted(
            dispute.arrived() ? "arrived, and should not:" : "did not arrive, and should:",
            dispute.flow(),
            explanation.egress(),
            explanation.ingress(),
            dispute.fleet().hosts()
                + "\n"
                + Fleets.resources(dispute.fleet()).stream()
                    .map(ResourceCodec::toYaml)
                    .collect(Collectors.joining("---\n")));
  }

  private void unhook(FleetLab lab) {
    for (String chain : List.of("INPUT", "FORWARD", "OUTPUT")) {
      iptables(lab, "-F", chain);
    }
  }

  @Override
  public String toString() {
    return "policy packets: backend=%s seed=%d flows=%d denied=%d ms=%d flows (allowed+denied)=%s rules by field=%s"
        .formatted(backend, seed, flows, denied, millis, kinds, fields.counts());
  }
}
