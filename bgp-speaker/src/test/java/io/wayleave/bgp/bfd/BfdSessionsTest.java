package io.wayleave.bgp.bfd;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.BfdSettings;
import io.wayleave.linux.Packet;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Two hosts whose packets take a millisecond, in virtual time. */
class BfdSessionsTest {
  private static final long MILLI = 1_000_000;
  private static final IpAddress A = IpAddress.parse("10.0.0.1");
  private static final IpAddress B = IpAddress.parse("10.0.0.2");
  private static final BfdSettings FAST =
      new BfdSettings(Duration.ofMillis(50), Duration.ofMillis(50), 3);

  private record InFlight(long at, long order, Host to, Packet packet) {}

  private final PriorityQueue<InFlight> wire =
      new PriorityQueue<>(
          Comparator.comparingLong(InFlight::at).thenComparingLong(InFlight::order));
  private long now;
  private long order;
  private boolean cut;
  private int hopLimit = 255;
  private final Host a = new Host(A, 1);
  private final Host b = new Host(B, 2);

  private final class Host implements BfdListener {
    final IpAddress address;
    final BfdSessions sessions;
    final List<String> heard = new ArrayList<>();
    final List<Long> sentAt = new ArrayList<>();
    boolean broken;

    Host(IpAddress address, long seed) {
      this.address = address;
      sessions = new BfdSessions(this::line, this, new Random(seed));
    }

    private BfdSessions.Line line(BfdEndpoint endpoint) {
      return new BfdSessions.Line() {
        @Override
        public void send(byte[] bytes) throws IOException {
          if (broken) {
            throw new IOException("no route");
          }
          sentAt.add(now);
          Host to = endpoint.peer().equals(A) ? a : b;
          // The link is number 7 at both ends.
          if (!cut && endpoint.interfaceIndex() % 7 == 0) {
            wire.add(
                new InFlight(
                    now + MILLI,
                    order++,
                    to,
                    new Packet(bytes, address, 50_000, to.address, 7, hopLimit)));
          }
        }

        @Override
        public void close() {}
      };
    }

    BfdPhase phase() {
      return sessions.status().getFirst().phase();
    }

    @Override
    public void up(BfdEndpoint endpoint) {
      heard.add("up");
    }

    @Override
    public void down(BfdEndpoint endpoint, Diagnostic diagnostic, boolean independent) {
      heard.add("down: " + diagnostic);
    }

    @Override
    public void adminDown(BfdEndpoint endpoint) {
      heard.add("admin down");
    }
  }

  private void pass(Duration time) {
    long end = now + time.toNanos();
    while (true) {
      long next = end;
      for (Host host : List.of(a, b)) {
        if (host.sessions.wakeAt().isPresent()) {
          next = Math.min(next, host.sessions.wakeAt().getAsLong());
        }
      }
      if (!wire.isEmpty()) {
        next = Math.min(next, wire.element().at());
      }
      if (next >= end) {
        now = end;
        return;
      }
      now = Math.max(now, next);
      while (!wire.isEmpty() && wire.element().at() <= now) {
        InFlight arrived = wire.remove();
        arrived.to().sessions.received(arrived.packet(), now);
      }
      a.sessions.time(now);
      b.sessions.time(now);
    }
  }

  private void bothWatch() {
    a.sessions.put(BfdEndpoint.of(B), FAST, now);
    b.sessions.put(BfdEndpoint.of(A), FAST, now);
  }

  @Test
  void comesUpInAFewRoundTripsAndKeepsItsPace() {
    bothWatch();
    pass(Duration.ofMillis(20));
    assertThat(a.heard).containsExactly("up");
    assertThat(b.heard).containsExactly("up");
    a.sentAt.clear();
    pass(Duration.ofSeconds(10));
    assertThat(a.phase()).isEqualTo(BfdPhase.UP);
    assertThat(a.heard).hasSize(1);
    // Each 37.5 to 50 ms.
    assertThat(a.sentAt.size()).isBetween(200, 267);
    for (int i = 1; i < a.sentAt.size(); i++) {
      assertThat(a.sentAt.get(i) - a.sentAt.get(i - 1)).isBetween(37 * MILLI, 50 * MILLI);
    }
    BfdStatus status = a.sessions.status().getFirst();
    assertThat(status.detectionTime()).isEqualTo(Duration.ofMillis(150));
    assertThat(status.remoteDiscriminator())
        .isEqualTo(b.sessions.status().getFirst().localDiscriminator());
  }

  @Test
  void isSlowWhileThePeerIsAway() {
    a.sessions.put(BfdEndpoint.of(B), FAST, now);
    pass(Duration.ofSeconds(20));
    assertThat(a.sentAt.size()).isBetween(20, 28);
    assertThat(b.sessions.discarded()).isEqualTo(a.sentAt.size());
  }

  @Test
  void aCutLinkIsNoticedWithinTheDetectionTimeAndHeals() {
    bothWatch();
    pass(Duration.ofSeconds(1));
    cut = true;
    pass(Duration.ofMillis(155));
    assertThat(a.heard).containsExactly("up", "down: control detection time expired");
    assertThat(b.heard).containsExactly("up", "down: control detection time expired");
    cut = false;
    pass(Duration.ofSeconds(2));
    assertThat(a.heard).endsWith("up").hasSize(3);
    assertThat(b.phase()).isEqualTo(BfdPhase.UP);
  }

  @Test
  void whoIsNotHeardAnyMoreIsToldSo() {
    bothWatch();
    pass(Duration.ofSeconds(1));
    a.broken = true;
    pass(Duration.ofMillis(160));
    assertThat(b.heard).endsWith("down: control detection time expired");
    assertThat(a.heard).endsWith("down: neighbor signaled session down");
    assertThat(a.sessions.status().getFirst().problem()).contains("no route");
  }

  @Test
  void takingASessionDownOnPurposeIsNoFailure() {
    bothWatch();
    pass(Duration.ofSeconds(1));
    a.sessions.enable(BfdEndpoint.of(B), false, now);
    pass(Duration.ofSeconds(30));
    assertThat(a.heard).containsExactly("up", "admin down");
    assertThat(b.heard).containsExactly("up", "admin down");
    assertThat(b.sessions.status().getFirst().remotePhase()).isEqualTo(BfdPhase.ADMIN_DOWN);
    a.sessions.enable(BfdEndpoint.of(B), true, now);
    pass(Duration.ofSeconds(2));
    assertThat(b.heard).containsExactly("up", "admin down", "up");
  }

  @Test
  void removingASessionTellsThePeerThatItIsOnPurpose() {
    bothWatch();
    pass(Duration.ofSeconds(1));
    a.sessions.remove(BfdEndpoint.of(B), now);
    assertThat(a.sessions.status()).isEmpty();
    pass(Duration.ofSeconds(1));
    assertThat(a.sentAt).as("the goodbye goes on for a while").isNotEmpty();
    assertThat(b.heard).containsExactly("up", "admin down");
    assertThat(a.heard).containsExactly("up");
    pass(Duration.ofSeconds(10));
    assertThat(a.sessions.wakeAt()).isEmpty();
    a.sessions.put(BfdEndpoint.of(B), FAST, now);
    pass(Duration.ofSeconds(2));
    assertThat(b.heard).endsWith("up");
  }

  @Test
  void closingTellsThePeerOnce() {
    bothWatch();
    pass(Duration.ofSeconds(1));
    a.sessions.close(now);
    assertThat(a.sessions.wakeAt()).isEmpty();
    pass(Duration.ofSeconds(5));
    assertThat(b.heard).containsExactly("up", "admin down");
  }

  @Test
  void aPacketThatARouterForwardedIsNotHeard() {
    hopLimit = 254;
    bothWatch();
    pass(Duration.ofSeconds(5));
    assertThat(a.heard).isEmpty();
    assertThat(a.sessions.discarded()).isPositive();
  }

  @Test
  void newSettingsAreAgreedWithoutAFlap() {
    bothWatch();
    pass(Duration.ofSeconds(1));
    BfdSettings slow = new BfdSettings(Duration.ofMillis(500), Duration.ofMillis(400), 5);
    a.sessions.put(BfdEndpoint.of(B), slow, now);
    pass(Duration.ofSeconds(5));
    assertThat(a.heard).containsExactly("up");
    assertThat(b.heard).containsExactly("up");
    BfdStatus ours = a.sessions.status().getFirst();
    BfdStatus theirs = b.sessions.status().getFirst();
    assertThat(ours.transmitInterval()).isEqualTo(Duration.ofMillis(500));
    assertThat(theirs.detectionTime()).isEqualTo(Duration.ofMillis(2_500));
    assertThat(theirs.transmitInterval()).isEqualTo(Duration.ofMillis(400));
    assertThat(ours.detectionTime()).isEqualTo(Duration.ofMillis(1_200));
  }

  @Test
  void findsASessionByInterfaceAndOwnAddress() {
    BfdEndpoint elsewhere = BfdEndpoint.of(A, 8);
    b.sessions.put(elsewhere, FAST, now);
    a.sessions.put(BfdEndpoint.of(B), FAST, now);
    pass(Duration.ofSeconds(2));
    assertThat(b.sessions.status(elsewhere).orElseThrow().packetsReceived()).isZero();
    BfdEndpoint here = BfdEndpoint.of(A, 7).from(B);
    b.sessions.put(here, FAST, now);
    pass(Duration.ofSeconds(2));
    assertThat(b.sessions.status(here).orElseThrow().phase()).isEqualTo(BfdPhase.UP);
    assertThat(b.sessions.status(elsewhere).orElseThrow().phase()).isEqualTo(BfdPhase.DOWN);
  }

  @Test
  void aPeerThatStartsAnewIsFoundAgain() {
    bothWatch();
    pass(Duration.ofSeconds(1));
    // As after kill -9: no goodbye, another discriminator.
    Host reborn = new Host(B, 3);
    Optional<BfdStatus> before = b.sessions.status(BfdEndpoint.of(A));
    b.broken = true;
    reborn.sessions.put(BfdEndpoint.of(A), FAST, now);
    reborn.sessions.time(now);
    pass(Duration.ofMillis(10));
    assertThat(before).isPresent();
    assertThat(a.heard).containsExactly("up", "down: neighbor signaled session down");
  }
}
