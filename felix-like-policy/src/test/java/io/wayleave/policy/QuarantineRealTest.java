package io.wayleave.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Kind;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.calc.RuleBlock;
import io.wayleave.policy.dataplane.IptablesBackend;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/** What the real kernel refuses closes what is under it, and nothing else. */
@Tag("real")
@ParameterizedClass
@EnumSource(IptablesBackend.class)
final class QuarantineRealTest {
  private static final RuleBlock.Id BAD = new RuleBlock.Id(Kind.GLOBAL_NETWORK_POLICY, "bad");
  private static final String POLICIES =
      """
      kind: GlobalNetworkPolicy
      metadata: {name: bad}
      spec:
        selector: role == 'one'
        ingress:
        - {action: Deny, protocol: TCP, source: {selector: role == 'two'}, destination: {ports: [81]}}
        - {action: Allow}
      ---
      kind: GlobalNetworkPolicy
      metadata: {name: good}
      spec:
        selector: role == 'two'
        ingress:
        - {action: Allow, protocol: TCP, source: {selector: role == 'one'}}
      """;

  private final IptablesBackend backend;
  private final PacketLab lab = new PacketLab();
  private final AtomicReference<UnaryOperator<String>> tampered =
      new AtomicReference<>(UnaryOperator.identity());
  private RunningDataplane dataplane;

  QuarantineRealTest(IptablesBackend backend) {
    this.backend = backend;
  }

  @AfterEach
  void takeDown() {
    if (dataplane != null) {
      dataplane.close();
    }
    lab.close();
  }

  @Test
  void aRuleThatIsRefusedClosesItsEndpointsOnly() {
    start();
    tampered.set(text -> text.replaceAll("(-A wl-gi-bad .*) -p tcp ", "$1 -p no-such-protocol "));
    dataplane.put(POLICIES);
    assertThat(dataplane.failing().blocks()).containsOnlyKeys(BAD);
    assertThat(dataplane.failing().others()).isEmpty();
    flows(false).areAsExpected();
    // What comes later goes on as well, and what is mended opens.
    WorkloadEndpoint third = lab.addContainer(3, Map.of());
    dataplane.put(third);
    new Flows(lab).tcp(3, 3, 80, true).ping4(3, 2, false).areAsExpected();

    tampered.set(UnaryOperator.identity());
    dataplane.resync();
    assertThat(dataplane.failing().byName()).isEmpty();
    flows(true).areAsExpected();
  }

  @Test
  void aSetThatIsRefusedClosesThePoliciesThatUseIt() {
    start();
    dataplane.put(POLICIES);
    String set =
        lab.in(lab.host(), PacketLab.program(backend), "-S", "wl-gi-bad")
            .replaceAll("(?s).*--match-set (wl-4n-[0-9a-f]+) .*", "$1");
    flows(true).areAsExpected();
    dataplane.remove(Kind.GLOBAL_NETWORK_POLICY, "bad");
    lab.answersSoon(
        () -> {
          dataplane.resync();
          return !lab.in(lab.host(), "ipset", "list", "-n").contains(set);
        });

    // Somebody has a set of that name which is no set of addresses, and uses it.
    lab.in(lab.host(), "ipset", "create", set, "bitmap:port", "range", "0-100");
    lab.in(
        lab.host(),
        PacketLab.program(backend),
        "-A",
        "INPUT",
        "-p",
        "tcp",
        "-m",
        "set",
        "--match-set",
        set,
        "dst",
        "-j",
        "ACCEPT");
    dataplane.put(POLICIES);
    assertThat(dataplane.failing().blocks()).containsOnlyKeys(BAD);
    assertThat(dataplane.failing().blocks().get(BAD)).contains(set);
    // The other family has all that it needs.
    new Flows(lab)
        .tcp4(2, 1, 80, false)
        .tcp6(2, 1, 80, true)
        .tcp6(2, 1, 81, false)
        .tcp(1, 2, 80, true)
        .areAsExpected();

    lab.in(lab.host(), PacketLab.program(backend), "-F", "INPUT");
    // nf_tables lets go of the set a little later.
    assertThat(
            lab.answersSoon(
                () -> {
                  dataplane.resync();
                  return dataplane.failing().byName().isEmpty();
                }))
        .isTrue();
    flows(true).areAsExpected();
  }

  private void start() {
    dataplane = new RunningDataplane(lab.config(), backend, text -> tampered.get().apply(text));
    dataplane.put(
        lab.addContainer(1, Map.of("role", "one")), lab.addContainer(2, Map.of("role", "two")));
  }

  private Flows flows(boolean mended) {
    return new Flows(lab)
        .tcp(2, 1, 80, mended)
        .tcp(2, 1, 81, false)
        .tcp(1, 2, 80, true)
        .ping4(1, 2, false)
        .ping6(1, 2, false);
  }
}
