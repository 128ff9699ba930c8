package io.wayleave.test.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.ResourceCodec;
import io.wayleave.model.policy.Explanation;
import io.wayleave.model.policy.Picture;
import io.wayleave.policy.dataplane.IptablesBackend;
import io.wayleave.test.lab.Command;
import io.wayleave.test.lab.NetNs;
import io.wayleave.test.policy.NaiveEvaluator.Judgement;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
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
    try (FleetLab lab = lab();
        EngineFleet engines = new EngineFleet(layout, lab, backend)) {
      EngineJudge calculation = new EngineJudge(layout);
      for (int i = 0; i < count; i++) {
        RandomFleet random = new RandomFleet(seed + i, layout);
        fields.add(RandomFleet.rules(random.picture()));
        engines.tell(random.picture());
        List<Dispute> disputes = packets(lab, random, flowsPerFleet, Optional.of(calculation));
        if (!disputes.isEmpty()) {
          throw new AssertionError(
              "%s seed %d: %d of %d packets are disputed, such as%n%s"
                  .formatted(
                      backend,
                      seed + i,
                      disputes.size(),
                      flowsPerFleet,
                      describe(minimise(lab, engines, disputes.getFirst()))));
        }
      }
    }
    millis = (System.nanoTime() - start) / 1_000_000;
  }

  /** Over some fleets, with the fault if there is one. */
  List<Dispute> disputes(int count, int flowsPerFleet) throws IOException {
    List<Dispute> disputes = new ArrayList<>();
    try (FleetLab lab = lab();
        EngineFleet engines = new EngineFleet(layout, lab, backend)) {
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
        disputes.addAll(packets(lab, random, flowsPerFleet, Optional.empty()));
      }
    }
    return disputes;
  }

  private FleetLab lab() throws IOException {
    return new FleetLab(
        layout, "wlpp" + ProcessHandle.current().pid() + "n" + COUNTER.incrementAndGet());
  }

  private List<Dispute> packets(
      FleetLab lab, RandomFleet random, int count, Optional<EngineJudge> calculation)
      throws IOException {
    Picture fleet = random.picture();
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
      kinds.add(flow, judgement.allowed());
      if (judgement.allowed()) {
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
              boolean allowed = new NaiveEvaluator(fleet).judge(flow).allowed();
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
            Fleets.resources(dispute.fleet()).stream()
                .map(ResourceCodec::toYaml)
                .collect(Collectors.joining("---\n")));
  }

  private void unhook(FleetLab lab) {
    for (FleetLayout.Host host : layout.hosts()) {
      for (String program : List.of("iptables-nft", "ip6tables-nft")) {
        for (String chain : List.of("INPUT", "FORWARD", "OUTPUT")) {
          Command.of(program, "-F", chain).at(NetNs.named(lab.host(host.node()))).check();
        }
      }
    }
  }

  @Override
  public String toString() {
    return "policy packets: backend=%s seed=%d flows=%d denied=%d ms=%d flows (allowed+denied)=%s rules by field=%s"
        .formatted(backend, seed, flows, denied, millis, kinds, fields.counts());
  }
}
