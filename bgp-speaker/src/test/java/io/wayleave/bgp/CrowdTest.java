package io.wayleave.bgp;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.wayleave.bgp.session.NettyLoop;
import io.wayleave.bgp.wire.AddressFamily;
import io.wayleave.bgp.wire.AsPath;
import io.wayleave.bgp.wire.BgpEncoder;
import io.wayleave.bgp.wire.BgpMessage;
import io.wayleave.bgp.wire.CodecContext;
import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.Origin;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.bgp.wire.PrefixList;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A speaker among many peers, greedy ones and stuck ones, by TCP on the loopback network. */
@Tag("real")
class CrowdTest {
  private static final IpAddress OWN = IpAddress.parse("127.0.0.6");
  private static final int ROUTES_OF_EACH = 2;
  private static final Duration LONG = Duration.ofMinutes(4);

  /** A line for each of a thousand peers that come and go is no help to anybody. */
  private static final Logger LOGGER = Logger.getLogger("io.wayleave.bgp");

  private final List<NettyLoop> loops = new ArrayList<>();
  private ListenAddress listen;
  private BgpSpeaker speaker;

  @BeforeEach
  void start() throws IOException {
    LOGGER.setLevel(Level.SEVERE);
    listen = new ListenAddress(OWN, Daemon.freePort(OWN.toString()));
    speaker =
        BgpSpeaker.start(
            configuration(Timers.DEFAULT.withSendHold(Duration.ofSeconds(91))),
            new StartMode.Fresh(),
            RouteListener.NONE);
  }

  /** Hears everybody of 127.16.0.0/12, and tells each what the others said. */
  private SpeakerConfig configuration(Timers timers) {
    return SpeakerConfig.of(RouterId.parse("127.0.0.6"), Asn.of(65001))
        .withListen(listen)
        .withPeer(
            PeerConfig.of(
                    "all",
                    new PeerAddress.Range(Cidr.parse("127.16.0.0/12"), 2000),
                    new PeerAs.External())
                .withTransit(true)
                .withTimers(timers));
  }

  @AfterEach
  void stop() {
    speaker.close();
    loops.forEach(NettyLoop::close);
    LOGGER.setLevel(null);
  }

  private NettyLoop loop(String name) {
    NettyLoop made = new NettyLoop(name);
    loops.add(made);
    return made;
  }

  private LightPeer peer(NettyLoop loop, int number, int holdTime) {
    return peer(loop, new LightPeer.Prefixes(), number, holdTime);
  }

  private LightPeer peer(NettyLoop loop, LightPeer.Prefixes prefixes, int number, int holdTime) {
    IpAddress from = IpAddress.parse("127.16." + number / 250 + "." + (1 + number % 250));
    return LightPeer.dial(loop, prefixes, from, listen, 100_000 + number, holdTime);
  }

  private void until(String what, BooleanSupplier condition) {
    Await.until(what, LONG, condition, () -> speaker.status().toString().substring(0, 2000));
  }

  private long established() {
    return speaker.status().peers().stream().filter(peer -> peer.established().isPresent()).count();
  }

  private static BgpMessage.Update announcement(int number, long variant) {
    List<Cidr> prefixes = new ArrayList<>();
    for (int i = 0; i < ROUTES_OF_EACH; i++) {
      prefixes.add(Cidr.parse("10." + i + "." + number / 250 + "." + number % 250 + "/32"));
    }
    return announcement(number, variant, PrefixList.of(Family.IPV4, prefixes));
  }

  private static BgpMessage.Update announcement(int number, long variant, PrefixList prefixes) {
    // In the path, because a MED is not passed on to another AS.
    AsPath path = AsPath.sequence(Asn.of(100_000 + number), Asn.of(1_000_000 + variant));
    PathAttributes of = PathAttributes.builder(Origin.IGP, path).build();
    return BgpMessage.Update.announce(of, NextHop.of(IpAddress.parse("127.16.0.1")), prefixes);
  }

  /** All come at once, hear each other, stay while nothing happens, and go again. */
  private void crowd(int size, int holdTime) {
    NettyLoop loop = loop("crowd");
    long began = System.nanoTime();
    long before = usedHeap();
    LightPeer.Prefixes prefixes = new LightPeer.Prefixes();
    List<LightPeer> peers = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      peers.add(peer(loop, prefixes, i, holdTime));
    }
    until("all established", () -> established() == size);
    long up = System.nanoTime();
    speaker.localRoutesInSync();
    for (int i = 0; i < size; i++) {
      peers.get(i).send(announcement(i, 0));
    }
    int others = ROUTES_OF_EACH * (size - 1);
    untilAll("each knows the routes of all others", peers, peer -> peer.routes() == others);
    long known = System.nanoTime();
    List<Integer> heard = peers.stream().map(LightPeer::keepalives).toList();
    until(
        "each has two keepalives more",
        () -> {
          for (int i = 0; i < size; i++) {
            if (peers.get(i).keepalives() < heard.get(i) + 2) {
              return false;
            }
          }
          return true;
        });
    assertThat(established()).isEqualTo(size);
    assertThat(speaker.status().peers())
        .allSatisfy(peer -> assertThat(peer.counters().established()).isEqualTo(1));
    assertThat(peers).allSatisfy(peer -> assertThat(peer.ended()).isEmpty());
    long used = usedHeap() - before;
    List<LightPeer> half = peers.subList(0, size / 2);
    List<LightPeer> rest = peers.subList(size / 2, size);
    half.forEach(LightPeer::close);
    untilAll(
        "the rest has lost the routes of the half that went",
        rest,
        peer -> peer.routes() == ROUTES_OF_EACH * (rest.size() - 1));
    rest.forEach(LightPeer::close);
    until("a peer of a range goes with its session", () -> speaker.status().peers().isEmpty());
    assertThat(SlicedRoutes.all(speaker)).isEmpty();
    System.out.printf(
        "%d peers: established %.1f s, routes of all %.1f s, whole %.1f s, heap %d MiB%n",
        size,
        (up - began) / 1e9,
        (known - up) / 1e9,
        (System.nanoTime() - began) / 1e9,
        used >> 20);
    // The peers' own sets of prefixes included; a queue for each pair would be far more.
    assertThat(used).as("heap").isLessThan(400L << 20);
  }

  private void untilAll(String what, List<LightPeer> peers, Predicate<LightPeer> condition) {
    Await.until(
        what,
        LONG,
        () -> peers.stream().allMatch(condition),
        () -> peers.stream().filter(condition.negate()).count() + " have not");
  }

  private static long usedHeap() {
    System.gc();
    return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
  }

  @Test
  @Timeout(120)
  void manyPeersComeHearEachOtherStayAndGo() {
    crowd(200, 9);
  }

  @Test
  @Tag("full")
  @Timeout(600)
  void aThousandPeersComeHearEachOtherStayAndGo() {
    crowd(1000, 15);
  }

  enum Flood {
    UPDATE,
    ROUTE_REFRESH,
    KEEPALIVE;

    /** Whole messages of at least 64 KiB. */
    ByteBuf messages(int peer, CodecContext codec) {
      ByteBuf out = Unpooled.directBuffer();
      PrefixList prefixes =
          PrefixList.of(Family.IPV4, List.of(Cidr.parse("10.9.1.0/24"), Cidr.parse("10.9.2.0/24")));
      for (int i = 0; out.readableBytes() < 64 * 1024; i++) {
        BgpEncoder.encode(
            switch (this) {
              case UPDATE ->
                  i % 3 == 2
                      ? BgpMessage.Update.withdraw(prefixes)
                      : announcement(peer, i, prefixes);
              case ROUTE_REFRESH -> BgpMessage.RouteRefresh.request(AddressFamily.IPV4_UNICAST);
              case KEEPALIVE -> BgpMessage.Keepalive.INSTANCE;
            },
            codec,
            out);
      }
      return out;
    }
  }

  /** Its own session, that of a peer with the shortest hold time, and questions go on meanwhile. */
  @ParameterizedTest
  @EnumSource
  @Timeout(120)
  void aFloodStarvesNobody(Flood flood) {
    for (int i = 0; i < 5000; i++) {
      speaker.originate(Cidr.parse("10.20." + i / 250 + "." + i % 250 + "/32"));
    }
    speaker.localRoutesInSync();
    LightPeer calm = peer(loop("calm"), 1, 3);
    LightPeer greedy = peer(loop("greedy"), 2, 3);
    until("both established", () -> established() == 2);
    until("calm knows the table", () -> calm.routes() == 5000);
    int before = calm.keepalives();
    greedy.flood(flood.messages(2, greedy.codec()));
    long began = System.nanoTime();
    Duration slowest = Duration.ZERO;
    while (System.nanoTime() - began < Duration.ofSeconds(4).toNanos()) {
      long asked = System.nanoTime();
      assertThat(established()).isEqualTo(2);
      Duration answer = Duration.ofNanos(System.nanoTime() - asked);
      slowest = answer.compareTo(slowest) > 0 ? answer : slowest;
    }
    long taken =
        speaker.status().peers().stream()
            .map(peer -> peer.counters().received())
            .mapToLong(count -> count.update() + count.routeRefresh() + count.keepalive())
            .sum();
    System.out.printf(
        "flood of %s: %d messages taken, longest silence %s, slowest answer %s%n",
        flood, taken, calm.longestSilence(), slowest);
    assertThat(taken).as("a flood").isGreaterThan(20_000);
    assertThat(calm.keepalives()).isGreaterThanOrEqualTo(before + 3);
    assertThat(calm.longestSilence()).isLessThan(Duration.ofMillis(2500));
    assertThat(slowest).isLessThan(Duration.ofSeconds(1));
    assertThat(calm.ended()).isEmpty();
    assertThat(greedy.ended()).isEmpty();
    assertThat(speaker.status().peers())
        .allSatisfy(peer -> assertThat(peer.counters().established()).isEqualTo(1));
    // Nothing is put off for good either.
    speaker.originate(Cidr.parse("10.30.0.0/24"));
    until("news reach the calm peer during the flood", () -> calm.routes() >= 5001);
    greedy.close();
    until("one is left", () -> established() == 1);
  }

  /** RFC 9687: it says KEEPALIVE and reads nothing, so that only the SendHoldTimer ends it. */
  @Test
  @Timeout(120)
  void aPeerThatReadsNothingHoldsBackNobodyAndLosesItsSession() throws IOException {
    speaker.apply(
        configuration(
            Timers.DEFAULT
                .withHoldTime(Duration.ofSeconds(3))
                .withSendHold(Duration.ofSeconds(4))));
    speaker.localRoutesInSync();
    LightPeer calm = peer(loop("calm"), 1, 3);
    LightPeer teller = peer(loop("teller"), 2, 3);
    until("both established", () -> established() == 2);
    try (Socket stuck = new Socket()) {
      stuck.setReceiveBufferSize(4096);
      stuck.bind(new InetSocketAddress(InetAddress.getByName("127.16.9.9"), 0));
      stuck.connect(new InetSocketAddress(OWN.toInetAddress(), listen.port()));
      OutputStream out = stuck.getOutputStream();
      out.write(
          bytes(
              BgpMessage.Open.of(Asn.of(65_099), 3, RouterId.parse("127.16.9.9"), List.of()),
              BgpMessage.Keepalive.INSTANCE));
      until("the stuck one too", () -> established() == 3);
      // Each round is told to both others; the stuck one's socket fills up.
      PrefixList table = table(2000);
      int round = 0;
      long began = System.nanoTime();
      while (established() == 3) {
        assertThat(System.nanoTime() - began)
            .as("ends")
            .isLessThan(Duration.ofMinutes(1).toNanos());
        round++;
        out.write(bytes(BgpMessage.Keepalive.INSTANCE));
        for (int i = 0; i < table.size(); i++) {
          teller.send(announcement(2, round * 10_000L + i, PrefixList.of(table.get(i))));
        }
        PrefixList marker = PrefixList.of(Cidr.parse("10.50." + round % 200 + ".0/24"));
        int expected = 2000 + Math.min(round, 200);
        teller.send(announcement(2, 0, marker));
        until("the calm peer is told of round " + round, () -> calm.routes() == expected);
      }
      assertThat(round).as("rounds").isGreaterThan(3);
    }
    assertThat(established()).isEqualTo(2);
    assertThat(speaker.status().peers())
        .filteredOn(peer -> peer.established().isEmpty())
        .allSatisfy(
            peer ->
                assertThat(peer.lastNotificationSent().orElseThrow().text())
                    .contains("Send Hold Timer Expired"));
    assertThat(calm.ended()).isEmpty();
    assertThat(calm.longestSilence()).isLessThan(Duration.ofMillis(2500));
  }

  private static PrefixList table(int size) {
    List<Cidr> prefixes = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      prefixes.add(Cidr.parse("10.40." + i / 250 + "." + i % 250 + "/32"));
    }
    return PrefixList.of(Family.IPV4, prefixes);
  }

  private static byte[] bytes(BgpMessage... messages) {
    ByteBuf out = Unpooled.buffer();
    for (BgpMessage message : messages) {
      BgpEncoder.encode(message, CodecContext.initial(), out);
    }
    byte[] all = new byte[out.readableBytes()];
    out.readBytes(all);
    return all;
  }
}
