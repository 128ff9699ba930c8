package io.wayleave.bgp.session;

import static io.wayleave.bgp.session.VirtualSpeaker.config;
import static io.wayleave.bgp.session.VirtualSpeaker.peer;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.AddPath;
import io.wayleave.bgp.BfdSettings;
import io.wayleave.bgp.GracefulRestart;
import io.wayleave.bgp.LocalAs;
import io.wayleave.bgp.MaxPrefixes;
import io.wayleave.bgp.PeerAddress;
import io.wayleave.bgp.PeerAs;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.PeerStatus;
import io.wayleave.bgp.RoutePolicy;
import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.bgp.Timers;
import io.wayleave.bgp.bfd.Diagnostic;
import io.wayleave.bgp.fsm.Phase;
import io.wayleave.bgp.wire.AddressFamily;
import io.wayleave.bgp.wire.BgpMessage;
import io.wayleave.bgp.wire.Capability;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.RouterId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What ends a session besides the peer, and what both sides keep and say then. */
class SessionEndTest {
  private static final String A = "10.0.0.1";
  private static final String B = "10.0.0.2";
  private static final String C = "10.0.0.3";
  private static final String FROM_A = "10.1.0.0/24";
  private static final String FROM_B = "10.2.0.0/24";
  private static final Timers QUICK = Timers.DEFAULT.withHoldTime(Duration.ofSeconds(9));

  private final VirtualNetwork network = new VirtualNetwork();
  private final VirtualNetwork.Host hostA = network.host(A);
  private final VirtualNetwork.Host hostB = network.host(B);
  private final VirtualNetwork.Host hostC = network.host(C);
  private VirtualSpeaker a;
  private VirtualSpeaker b;

  @BeforeEach
  void converge() {
    a = VirtualSpeaker.start(hostA, config(A, 65001, peer(B, 65002).withTimers(QUICK)));
    a.inSync(FROM_A);
    b = VirtualSpeaker.start(hostB, config(B, 65002, peer(A, 65001).withTimers(QUICK)));
    b.inSync(FROM_B);
    until(() -> a.routes.has(FROM_B) && b.routes.has(FROM_A));
    until(() -> a.routes.isConverged() && b.routes.isConverged());
  }

  private void until(BooleanSupplier condition) {
    until(condition, Duration.ofSeconds(30));
  }

  private void until(BooleanSupplier condition, Duration most) {
    assertThat(network.runUntil(condition, most)).as("came true in %s", most).isTrue();
  }

  private static String text(Optional<PeerStatus.Event> event) {
    return event.orElseThrow().text();
  }

  /** RFC 8538: neither side loses a route over a hold timer that expired by mistake. */
  @Test
  void anExpiredHoldTimerIsGraceful() {
    network.cut(hostA, hostB);
    until(() -> !a.established(B) && !b.established(A));
    assertThat(text(a.status(B).lastError())).containsIgnoringCase("hold timer");
    assertThat(a.status(B).staleFamilies()).containsExactly(Family.IPV4);
    until(() -> a.established(B) && b.established(A), Duration.ofMinutes(2));
    until(() -> a.status(B).staleFamilies().isEmpty());
    assertThat(a.routes.changes()).doesNotContain("-" + FROM_B);
    assertThat(b.routes.changes()).doesNotContain("-" + FROM_A);
  }

  @Test
  void aResetIsGraceful() {
    a.core.clear(B, "new optics");
    until(() -> b.status(A).lastNotificationReceived().isPresent());
    assertThat(text(b.status(A).lastNotificationReceived()))
        .contains("Administrative Reset")
        .contains("new optics");
    until(() -> a.status(B).counters().established() == 2);
    until(() -> a.status(B).staleFamilies().isEmpty() && b.status(A).staleFamilies().isEmpty());
    assertThat(a.routes.changes()).doesNotContain("-" + FROM_B);
    assertThat(b.routes.changes()).doesNotContain("-" + FROM_A);
  }

  /** RFC 8538 section 4: the side that says so keeps routes as the other one does. */
  @Test
  void whoNeverComesBackAfterAResetIsForgotten() {
    a.core.clear(B, "");
    assertThat(a.status(B).staleFamilies()).containsExactly(Family.IPV4);
    hostB.kill();
    network.run(Duration.ofSeconds(119));
    assertThat(a.routes.has(FROM_B)).isTrue();
    network.run(Duration.ofSeconds(2));
    assertThat(a.routes.has(FROM_B)).isFalse();
  }

  @Test
  void aRestartForAChangeIsGracefulAndTheNewRulesJudgeWhatIsKept() {
    PeerConfig changed =
        peer(B, 65002)
            .withTimers(QUICK.withHoldTime(Duration.ofSeconds(30)))
            .withPolicy(rules -> rules.importPolicy(new Metric()));
    b.core.apply(
        config(B, 65002, peer(A, 65001).withTimers(QUICK.withHoldTime(Duration.ofSeconds(30)))));
    a.core.apply(config(A, 65001, changed));
    until(() -> a.routes.route(FROM_B).orElseThrow().priority().equals(OptionalInt.of(7)));
    until(() -> a.established(B) && b.established(A));
    until(() -> a.status(B).staleFamilies().isEmpty() && b.status(A).staleFamilies().isEmpty());
    assertThat(a.routes.route(FROM_B).orElseThrow().priority()).hasValue(7);
    assertThat(a.routes.changes()).doesNotContain("-" + FROM_B);
    assertThat(b.routes.changes()).doesNotContain("-" + FROM_A);
  }

  private record Metric() implements RoutePolicy {
    @Override
    public Verdict judge(Subject subject) {
      return new Verdict.Accept(subject.attributes(), OptionalInt.of(7));
    }
  }

  /** Its AS is what makes it this peer; another one's routes are not its. */
  @Test
  void anotherAsOfThePeerKeepsNothing() {
    a.core.apply(config(A, 65001, peer(B, 65003).withTimers(QUICK)));
    until(() -> !a.routes.has(FROM_B), Duration.ofMillis(10));
    assertThat(a.status(B).staleFamilies()).isEmpty();
  }

  @Test
  void aSessionInAnotherAsOfOurOwnIsInternalOrNotByThatAs() {
    PeerConfig inside = peer(B, 65002).with(p -> p.localAs(new LocalAs(Asn.of(65002), true)));
    a.core.apply(config(A, 65001, inside));
    b.core.apply(config(B, 65002, peer(A, 65002)));
    assertThat(a.status(B).internal()).as("as configured").isTrue();
    until(() -> a.established(B) && b.established(A), Duration.ofMinutes(2));
    assertThat(a.status(B).internal()).isTrue();
    assertThat(b.status(A).internal()).isTrue();
  }

  @Test
  void aShutdownIsAHardResetWithItsReasonInside() {
    a.core.shutdown("maintenance");
    until(() -> !b.routes.has(FROM_A));
    assertThat(text(b.status(A).lastNotificationReceived()))
        .contains("Hard Reset")
        .contains("Administrative Shutdown")
        .contains("maintenance");
    assertThat(b.status(A).staleFamilies()).isEmpty();
  }

  /** RFC 9384: the path is dead, so nobody keeps anything. */
  @Test
  void bfdEndsTheSessionAndItsRoutesAtOnce() {
    a.core.peer(B).pathDown(Diagnostic.PATH_DOWN, true);
    assertThat(a.established(B)).isFalse();
    until(() -> !a.routes.has(FROM_B) && !b.routes.has(FROM_A), Duration.ofMillis(10));
    assertThat(text(b.status(A).lastNotificationReceived())).contains("BFD Down");
    until(() -> a.established(B) && b.established(A));
    a.core.peer(B).pathDown(Diagnostic.PATH_DOWN, true);
    a.core.peer(B).pathDown(Diagnostic.PATH_DOWN, true);
    assertThat(a.status(B).counters().established()).isEqualTo(2);
  }

  private void limitTo(int limit, MaxPrefixes.Excess excess) {
    PeerConfig limited =
        peer(B, 65002)
            .withTimers(QUICK)
            .withPolicy(
                rules -> rules.maxPrefixes(Family.IPV4, new MaxPrefixes(limit, 75, excess)));
    a.core.apply(config(A, 65001, limited));
    assertThat(a.established(B)).isTrue();
  }

  @Test
  void tooManyPrefixesEndItForTheTimeConfigured() {
    limitTo(2, new MaxPrefixes.Shutdown(Optional.of(Duration.ofMinutes(10))));
    b.originate("10.2.1.0/24", "10.2.2.0/24");
    until(() -> !a.established(B) && !a.routes.has(FROM_B));
    until(() -> !b.routes.has(FROM_A), Duration.ofMillis(10));
    assertThat(text(b.status(A).lastNotificationReceived()))
        .contains("Maximum Number of Prefixes Reached")
        .contains("ipv4-unicast limit 2");
    b.withdraw("10.2.1.0/24");
    network.run(Duration.ofSeconds(595));
    assertThat(a.established(B)).isFalse();
    until(() -> a.established(B), Duration.ofMinutes(2));
  }

  @Test
  void tooManyPrefixesEndItUntilSomeoneClearsThePeerOrTheLimitIsAnother() {
    limitTo(2, new MaxPrefixes.Shutdown(Optional.empty()));
    b.originate("10.2.1.0/24", "10.2.2.0/24");
    until(() -> !a.established(B));
    network.run(Duration.ofHours(2));
    assertThat(a.status(B).state()).isEqualTo(Phase.IDLE);
    assertThat(a.status(B).whyDown().orElseThrow()).contains("Maximum Number of Prefixes");
    a.core.clear(B, "");
    until(() -> a.status(B).counters().established() == 2, Duration.ofMinutes(1));
    until(() -> !a.established(B));
    a.core.apply(config(A, 65001, peer(B, 65002).withTimers(QUICK)));
    until(() -> a.routes.has("10.2.2.0/24"), Duration.ofMinutes(1));
  }

  @Test
  void aLimitThatOnlyWarnsEndsNothing() {
    limitTo(2, new MaxPrefixes.Warn());
    b.originate("10.2.1.0/24", "10.2.2.0/24");
    until(() -> a.routes.has("10.2.2.0/24"));
    assertThat(a.status(B).counters().established()).isEqualTo(1);
  }

  /** What was tolerated yesterday is too much today. */
  @Test
  void aLimitThatBeginsToEndSessionsEndsTheOneAboveIt() {
    limitTo(2, new MaxPrefixes.Warn());
    b.originate("10.2.1.0/24", "10.2.2.0/24");
    until(() -> a.routes.has("10.2.2.0/24"));
    PeerConfig ended =
        peer(B, 65002)
            .withTimers(QUICK)
            .withPolicy(
                rules ->
                    rules.maxPrefixes(
                        Family.IPV4,
                        new MaxPrefixes(2, 75, new MaxPrefixes.Shutdown(Optional.empty()))));
    a.core.apply(config(A, 65001, ended));
    assertThat(a.established(B)).isFalse();
    until(() -> !a.routes.has(FROM_B));
  }

  /** All in one UPDATE, so that the count is above the limit again at once. */
  @Test
  void aLimitEndsEachSessionThatExceedsIt() {
    limitTo(2, new MaxPrefixes.Shutdown(Optional.of(Duration.ofMinutes(1))));
    b.originate("10.2.1.0/24", "10.2.2.0/24", "10.2.3.0/24");
    until(() -> a.status(B).counters().established() == 3, Duration.ofMinutes(10));
    until(() -> !a.established(B));
  }

  /** A peer that keeps its session alive whether it reads or not. */
  private ScriptedPeer scripted() {
    ScriptedPeer peer =
        ScriptedPeer.listen(
            hostC,
            BgpMessage.Open.of(
                Asn.of(65003),
                90,
                RouterId.parse(C),
                List.of(new Capability.MultiProtocol(AddressFamily.IPV4_UNICAST))));
    a.core.apply(config(A, 65001, peer(C, 65003)));
    until(() -> a.established(C));
    network.run(Duration.ofSeconds(1));
    return peer;
  }

  private void run(int seconds, ScriptedPeer peer) {
    for (int left = seconds; left > 0; left -= 20) {
      peer.send(BgpMessage.Keepalive.INSTANCE);
      network.run(Duration.ofSeconds(Math.min(left, 20)));
    }
  }

  /** RFC 9687. */
  @Test
  void aPeerThatTakesNothingLosesItsSession() {
    ScriptedPeer peer = scripted();
    hostC.stall(true);
    List<String> many = new ArrayList<>();
    for (int i = 0; i < 30_000; i++) {
      many.add("10." + (100 + i / 65_536) + "." + (i / 256 % 256) + "." + i % 256 + "/32");
    }
    a.originate(many.toArray(String[]::new));
    run(479, peer);
    assertThat(a.established(C)).isTrue();
    until(() -> !a.established(C), Duration.ofSeconds(2));
    assertThat(text(a.status(C).lastNotificationSent())).contains("Send Hold Timer Expired");
  }

  @Test
  void aPeerThatTakesALittleKeepsItsSession() {
    ScriptedPeer peer = scripted();
    for (int i = 0; i < 10; i++) {
      hostC.stall(true);
      a.originate("10.3." + i + ".0/24");
      run(420, peer);
      hostC.stall(false);
      network.run(Duration.ofSeconds(1));
    }
    assertThat(a.status(C).counters().established()).isEqualTo(1);
    assertThat(peer.heard.stream().filter(BgpMessage.Update.class::isInstance))
        .hasSizeGreaterThan(9);
  }

  /** The table of what a change of configuration means for a running session. */
  @Test
  void onlyWhatIsInOpenOrInTheConnectionRestartsTheSession() {
    PeerConfig now = peer(B, 65002).withTimers(QUICK);
    List<PeerConfig> keep =
        List.of(
            now.withPort(1179),
            now.withPassive(true),
            now.withTransit(true),
            now.withPolicy(rules -> rules.allowOwnAs(2)),
            now.withPolicy(rules -> rules.gracefulShutdown(true)),
            now.withPolicy(
                rules ->
                    rules.maxPrefixes(Family.IPV4, new MaxPrefixes(9, 75, new MaxPrefixes.Warn()))),
            now.with(p -> p.bfd(Optional.of(BfdSettings.DEFAULT))),
            now.withTimers(QUICK.withConnectRetry(Duration.ofSeconds(5))),
            now.withTimers(QUICK.withIdleHold(Duration.ofSeconds(2), Duration.ofSeconds(9))),
            now.withTimers(QUICK.withSendHold(Duration.ofSeconds(60))));
    List<PeerConfig> restart =
        List.of(
            now.with(p -> p.remoteAs(new PeerAs.External())),
            now.with(p -> p.localAs(new LocalAs(Asn.of(65077), true))),
            now.withSourceAddress(hostA.address()),
            now.withFamilies(Family.IPV4, Family.IPV6),
            now.withGracefulRestart(false),
            now.withRestartTime(Duration.ofSeconds(30)),
            now.with(p -> p.extendedMessages(false)),
            now.with(p -> p.ipv4OverIpv6(true)),
            now.with(p -> p.addPath(new AddPath(true, 1))),
            now.withTimers(QUICK.withHoldTime(Duration.ofSeconds(30))));
    for (PeerConfig changed : keep) {
      assertThat(now.sameSession(changed)).as("%s", changed).isTrue();
      a.core.apply(config(A, 65001, changed));
      assertThat(a.established(B)).as("%s", changed).isTrue();
      a.core.apply(config(A, 65001, now));
      assertThat(a.established(B)).as("%s", changed).isTrue();
    }
    for (PeerConfig changed : restart) {
      assertThat(now.sameSession(changed)).as("%s", changed).isFalse();
    }
    a.core.apply(config(A, 65001, restart.getLast()));
    assertThat(a.established(B)).isFalse();
    until(() -> a.established(B));
    assertThat(text(b.status(A).lastNotificationReceived())).contains("Other Configuration Change");
  }

  /** The same of what is the speaker's own: what a peer is not told in OPEN, it is not told. */
  @Test
  void whatIsNotInThePeersOpenRestartsNoSession() {
    PeerConfig now = peer(B, 65002).withTimers(QUICK);
    PeerConfig ownTime = now.withRestartTime(Duration.ofSeconds(30));
    PeerConfig without = now.withGracefulRestart(false);
    GracefulRestart settings = GracefulRestart.DEFAULT;
    Duration other = Duration.ofSeconds(77);
    record Change(PeerConfig peer, GracefulRestart settings, boolean restarts) {}
    List<Change> changes =
        List.of(
            new Change(now, settings.withStaleTime(other), false),
            new Change(now, settings.withReconnectWait(other), false),
            new Change(now, settings.withSelectionDeferral(other), false),
            new Change(ownTime, settings.withRestartTime(other), false),
            new Change(without, settings.withRestartTime(other), false),
            new Change(without, GracefulRestart.OFF, false),
            new Change(ownTime, settings.withNotification(false), true),
            new Change(now, settings.withRestartTime(other), true),
            new Change(now, GracefulRestart.OFF, true));
    for (Change change : changes) {
      SpeakerConfig before = config(A, 65001, change.peer());
      a.core.apply(before);
      until(() -> a.established(B), Duration.ofMinutes(2));
      a.core.apply(before.withGracefulRestart(change.settings()));
      assertThat(a.established(B)).as("%s", change).isEqualTo(!change.restarts());
    }
  }

  /** RFC 8538 section 5.1: the peer that was configured before is not to keep our routes. */
  @Test
  void anotherAsAtTheSameAddressIsAHardReset() {
    a.core.apply(config(A, 65001, peer(B, 65009).withTimers(QUICK)));
    until(() -> !b.routes.has(FROM_A));
    assertThat(text(b.status(A).lastNotificationReceived()))
        .contains("Hard Reset")
        .contains("Peer De-configured");
    assertThat(a.routes.has(FROM_B)).isFalse();
  }

  /** Else it would wait for a session that never has to come. */
  @Test
  void aPeerOfARangeWhoseKeptRoutesAreTooManyGoesWithThem() {
    PeerConfig range =
        PeerConfig.of(
                "all", new PeerAddress.Range(Cidr.parse("10.0.0.0/24"), 9), new PeerAs.External())
            .withTimers(QUICK);
    a.core.apply(config(A, 65001, range));
    b.originate("10.2.1.0/24");
    until(() -> a.routes.has("10.2.1.0/24") && a.routes.has(FROM_B));
    hostB.kill();
    network.run(Duration.ofSeconds(2));
    assertThat(a.status("all-" + B).staleFamilies()).containsExactly(Family.IPV4);
    a.core.apply(
        config(
            A,
            65001,
            range.withPolicy(
                rules ->
                    rules.maxPrefixes(
                        Family.IPV4,
                        new MaxPrefixes(1, 75, new MaxPrefixes.Shutdown(Optional.empty()))))));
    network.run(Duration.ofSeconds(2));
    assertThat(a.core.peers()).isEmpty();
    assertThat(a.routes.has(FROM_B)).isFalse();
  }
}
