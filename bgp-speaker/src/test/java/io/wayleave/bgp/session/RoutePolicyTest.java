package io.wayleave.bgp.session;

import static io.wayleave.bgp.session.VirtualSpeaker.config;
import static io.wayleave.bgp.session.VirtualSpeaker.peer;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.AddPath;
import io.wayleave.bgp.MaxPrefixes;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.PeerPolicy;
import io.wayleave.bgp.RoutePolicy;
import io.wayleave.bgp.RouteStatus;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What the rules of peers do to routes, in speakers that peer in virtual time. */
class RoutePolicyTest {
  private static final String A = "10.0.0.1";
  private static final String B = "10.0.0.2";
  private static final String C = "10.0.0.3";
  private static final String D = "10.0.0.4";

  private final VirtualNetwork network = new VirtualNetwork();
  private final VirtualNetwork.Host hostA = network.host(A);
  private final VirtualNetwork.Host hostB = network.host(B);
  private final VirtualNetwork.Host hostC = network.host(C);
  private final VirtualNetwork.Host hostD = network.host(D);

  private void until(BooleanSupplier condition) {
    assertThat(network.runUntil(condition, Duration.ofSeconds(30))).as("came true").isTrue();
  }

  /** Takes what lies in one network. */
  private record Within(Cidr network) implements RoutePolicy {
    @Override
    public Verdict judge(Subject subject) {
      return network.contains(subject.prefix())
          ? new Verdict.Accept(subject.attributes(), OptionalInt.of(7))
          : new Verdict.Reject("test, rule 1");
    }
  }

  private static PeerConfig peerWith(String address, int as, Consumer<PeerPolicy.Builder> policy) {
    return peer(address, as).withPolicy(policy);
  }

  @Test
  void anotherImportPolicyJudgesAgainWithoutAnythingSent() {
    PeerConfig plain = peer(B, 65002);
    VirtualSpeaker a = VirtualSpeaker.start(hostA, config(A, 65001, plain)).inSync();
    VirtualSpeaker.start(hostB, config(B, 65002, peer(A, 65001)))
        .inSync("10.2.0.0/24", "10.3.0.0/24");
    until(() -> a.routes.has("10.2.0.0/24") && a.routes.has("10.3.0.0/24"));
    network.run(Duration.ofSeconds(1));
    long received = a.status(B).counters().messagesReceived();

    RoutePolicy policy = new Within(Cidr.parse("10.2.0.0/16"));
    a.core.apply(config(A, 65001, plain.withPolicy(rules -> rules.importPolicy(policy))));
    until(() -> !a.routes.has("10.3.0.0/24"));
    assertThat(a.routes.route("10.2.0.0/24").orElseThrow().priority()).hasValue(7);
    assertThat(verdict(a, "10.3.0.0/24")).isEqualTo("rejected by test, rule 1");
    assertThat(a.status(B).prefixes().get(Family.IPV4).accepted()).isEqualTo(1);
    a.core.apply(config(A, 65001, plain));
    until(() -> a.routes.has("10.3.0.0/24"));
    assertThat(a.routes.route("10.2.0.0/24").orElseThrow().priority()).isEmpty();
    assertThat(a.status(B).counters().established()).isEqualTo(1);
    assertThat(a.status(B).counters().messagesReceived()).isEqualTo(received);
  }

  @Test
  void anotherExportPolicySendsWhatDiffers() {
    PeerConfig plain = peer(B, 65002);
    VirtualSpeaker a =
        VirtualSpeaker.start(hostA, config(A, 65001, plain)).inSync("10.2.0.0/24", "10.3.0.0/24");
    VirtualSpeaker b = VirtualSpeaker.start(hostB, config(B, 65002, peer(A, 65001))).inSync();
    until(() -> b.routes.has("10.2.0.0/24") && b.routes.has("10.3.0.0/24"));
    List<String> before = b.routes.changes();
    RoutePolicy policy = new Within(Cidr.parse("10.2.0.0/16"));
    a.core.apply(config(A, 65001, plain.withPolicy(rules -> rules.exportPolicy(policy))));
    until(() -> !b.routes.has("10.3.0.0/24"));
    network.run(Duration.ofSeconds(1));
    assertThat(b.routes.changes()).hasSize(before.size() + 1);
    assertThat(a.advertised(B)).containsExactly("10.2.0.0/24");
    a.core.apply(config(A, 65001, plain));
    until(() -> b.routes.has("10.3.0.0/24"));
    assertThat(a.status(B).counters().established()).isEqualTo(1);
  }

  private static String verdict(VirtualSpeaker speaker, String prefix) {
    return pathOf(speaker, prefix).orElseThrow().verdict();
  }

  private static Optional<RouteStatus.PathStatus> pathOf(VirtualSpeaker speaker, String prefix) {
    return speaker.table().stream()
        .filter(route -> route.prefix().equals(Cidr.parse(prefix)))
        .map(route -> route.paths().getFirst())
        .findFirst();
  }

  /** RFC 4456. */
  @Test
  void aRouteReflectorTellsItsClientsOfEachOther() {
    VirtualSpeaker reflector =
        VirtualSpeaker.start(
                hostA,
                config(
                    A,
                    65001,
                    peerWith(B, 65001, rules -> rules.reflectorClient(true)),
                    peerWith(C, 65001, rules -> rules.reflectorClient(true)),
                    peer(D, 65001)))
            .inSync();
    VirtualSpeaker.start(hostB, config(B, 65001, peer(A, 65001))).inSync("10.2.0.0/24");
    VirtualSpeaker c = VirtualSpeaker.start(hostC, config(C, 65001, peer(A, 65001))).inSync();
    VirtualSpeaker d =
        VirtualSpeaker.start(hostD, config(D, 65001, peer(A, 65001))).inSync("10.4.0.0/24");
    until(() -> c.routes.has("10.2.0.0/24") && c.routes.has("10.4.0.0/24"));
    until(() -> d.routes.has("10.2.0.0/24"));
    PathAttributes reflected = pathOf(c, "10.2.0.0/24").orElseThrow().attributes();
    assertThat(reflected.originatorId().orElseThrow()).hasToString(B);
    assertThat(reflected.clusterList()).extracting(Object::toString).containsExactly(A);
    assertThat(c.routes.route("10.2.0.0/24").orElseThrow().nextHops())
        .extracting(Object::toString)
        .containsExactly(B);
    assertThat(reflector.advertised(B)).containsExactly("10.4.0.0/24");

    // Not a client any more: routes of D are not for it, and no session flaps.
    reflector.core.apply(
        config(
            A,
            65001,
            peer(B, 65001),
            peerWith(C, 65001, rules -> rules.reflectorClient(true)),
            peer(D, 65001)));
    until(() -> !d.routes.has("10.2.0.0/24"));
    until(() -> reflector.advertised(B).isEmpty());
    assertThat(c.routes.has("10.2.0.0/24")).as("from a non-client to a client").isTrue();
    assertThat(reflector.status(B).counters().established()).isEqualTo(1);
  }

  @Test
  void aPeerThatTellsTooMuchIsShutDownAndComesBackLater() {
    Consumer<PeerPolicy.Builder> limit =
        rules ->
            rules.maxPrefixes(
                Family.IPV4,
                new MaxPrefixes(
                    2, 50, new MaxPrefixes.Shutdown(Optional.of(Duration.ofMinutes(1)))));
    VirtualSpeaker a =
        VirtualSpeaker.start(hostA, config(A, 65001, peerWith(B, 65002, limit))).inSync();
    VirtualSpeaker b =
        VirtualSpeaker.start(hostB, config(B, 65002, peer(A, 65001)))
            .inSync("10.2.0.0/24", "10.3.0.0/24");
    until(() -> a.routes.size() == 2);
    b.originate("10.4.0.0/24");
    until(() -> b.status(A).lastNotificationReceived().isPresent());
    assertThat(b.status(A).lastNotificationReceived().orElseThrow().text())
        .contains("Maximum Number of Prefixes");
    assertThat(a.status(B).lastError().orElseThrow().text()).contains("allowed: 2");
    assertThat(a.routes.size()).isZero();
    network.run(Duration.ofSeconds(50));
    assertThat(a.established(B)).isFalse();
    b.withdraw("10.4.0.0/24");
    until(() -> a.routes.size() == 2);
    assertThat(a.established(B)).isTrue();
  }

  @Test
  void aLimitThatOnlyWarnsEndsNothing() {
    Consumer<PeerPolicy.Builder> limit =
        rules -> rules.maxPrefixes(Family.IPV4, new MaxPrefixes(1, 75, new MaxPrefixes.Warn()));
    VirtualSpeaker a =
        VirtualSpeaker.start(hostA, config(A, 65001, peerWith(B, 65002, limit))).inSync();
    VirtualSpeaker.start(hostB, config(B, 65002, peer(A, 65001)))
        .inSync("10.2.0.0/24", "10.3.0.0/24");
    until(() -> a.routes.size() == 2);
    network.run(Duration.ofSeconds(10));
    assertThat(a.established(B)).isTrue();
  }

  /** RFC 7911. */
  @Test
  void severalPathsTravelOnOneSession() {
    PeerConfig toD =
        peerWith(D, 65004, rules -> rules.transit(true))
            .with(builder -> builder.addPath(new AddPath(false, AddPath.ALL)));
    VirtualSpeaker.start(hostA, config(A, 65001, peer(B, 65002), peer(C, 65003), toD)).inSync();
    VirtualSpeaker b =
        VirtualSpeaker.start(hostB, config(B, 65002, peer(A, 65001))).inSync("10.9.0.0/24");
    VirtualSpeaker.start(hostC, config(C, 65003, peer(A, 65001))).inSync("10.9.0.0/24");
    VirtualSpeaker d =
        VirtualSpeaker.start(
                hostD,
                config(
                    D,
                    65004,
                    peer(A, 65001).with(builder -> builder.addPath(new AddPath(true, 1)))))
            .inSync();
    until(() -> !d.table().isEmpty() && d.table().getFirst().paths().size() == 2);
    assertThat(d.table().getFirst().paths())
        .extracting(path -> path.attributes().asPath().toString())
        .containsExactlyInAnyOrder("65001 65002", "65001 65003");
    b.withdraw("10.9.0.0/24");
    until(() -> d.table().getFirst().paths().size() == 1);
    assertThat(d.table().getFirst().paths().getFirst().attributes().asPath())
        .hasToString("65001 65003");
    assertThat(d.routes.has("10.9.0.0/24")).isTrue();
  }

  @Test
  void hostsThatShareAnAsHearEachOtherWhereThatIsAllowed() {
    VirtualSpeaker.start(hostA, config(A, 65001, peer(B, 65002))).inSync("10.1.0.0/24");
    VirtualSpeaker.start(hostB, config(B, 65002, peer(A, 65001), peer(C, 65001).withTransit(true)))
        .inSync();
    PeerConfig strict = peer(B, 65002);
    VirtualSpeaker c = VirtualSpeaker.start(hostC, config(C, 65001, strict)).inSync();
    until(() -> !c.table().isEmpty());
    assertThat(c.routes.has("10.1.0.0/24")).isFalse();
    c.core.apply(config(C, 65001, strict.withPolicy(rules -> rules.allowOwnAs(1))));
    until(() -> c.routes.has("10.1.0.0/24"));
    assertThat(c.status(B).counters().established()).isEqualTo(1);
  }

  /** RFC 7313: a refresh ends with what the peer has, whatever was thought before. */
  @Test
  void aRefreshLosesNothingAndFlapsNothing() {
    PeerConfig both = peer(B, 65002).withFamilies(Family.IPV4, Family.IPV6);
    VirtualSpeaker a = VirtualSpeaker.start(hostA, config(A, 65001, both)).inSync();
    VirtualSpeaker b =
        VirtualSpeaker.start(
                hostB,
                config(B, 65002, peer(A, 65001).withFamilies(Family.IPV4, Family.IPV6))
                    .withNextHop(IpAddress.parse("fd00::b")))
            .inSync("10.2.0.0/24", "10.3.0.0/24", "fd00:2::/64");
    until(() -> a.routes.size() == 3);
    network.run(Duration.ofSeconds(1));
    List<String> before = a.routes.changes();
    long updates = a.status(B).counters().updatesReceived();
    a.core.refresh(B);
    until(() -> a.status(B).counters().updatesReceived() > updates);
    network.run(Duration.ofSeconds(1));
    assertThat(a.routes.changes()).as("nothing changed").isEqualTo(before);
    assertThat(a.status(B).prefixes().get(Family.IPV4).received()).isEqualTo(2);
    b.withdraw("10.3.0.0/24");
    until(() -> a.routes.size() == 2);
    a.core.refresh(B);
    network.run(Duration.ofSeconds(1));
    assertThat(a.routes.size()).isEqualTo(2);
    assertThat(a.status(B).counters().established()).isEqualTo(1);
  }
}
