package io.wayleave.bgp.unnumbered;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.IpAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LinkDiscoveryTest {
  private static final IpAddress ROUTER = IpAddress.parse("fe80::1");
  private static final IpAddress OTHER = IpAddress.parse("fe80::2");
  private static final Duration VALID = Duration.ofSeconds(30);

  private long now;
  private boolean canSend = true;
  private final List<String> events = new ArrayList<>();
  private final List<Long> advertisedAt = new ArrayList<>();
  private final LinkDiscovery link =
      new LinkDiscovery(
          "eth1",
          new LinkDiscovery.Outlet() {
            @Override
            public boolean advertise(int interfaceIndex, Optional<IpAddress> to) {
              if (canSend) {
                advertisedAt.add(now);
                to.ifPresent(asker -> events.add("advertise to " + asker));
              }
              return canSend;
            }

            @Override
            public boolean solicit(int interfaceIndex) {
              if (canSend) {
                events.add("solicit");
              }
              return canSend;
            }

            @Override
            public void found(LinkNeighbour neighbour) {
              events.add("found " + neighbour + " at " + neighbour.interfaceIndex());
            }

            @Override
            public void silent(LinkNeighbour neighbour) {
              events.add("silent " + neighbour);
            }

            @Override
            public void lost(LinkNeighbour neighbour, String reason) {
              events.add("lost " + neighbour + ": " + reason);
            }
          },
          new Random(1));

  private void pass(Duration time) {
    long end = now + time.toNanos();
    while (link.wakeAt().isPresent() && link.wakeAt().getAsLong() < end) {
      now = Math.max(now, link.wakeAt().getAsLong());
      link.time(now);
    }
    now = end;
  }

  @Test
  void advertisesQuicklyAtFirstAndThenAtLeastEachTenSeconds() {
    link.usable(7, now);
    pass(Duration.ofMinutes(5));
    assertThat(events).containsOnly("solicit").hasSize(3);
    assertThat(advertisedAt).startsWith(0L, 3_000_000_000L, 6_000_000_000L);
    for (int i = 3; i < advertisedAt.size(); i++) {
      assertThat(Duration.ofNanos(advertisedAt.get(i) - advertisedAt.get(i - 1)))
          .isBetween(Duration.ofSeconds(5), Duration.ofSeconds(10));
    }
    assertThat(advertisedAt.size()).isGreaterThan(30);
  }

  @Test
  void triesAgainUntilTheOwnAddressIsUsable() {
    canSend = false;
    link.usable(7, now);
    pass(Duration.ofSeconds(2));
    assertThat(advertisedAt).isEmpty();
    canSend = true;
    pass(Duration.ofMillis(600));
    assertThat(advertisedAt).hasSize(1);
    assertThat(events).containsExactly("solicit");
  }

  @Test
  void findsTheNeighbourOnceAndAsksNoMore() {
    link.usable(7, now);
    link.time(now);
    link.advertised(ROUTER, VALID, now);
    for (int i = 0; i < 20; i++) {
      pass(Duration.ofSeconds(10));
      link.advertised(ROUTER, VALID, now);
    }
    assertThat(events).containsExactly("solicit", "found fe80::1%eth1 at 7");
  }

  @Test
  void oneThatFallsSilentMakesRoomForAnother() {
    link.usable(7, now);
    link.advertised(ROUTER, VALID, now);
    pass(VALID.minusMillis(1));
    assertThat(link.neighbour()).isPresent();
    pass(Duration.ofMillis(2));
    assertThat(events).endsWith("silent fe80::1%eth1");
    link.advertised(OTHER, VALID, now);
    assertThat(events).endsWith("found fe80::2%eth1 at 7");
  }

  /** Whoever kept the silent one as the neighbour must hear that the link is gone. */
  @Test
  void theLinkOfASilentNeighbourGoes() {
    link.usable(7, now);
    link.advertised(ROUTER, VALID, now);
    pass(VALID.plusMillis(1));
    assertThat(events).endsWith("silent fe80::1%eth1");
    link.unusable("interface has no carrier");
    assertThat(events).endsWith("lost fe80::1%eth1: interface has no carrier");
    link.usable(7, now);
    events.clear();
    link.unusable("interface has no carrier");
    assertThat(events).as("lost once").isEmpty();
  }

  @Test
  void aSilentNeighbourThatWasReplacedIsNotLostBesides() {
    link.usable(7, now);
    link.advertised(ROUTER, VALID, now);
    pass(VALID.plusMillis(1));
    link.advertised(OTHER, VALID, now);
    events.clear();
    link.unusable("interface has no carrier");
    assertThat(events).containsExactly("lost fe80::2%eth1: interface has no carrier");
  }

  @Test
  void keepsTheOneItKnowsWhileThatIsThere() {
    link.usable(7, now);
    link.advertised(ROUTER, VALID, now);
    for (int i = 0; i < 9; i++) {
      pass(Duration.ofSeconds(5));
      link.advertised(i % 2 == 0 ? OTHER : ROUTER, VALID, now);
    }
    assertThat(link.neighbour().orElseThrow().address()).isEqualTo(ROUTER);
    assertThat(events).doesNotContain("found fe80::2%eth1 at 7");
  }

  @Test
  void theInterfaceGoesAndComesWithAnotherIndex() {
    link.usable(7, now);
    link.advertised(ROUTER, VALID, now);
    link.unusable("interface has no carrier");
    assertThat(events).endsWith("lost fe80::1%eth1: interface has no carrier");
    assertThat(link.wakeAt()).isEmpty();
    link.advertised(ROUTER, VALID, now);
    link.solicited(ROUTER, now);
    assertThat(link.wakeAt()).isEmpty();
    link.usable(9, now);
    link.time(now);
    link.advertised(ROUTER, VALID, now);
    assertThat(events).endsWith("solicit", "found fe80::1%eth1 at 9");
    link.usable(11, now);
    assertThat(events).endsWith("lost fe80::1%eth1: interface replaced");
  }

  @Test
  void answersASolicitationSoonAndToTheAsker() {
    link.usable(7, now);
    pass(Duration.ofSeconds(20));
    events.clear();
    link.solicited(IpAddress.parse("::"), now);
    link.solicited(ROUTER, now);
    link.solicited(ROUTER, now);
    pass(Duration.ofMillis(500));
    assertThat(events).containsExactly("advertise to fe80::1");
  }
}
