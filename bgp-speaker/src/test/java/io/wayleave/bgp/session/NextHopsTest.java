package io.wayleave.bgp.session;

import static io.wayleave.bgp.session.VirtualSpeaker.config;
import static io.wayleave.bgp.session.VirtualSpeaker.peer;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.LearnedRoute;
import io.wayleave.bgp.NextHopSource;
import io.wayleave.bgp.RouteStatus;
import io.wayleave.bgp.StartMode;
import io.wayleave.bgp.wire.AddressFamily;
import io.wayleave.bgp.wire.AsPath;
import io.wayleave.bgp.wire.BgpMessage;
import io.wayleave.bgp.wire.BgpMessage.Update;
import io.wayleave.bgp.wire.Capability;
import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.Origin;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.bgp.wire.PrefixList;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** RFC 4271 sections 9.1.2 and 9.1.2.1: whether and how next hops are reached. */
class NextHopsTest {
  private static final String A = "10.0.0.1";
  private static final String B = "10.0.0.2";
  private static final String C = "10.0.0.3";
  private static final String NEAR = "10.7.0.1";
  private static final String FAR = "10.8.0.1";
  private static final String ONE = "10.2.1.0/24";
  private static final String TWO = "10.2.2.0/24";
  private static final BgpMessage END_OF_RIB = Update.endOfRib(AddressFamily.IPV4_UNICAST);

  /** Answers when the test says so. */
  private static final class Ways implements NextHopSource {
    Set<IpAddress> watched = Set.of();
    private Listener listener = _ -> {};

    @Override
    public void begin(Listener told) {
      listener = told;
    }

    @Override
    public void watch(Set<IpAddress> nextHops) {
      watched = nextHops;
    }

    void tell(String nextHop, long distance) {
      listener.found(Map.of(IpAddress.parse(nextHop), OptionalLong.of(distance)));
    }

    void lose(String nextHop) {
      listener.found(Map.of(IpAddress.parse(nextHop), OptionalLong.empty()));
    }
  }

  private final VirtualNetwork network = new VirtualNetwork();
  private final VirtualNetwork.Host hostA = network.host(A);
  private final Ways ways = new Ways();
  private final ScriptedPeer b = scripted(B, 65002);
  private final ScriptedPeer c = scripted(C, 65003);
  private final VirtualSpeaker a = start();

  private ScriptedPeer scripted(String address, int as) {
    return ScriptedPeer.listen(
        network.host(address),
        BgpMessage.Open.of(
            Asn.of(as),
            0,
            RouterId.parse(address),
            List.of(
                new Capability.MultiProtocol(AddressFamily.IPV4_UNICAST),
                new Capability.GracefulRestart(false, false, 60, List.of()))));
  }

  private VirtualSpeaker start() {
    VirtualSpeaker speaker =
        VirtualSpeaker.start(
            hostA,
            config(A, 65001, peer(B, 65002), peer(C, 65003).withTransit(true)),
            new StartMode.Fresh(),
            ways);
    speaker.inSync("10.1.0.0/24");
    assertThat(
            network.runUntil(
                () -> speaker.established(B) && speaker.established(C), Duration.ofSeconds(5)))
        .isTrue();
    return speaker;
  }

  private static Update announce(String prefix, String nextHop, Integer... path) {
    return Update.announce(
        PathAttributes.builder(
                Origin.IGP,
                AsPath.sequence(List.of(path).stream().map(Asn::of).toArray(Asn[]::new)))
            .build(),
        NextHop.of(IpAddress.parse(nextHop)),
        PrefixList.of(Family.IPV4, List.of(Cidr.parse(prefix))));
  }

  private void settle() {
    network.run(Duration.ofSeconds(1));
  }

  private String via(String prefix) {
    return a.routes
        .route(prefix)
        .map(LearnedRoute::nextHops)
        .map(hops -> hops.stream().map(Object::toString).toList().toString())
        .orElse("none");
  }

  private List<String> verdicts(String prefix) {
    return a.table().stream()
        .filter(route -> route.prefix().equals(Cidr.parse(prefix)))
        .flatMap(route -> route.paths().stream())
        .map(RouteStatus.PathStatus::verdict)
        .toList();
  }

  @Test
  void aPathIsUsedAsLongAsItsNextHopIsReached() {
    // The one by B is better, as far as BGP goes.
    b.send(announce(ONE, NEAR, 65002), announce(TWO, B, 65002));
    c.send(announce(ONE, FAR, 65003, 65009));
    settle();
    assertThat(ways.watched)
        .containsExactlyInAnyOrder(IpAddress.parse(NEAR), IpAddress.parse(FAR), IpAddress.parse(B));
    assertThat(via(ONE)).as("before anything is known").isEqualTo("none");
    assertThat(verdicts(ONE))
        .containsExactly("next hop 10.7.0.1 unreachable", "next hop 10.8.0.1 unreachable");

    ways.tell(B, 0);
    ways.tell(FAR, 0);
    settle();
    assertThat(via(ONE)).isEqualTo("[10.8.0.1]");
    assertThat(verdicts(ONE)).containsExactly("best", "next hop 10.7.0.1 unreachable");

    ways.tell(NEAR, 0);
    settle();
    assertThat(via(ONE)).isEqualTo("[10.7.0.1]");

    ways.lose(NEAR);
    settle();
    assertThat(via(ONE)).isEqualTo("[10.8.0.1]");
    ways.lose(FAR);
    settle();
    assertThat(via(ONE)).isEqualTo("none");
    ways.tell(NEAR, 0);
    settle();
    assertThat(via(ONE)).isEqualTo("[10.7.0.1]");

    assertThat(a.routes.changes().stream().filter(change -> change.endsWith(TWO)))
        .as("by another next hop")
        .containsExactly("+" + TWO);
    assertThat(a.status(B).counters().established()).isEqualTo(1);
    assertThat(a.status(C).counters().established()).isEqualTo(1);
  }

  /** A route is not away for the time that it takes to look up the next hop of its successor. */
  @Test
  void aPathReplacedByOneWithANewNextHopStaysUntilThatIsKnown() {
    b.send(announce(ONE, NEAR, 65002));
    settle();
    ways.tell(NEAR, 0);
    settle();
    b.send(announce(ONE, FAR, 65002));
    settle();
    assertThat(via(ONE)).as("not known yet").isEqualTo("[10.7.0.1]");
    assertThat(withdrawnFrom(c, ONE)).isZero();
    ways.tell(FAR, 0);
    settle();
    assertThat(via(ONE)).isEqualTo("[10.8.0.1]");
    assertThat(removals(ONE)).isZero();

    b.send(announce(ONE, "10.9.0.1", 65002, 65009));
    settle();
    assertThat(via(ONE)).isEqualTo("[10.8.0.1]");
    ways.lose("10.9.0.1");
    settle();
    assertThat(via(ONE)).as("there is no way").isEqualTo("none");
    assertThat(removals(ONE)).isEqualTo(1);
    assertThat(withdrawnFrom(c, ONE)).isEqualTo(1);
  }

  @Test
  void aReplacedPathStaysOnlyWhereThereIsNoOtherAndAsLongAsItsSuccessor() {
    b.send(announce(ONE, NEAR, 65002), announce(TWO, NEAR, 65002));
    c.send(announce(ONE, C, 65003, 65009));
    settle();
    ways.tell(NEAR, 0);
    ways.tell(C, 0);
    settle();
    assertThat(via(ONE)).isEqualTo("[10.7.0.1]");
    b.send(announce(ONE, FAR, 65002), announce(TWO, FAR, 65002));
    settle();
    assertThat(via(ONE)).as("by C instead").isEqualTo("[10.0.0.3]");
    assertThat(via(TWO)).as("there is no other").isEqualTo("[10.7.0.1]");
    assertThat(removals(ONE)).isZero();

    // What C has to offer has not been looked up either, and is not what was chosen.
    c.send(announce(TWO, "10.9.0.1", 65003));
    b.send(Update.withdraw(List.of(Cidr.parse(TWO))));
    settle();
    assertThat(via(TWO)).isEqualTo("none");
  }

  private long removals(String prefix) {
    return a.routes.changes().stream().filter(change -> change.equals("-" + prefix)).count();
  }

  private static long withdrawnFrom(ScriptedPeer peer, String prefix) {
    return peer.heard.stream()
        .filter(Update.class::isInstance)
        .flatMap(message -> ((Update) message).unreach().stream())
        .filter(unreach -> unreach.prefixes().contains(Cidr.parse(prefix)))
        .count();
  }

  /** Section 9.1.2.2 e). */
  @Test
  void theNearerNextHopWins() {
    b.send(announce(ONE, NEAR, 65002));
    c.send(announce(ONE, FAR, 65003));
    settle();
    ways.tell(NEAR, 21);
    ways.tell(FAR, 101);
    settle();
    assertThat(via(ONE)).isEqualTo("[10.7.0.1]");
    assertThat(verdicts(ONE)).containsExactly("best", "next hop is farther away");
    ways.tell(FAR, 21);
    settle();
    assertThat(via(ONE)).isEqualTo("[10.7.0.1, 10.8.0.1]");
    ways.tell(FAR, 0);
    settle();
    assertThat(via(ONE)).isEqualTo("[10.8.0.1]");
  }

  /** What an earlier speaker left in the kernel must not be swept before the choice is made. */
  @Test
  void convergenceWaitsForTheAnswers() {
    b.send(announce(ONE, NEAR, 65002), END_OF_RIB);
    c.send(END_OF_RIB);
    settle();
    assertThat(a.routes.isConverged()).isFalse();
    ways.tell(NEAR, 0);
    settle();
    assertThat(a.routes.changes()).containsExactly("+" + ONE, "converged");
  }

  /** One peer must not keep End-of-RIB from all. */
  @Test
  void convergenceDoesNotWaitForNextHopsThatAreNamedLater() {
    b.send(announce(ONE, NEAR, 65002), END_OF_RIB);
    c.send(END_OF_RIB);
    settle();
    for (int n = 1; n < 10; n++) {
      String before = n == 1 ? NEAR : "10.9.0." + (n - 1);
      b.send(announce(ONE, "10.9.0." + n, 65002));
      network.run(Duration.ofMillis(50));
      assertThat(a.routes.isConverged()).as("the first is not known yet").isEqualTo(n > 1);
      ways.tell(before, 0);
      network.run(Duration.ofMillis(50));
    }
    assertThat(a.routes.isConverged()).isTrue();
    assertThat(c.heard).as("with a next hop that is not known").contains(END_OF_RIB);
  }

  @Test
  void aNextHopThatNobodyNamesAnyMoreIsForgotten() {
    for (int n = 0; n < 5000; n++) {
      b.send(announce(ONE, "10.9." + n / 250 + "." + (1 + n % 250), 65002));
      if (n % 500 == 0) {
        settle();
      }
    }
    settle();
    Map<IpAddress, OptionalLong> all = new HashMap<>();
    ways.watched.forEach(nextHop -> all.put(nextHop, OptionalLong.of(0)));
    assertThat(all).hasSizeLessThan(2048).containsKey(IpAddress.parse("10.9.19.250"));
  }

  @Test
  void manyNextHopsAreAskedForTogether() {
    b.send(
        IntStream.range(0, 100)
            .mapToObj(n -> announce("10.2." + n + ".0/24", "10.9.0." + (n + 1), 65002))
            .toArray(BgpMessage[]::new));
    settle();
    assertThat(ways.watched).hasSize(100);
  }
}
