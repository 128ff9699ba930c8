package io.wayleave.bgp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.wayleave.bgp.session.RouteRecorder;
import io.wayleave.bgp.wire.Community;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Two whole speakers with their own threads and TCP on the loopback network. */
@ExtendWith(NoLeaks.class)
class BgpSpeakerTest {
  private static final Cidr PREFIX = Cidr.parse("10.1.0.0/24");

  private final RouteRecorder routesA = new RouteRecorder();
  private final RouteRecorder routesB = new RouteRecorder();
  private SpeakerConfig configA;
  private BgpSpeaker a;
  private BgpSpeaker b;

  @BeforeEach
  void start() throws IOException {
    int portA = Daemon.freePort("127.0.0.4");
    int portB = Daemon.freePort("127.0.0.5");
    configA = config("127.0.0.4", portA, 65001, "b", "127.0.0.5", portB, 65002);
    a = BgpSpeaker.start(configA, new StartMode.Fresh(), routesA);
    b =
        BgpSpeaker.start(
            config("127.0.0.5", portB, 65002, "a", "127.0.0.4", portA, 65001),
            new StartMode.Fresh(),
            routesB);
    b.localRoutesInSync();
  }

  private static SpeakerConfig config(
      String own, int ownPort, int as, String peer, String address, int port, int peerAs) {
    return SpeakerConfig.of(RouterId.parse(own), Asn.of(as))
        .withListen(new ListenAddress(IpAddress.parse(own), ownPort))
        .withPeer(
            PeerConfig.of(peer, IpAddress.parse(address), Asn.of(peerAs))
                .withPort(port)
                .withSourceAddress(IpAddress.parse(own)));
  }

  @AfterEach
  void stop() {
    a.close();
    b.close();
  }

  private void until(String what, BooleanSupplier condition) {
    Await.until(what, Duration.ofSeconds(20), condition, () -> a.status() + "\n" + b.status());
  }

  @Test
  void carriesARouteWithItsAttributesAndTakesItBack() {
    a.originate(PREFIX, new Origination(List.of(Community.parse("65001:7")), OptionalLong.of(30)));
    a.localRoutesInSync();
    until("learned", () -> routesB.has("10.1.0.0/24"));
    RouteStatus.PathStatus path = SlicedRoutes.received(b, "a").getFirst().paths().getFirst();
    assertThat(path.best()).isTrue();
    assertThat(path.attributes().communities()).containsExactly(Community.parse("65001:7"));
    assertThat(path.attributes().med()).hasValue(30);
    assertThat(path.attributes().asPath()).hasToString("65001");
    assertThat(SlicedRoutes.advertised(a, "b"))
        .singleElement()
        .satisfies(route -> assertThat(route.prefix()).isEqualTo(PREFIX));
    assertThat(SlicedRoutes.all(a).getFirst().paths().getFirst().peer())
        .as("a local route")
        .isEmpty();
    a.withdraw(PREFIX);
    until("withdrawn", () -> !routesB.has("10.1.0.0/24"));
  }

  @Test
  void restartKeepsAndShutdownDropsTheRoutes() {
    a.originate(PREFIX);
    a.localRoutesInSync();
    until("learned", () -> routesB.has("10.1.0.0/24") && routesA.isConverged());
    a.closeForRestart();
    until("gone", () -> !b.status().peers().getFirst().staleFamilies().isEmpty());
    a =
        BgpSpeaker.start(
            configA, new StartMode.Restarted(Set.of(Family.IPV4)), new RouteRecorder());
    a.originate(PREFIX);
    a.localRoutesInSync();
    until("back", () -> b.status().peers().getFirst().staleFamilies().isEmpty());
    assertThat(routesB.changes()).doesNotContain("-10.1.0.0/24");
    a.shutdown("bye");
    Await.until("dropped", Duration.ofSeconds(20), () -> !routesB.has("10.1.0.0/24"), b::status);
    assertThat(b.status().peers().getFirst().whyDown().orElseThrow()).contains("bye");
  }

  @Test
  void clearBringsTheSessionBack() {
    a.localRoutesInSync();
    until("up", () -> a.status().peers().getFirst().established().isPresent());
    until("up", () -> b.status().peers().getFirst().established().isPresent());
    a.clear("b", "new cable");
    until("up again", () -> a.status().peers().getFirst().counters().established() == 2);
    assertThat(b.status().peers().getFirst().lastNotificationReceived().orElseThrow().text())
        .containsIgnoringCase("administrative reset")
        .contains("new cable");
  }

  @Test
  void questionsAboutNobodyAreRefused() {
    assertThatExceptionOfType(InvalidInputException.class)
        .isThrownBy(() -> SlicedRoutes.received(a, "nobody"))
        .withMessageContaining("nobody")
        .withMessageContaining("b");
    assertThatExceptionOfType(InvalidInputException.class).isThrownBy(() -> a.refresh("nobody"));
  }

  @Test
  void aClosedSpeakerAnswersNothing() {
    a.close();
    a.close();
    a.originate(PREFIX);
    assertThatIllegalStateException().isThrownBy(a::status).withMessageContaining("closed");
  }
}
