package io.wayleave.policy;

import static io.wayleave.policy.Fixtures.policy;
import static io.wayleave.policy.PacketLab.HOST_V4;
import static io.wayleave.policy.PacketLab.OUTSIDE_V4;
import static io.wayleave.policy.PacketLab.OUTSIDE_V6;
import static io.wayleave.policy.PacketLab.v4;
import static io.wayleave.policy.PacketLab.v6;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.policy.HostSettings;
import io.wayleave.policy.dataplane.HostRules;
import io.wayleave.policy.dataplane.IptablesBackend;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Flows over which bytes go both ways all the time while policies change, on a real kernel: from
 * the moment that the engine says that it is done, no byte of a forbidden flow arrives.
 */
@Tag("real")
@ParameterizedClass
@EnumSource(IptablesBackend.class)
final class RemoveEstablishedRealTest {
  /** Sent before the change is in force, and after. */
  private static final int BEFORE = 'b';

  private static final int AFTER = 'A';
  private static final int AGAIN = 'R';

  /** Long enough for several retransmissions. */
  private static final long SILENCE_NANOS = 1_500_000_000L;

  private static final String FRIENDS_ONLY =
      """
      selector: role == 'server'
      ingress: [{action: Allow, source: {selector: friend == 'yes'}}]
      """;

  private final IptablesBackend backend;
  private final PacketLab lab = new PacketLab();
  private final List<OpenFlow> open = new ArrayList<>();
  private RunningEngine engine;

  RemoveEstablishedRealTest(IptablesBackend backend) {
    this.backend = backend;
  }

  @AfterEach
  void takeDown() throws IOException {
    for (OpenFlow flow : open) {
      flow.close();
    }
    if (engine != null) {
      engine.close();
    }
    lab.close();
  }

  @Test
  void aPolicyEndsWhatItForbidsAndNothingElse() throws Exception {
    threeContainers();
    List<OpenFlow> strangers = flows(lab.container(2), 1, 7000);
    List<OpenFlow> friends = flows(lab.container(3), 1, 7100);
    strangers.addAll(flows(lab.outside(), 1, 7200));

    endsDuring(strangers, friends, () -> engine.put(policy("p", FRIENDS_ONLY)));
    assertThat(marked()).hasSizeGreaterThanOrEqualTo(strangers.size());

    // Allowed again, the same flow lives, and so does a connection that has not been given up.
    engine.deletePolicy("p");
    assertThat(marked()).isEmpty();
    pass(strangers);
  }

  @Test
  void withoutItsEntryTheServerWouldTakeUpAForbiddenFlow() throws Exception {
    threeContainers();
    OpenFlow flow = keep(OpenFlow.tcp(lab.container(2), lab.container(1), v4(1), 7000));
    endsDuring(List.of(flow), List.of(), () -> engine.put(policy("p", FRIENDS_ONLY)));
    lab.in(lab.host(), "conntrack", "-D", "-p", "tcp", "--dport", "7000");
    flow.serverSends(AGAIN);
    assertThat(lab.answersSoon(() -> has(flow, AGAIN))).isTrue();
  }

  @Test
  void aLabelThatTakesAPeerOutEndsItsFlows() throws Exception {
    threeContainers();
    engine.put(policy("p", FRIENDS_ONLY));
    List<OpenFlow> one = flows(lab.container(3), 1, 7000);
    List<OpenFlow> outgoing = flows(lab.container(1), 2, 7100);
    endsDuring(
        one, outgoing, () -> engine.put(lab.endpoint(3, Map.of("role", "c", "friend", "no"))));
    engine.put(lab.endpoint(3, Map.of("role", "c", "friend", "yes")));
    pass(one);
  }

  @Test
  void egressToOthersAndToTheHost() throws Exception {
    threeContainers();
    List<OpenFlow> ended = new ArrayList<>();
    ended.add(keep(OpenFlow.tcp(lab.container(2), lab.outside(), OUTSIDE_V4, 7000)));
    ended.add(keep(OpenFlow.udp(lab.container(2), lab.outside(), OUTSIDE_V6, 7001)));
    ended.add(keep(OpenFlow.tcp(lab.container(2), lab.host(), HOST_V4, 7002)));
    ended.add(keep(OpenFlow.udp(lab.container(2), lab.host(), HOST_V4, 7003)));
    List<OpenFlow> goOn = flows(lab.host(), 2, 7100);
    goOn.addAll(flows(lab.container(3), 1, 7200));
    endsDuring(
        ended,
        goOn,
        () ->
            engine.put(
                policy(
                    "p",
                    "selector: role == 'b'\ntypes: [Ingress, Egress]\negress: [{action: Deny}]")));
    // What comes from the host was judged too, as the container's ingress is closed as well.
    assertThat(lab.tcp(lab.container(3), v4(2), 7100)).isFalse();
  }

  @Test
  void rulesSeeTranslatedDestinations() throws Exception {
    threeContainers();
    for (String port : List.of("7000", "7001")) {
      lab.in(
          lab.host(),
          PacketLab.program(backend),
          "-t",
          "nat",
          "-A",
          "PREROUTING",
          "-d",
          HOST_V4,
          "-p",
          "tcp",
          "--dport",
          "8" + port.substring(1),
          "-j",
          "DNAT",
          "--to-destination",
          v4(1) + ":" + port);
    }
    OpenFlow stays =
        keep(OpenFlow.tcp(lab.outside(), lab.container(1), HOST_V4, 8000, v4(1), 7000));
    OpenFlow ends = keep(OpenFlow.tcp(lab.outside(), lab.container(1), HOST_V4, 8001, v4(1), 7001));
    endsDuring(
        List.of(ends),
        List.of(stays),
        () ->
            engine.put(
                policy(
                    "p",
                    """
                    selector: role == 'server'
                    ingress:
                    - action: Allow
                      protocol: TCP
                      destination: {nets: [10.77.0.1/32], ports: [7000]}
                    """)));
  }

  @Test
  void aRestartedAgentEndsWhatWasForbiddenMeanwhile() throws Exception {
    threeContainers();
    engine.put(policy("p", FRIENDS_ONLY));
    engine.deletePolicy("p");
    List<OpenFlow> strangers = flows(lab.container(2), 1, 7000);
    List<OpenFlow> friends = flows(lab.container(3), 1, 7100);
    engine.close();
    endsDuring(
        strangers,
        friends,
        () -> {
          engine = RunningEngine.beforeInSync(config());
          engine.tell(policy("p", FRIENDS_ONLY));
          endpoints().forEach(engine::tell);
          engine.becomeInSync();
        });
    // It stays so while no agent runs, and until the next one knows better.
    engine.close();
    silent(strangers, AFTER);
    engine = RunningEngine.beforeInSync(config());
    silent(strangers, AFTER);
    endpoints().forEach(engine::tell);
    engine.becomeInSync();
    pass(strangers);
  }

  @Test
  void establishedFlowsGoOnIfSoConfigured() throws Exception {
    threeContainers();
    List<OpenFlow> strangers = flows(lab.container(2), 1, 7000);
    endsDuring(strangers, List.of(), () -> engine.put(policy("p", FRIENDS_ONLY)));
    engine.close();
    engine =
        RunningEngine.beforeInSync(
            config().withHost(new HostRules(HostSettings.DEFAULT, false, false)));
    engine.tell(policy("p", FRIENDS_ONLY));
    endpoints().forEach(engine::tell);
    engine.becomeInSync();
    // Marks of an agent that was configured otherwise mean nothing.
    pass(strangers);
    engine.put(policy("p", "selector: role == 'server'\ningress: [{action: Deny}]"));
    pass(strangers);
    assertThat(lab.tcp(lab.container(2), v4(1), 7000)).isFalse();
  }

  @Test
  void theNextContainerOfAnAddressInheritsNoFlows() throws Exception {
    threeContainers();
    engine.put(policy("p", "selector: role == 'closed'\ningress: [{action: Deny}]"));
    for (String pause : List.of("at once", "later")) {
      List<OpenFlow> flows = flows(lab.outside(), 1, pause.equals("later") ? 7000 : 7100);
      WorkloadEndpoint next =
          Fixtures.endpoint(
              "n1", "next", PacketLab.interfaceOf(1), Map.of("role", "closed"), v4(1), v6(1));
      RunningEngine.await(engine.engine().forget(endpoints().getFirst().id()));
      if (pause.equals("later")) {
        // The entries go by themselves: what is new to the address has none to look at.
        assertThat(lab.answersSoon(() -> entries("7000").isEmpty())).isTrue();
      }
      engine.program(next);
      // Its namespace is the one before's, so only what comes from the client can be a mistake.
      long end = System.nanoTime() + SILENCE_NANOS;
      while (System.nanoTime() - end < 0) {
        for (OpenFlow flow : flows) {
          flow.clientSends(AFTER);
          assertThat(flow.serverHas()).as("%s %s", flow, pause).doesNotContain(AFTER);
        }
      }
      RunningEngine.await(engine.engine().forget(next.id()));
      engine.program(endpoints().getFirst());
    }
  }

  @Test
  void whatCameWhileOthersBrokeOurRulesEndsSoon() throws Exception {
    threeContainers();
    engine.put(policy("p", FRIENDS_ONLY));
    // Between the breaking and its repair a flow comes that is forbidden.
    engine.close();
    lab.in(lab.host(), PacketLab.program(backend), "-I", "FORWARD", "-j", "ACCEPT");
    OpenFlow flow = keep(OpenFlow.tcp(lab.container(2), lab.container(1), v4(1), 7000));
    engine = RunningEngine.beforeInSync(config());
    engine.tell(policy("p", FRIENDS_ONLY));
    endpoints().forEach(engine::tell);
    engine.becomeInSync();
    silent(List.of(flow), AFTER);
  }

  /** What a test does while bytes go to and fro. */
  @FunctionalInterface
  private interface Change {
    void make() throws IOException;
  }

  /** What is sent after the change does not arrive, and all the others are not disturbed. */
  private void endsDuring(List<OpenFlow> ended, List<OpenFlow> others, Change change)
      throws IOException {
    AtomicInteger value = new AtomicInteger(BEFORE);
    List<OpenFlow> all = new ArrayList<>(ended);
    all.addAll(others);
    try (Sending _ = new Sending(all, value)) {
      change.make();
      value.set(AFTER);
      silent(ended, AFTER);
    }
    pass(others);
  }

  /** Sends such bytes both ways, and expects none of them to arrive. */
  private static void silent(Collection<OpenFlow> flows, int value) throws IOException {
    long end = System.nanoTime() + SILENCE_NANOS;
    while (System.nanoTime() - end < 0) {
      for (OpenFlow flow : flows) {
        flow.clientSends(value);
        flow.serverSends(value);
        assertThat(flow.serverHas()).as("%s, to the server", flow).doesNotContain(value);
        assertThat(flow.clientHas()).as("%s, to the client", flow).doesNotContain(value);
      }
    }
  }

  private static void pass(Collection<OpenFlow> flows) throws IOException {
    for (OpenFlow flow : flows) {
      assertThat(flow.passes(AGAIN)).as("%s", flow).isTrue();
    }
  }

  private static boolean has(OpenFlow flow, int value) {
    try {
      return flow.clientHas().contains(value);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Both ends of flows send all the time. */
  private static final class Sending implements AutoCloseable {
    private final CompletableFuture<Void> end = new CompletableFuture<>();
    private final CompletableFuture<Void> sending;

    Sending(List<OpenFlow> flows, AtomicInteger value) {
      sending =
          CompletableFuture.runAsync(
              () -> {
                while (!end.isDone()) {
                  for (OpenFlow flow : flows) {
                    int now = value.get();
                    try {
                      flow.clientSends(now);
                      flow.serverSends(now);
                    } catch (IOException e) {
                      throw new UncheckedIOException(e);
                    }
                  }
                  LockSupport.parkNanos(5_000_000);
                }
              },
              task -> Thread.ofPlatform().start(task));
    }

    @Override
    public void close() {
      end.complete(null);
      sending.join();
    }
  }

  private void threeContainers() {
    lab.addContainer(1, Map.of());
    lab.addContainer(2, Map.of());
    lab.addContainer(3, Map.of());
    engine = RunningEngine.inSync(config());
    endpoints().forEach(engine::program);
  }

  private List<WorkloadEndpoint> endpoints() {
    return List.of(
        lab.endpoint(1, Map.of("role", "server")),
        lab.endpoint(2, Map.of("role", "b")),
        lab.endpoint(3, Map.of("role", "c", "friend", "yes")));
  }

  /** TCP and UDP, both families. */
  private List<OpenFlow> flows(String client, int server, int port) throws IOException {
    List<OpenFlow> flows = new ArrayList<>();
    for (String address : List.of(v4(server), v6(server))) {
      flows.add(keep(OpenFlow.tcp(client, lab.container(server), address, port)));
      flows.add(keep(OpenFlow.udp(client, lab.container(server), address, port + 1)));
    }
    return flows;
  }

  private OpenFlow keep(OpenFlow flow) {
    open.add(flow);
    return flow;
  }

  private List<String> marked() {
    return lines(
        "conntrack -L -m 0x8000000/0x8000000; conntrack -L -f ipv6 -m 0x8000000/0x8000000");
  }

  private List<String> entries(String port) {
    return lines("conntrack -L; conntrack -L -f ipv6").stream()
        .filter(line -> line.contains("dport=" + port + " "))
        .toList();
  }

  private List<String> lines(String script) {
    return lab.in(lab.host(), "sh", "-c", script)
        .lines()
        .filter(line -> line.contains("src="))
        .toList();
  }

  private PolicyConfig config() {
    return lab.config().withBackend(backend);
  }
}
