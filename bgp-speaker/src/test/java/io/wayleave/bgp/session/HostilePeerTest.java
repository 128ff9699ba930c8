package io.wayleave.bgp.session;

import static io.wayleave.bgp.session.VirtualSpeaker.config;
import static io.wayleave.bgp.session.VirtualSpeaker.peer;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.wayleave.bgp.ListenAddress;
import io.wayleave.bgp.MaxPrefixes;
import io.wayleave.bgp.NoLeaks;
import io.wayleave.bgp.PeerAddress;
import io.wayleave.bgp.PeerAs;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.PeerSecurity;
import io.wayleave.bgp.ScopedAddress;
import io.wayleave.bgp.wire.AddressFamily;
import io.wayleave.bgp.wire.BgpEncoder;
import io.wayleave.bgp.wire.BgpMessage;
import io.wayleave.bgp.wire.Capability;
import io.wayleave.bgp.wire.NotificationText;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.logging.SimpleFormatter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Peers that send what they should not, and many peers at once. */
@ExtendWith(NoLeaks.class)
class HostilePeerTest {
  private static final String A = "10.0.0.1";
  private static final String B = "10.0.0.2";
  private static final String C = "10.0.0.3";
  private static final int ROUNDS = 200;
  private static final int PEERS = 200;

  private final VirtualNetwork network = new VirtualNetwork();

  /** Each session ends with a NOTIFICATION of a known code or goes on; the other peer's lives. */
  @Test
  void damagedMessagesEndTheirOwnSessionAndNoOther() {
    long seed = 20_261_124;
    SplittableRandom random = new SplittableRandom(seed);
    ScriptedPeer hostile =
        ScriptedPeer.listen(
            network.host(B),
            BgpMessage.Open.of(
                Asn.of(65002),
                0,
                RouterId.parse(B),
                List.of(new Capability.MultiProtocol(AddressFamily.IPV4_UNICAST))));
    VirtualSpeaker a =
        VirtualSpeaker.start(network.host(A), config(A, 65001, peer(B, 65002), peer(C, 65003)));
    VirtualSpeaker c =
        VirtualSpeaker.start(network.host(C), config(C, 65003, peer(A, 65001)))
            .inSync("10.3.0.0/24");
    assertThat(network.runUntil(() -> a.routes.has("10.3.0.0/24"), Duration.ofSeconds(20)))
        .isTrue();
    for (int round = 0; round < ROUNDS; round++) {
      assertThat(network.runUntil(() -> a.established(B), Duration.ofMinutes(2)))
          .as("seed %d round %d", seed, round)
          .isTrue();
      hostile.heard.clear();
      ByteBuf bytes = Unpooled.buffer();
      BgpEncoder.encode(
          BgpMessage.Update.endOfRib(AddressFamily.IPV4_UNICAST), hostile.codec(), bytes);
      BgpEncoder.encode(BgpMessage.Keepalive.INSTANCE, hostile.codec(), bytes);
      for (int change = random.nextInt(1, 4); change > 0; change--) {
        bytes.setByte(random.nextInt(bytes.readableBytes()), random.nextInt(256));
      }
      hostile.sendBytes(bytes);
      network.run(Duration.ofSeconds(1));
      for (BgpMessage message : hostile.heard) {
        if (message instanceof BgpMessage.Notification sent) {
          assertThat(NotificationText.of(sent)).as("seed %d", seed).doesNotContain("Unknown");
        }
      }
      if (hostile.isConnected()) {
        // What waits for the rest of a message is ended by an end of the connection.
        a.core.clear(B, "");
      }
    }
    assertThat(hostile.connections()).isGreaterThanOrEqualTo(ROUNDS);
    assertThat(c.status(A).counters().established()).isEqualTo(1);
    assertThat(a.status(C).counters().established()).isEqualTo(1);
    assertThat(a.routes.changes()).doesNotContain("-10.3.0.0/24");
  }

  private ScriptedPeer hostile() {
    return ScriptedPeer.listen(
        network.host(B),
        BgpMessage.Open.of(
            Asn.of(65002),
            90,
            RouterId.parse(B),
            List.of(
                new Capability.MultiProtocol(AddressFamily.IPV4_UNICAST),
                new Capability.FourOctetAs(Asn.of(65002)))));
  }

  /** Bad UPDATEs whose session goes on, each with another text, one a millisecond. */
  @Test
  void aFloodOfFaultsDoesNotFillTheLog() {
    ScriptedPeer hostile = hostile();
    try (LineHandler log = new LineHandler()) {
      List<String> lines = log.lines;
      VirtualSpeaker a = VirtualSpeaker.start(network.host(A), config(A, 65001, peer(B, 65002)));
      assertThat(network.runUntil(() -> a.established(B), Duration.ofSeconds(20))).isTrue();
      lines.clear();
      int flood = 1000;
      for (int i = 0; i < flood; i++) {
        hostile.sendBytes(update(3 + i % 200, 9));
        network.run(Duration.ofMillis(1));
      }
      assertThat(a.established(B)).isTrue();
      assertThat(lines)
          .hasSize(LineLimit.LINES)
          .allMatch(line -> line.contains("bgp fault peer=" + B) && line.contains("withdraw"));
      int leftOut = flood - LineLimit.LINES;
      assertThat(a.status(B).counters().faults()).isEqualTo(flood);
      assertThat(a.status(B).counters().linesLeftOut()).isEqualTo(leftOut);
      lines.clear();
      network.run(LineLimit.INTERVAL);
      assertThat(lines)
          .contains("bgp log lines left out peer=" + B + " count=" + leftOut + " interval=30s");
      hostile.sendBytes(update(3, 9));
      network.run(Duration.ofMillis(1));
      assertThat(lines.getLast()).as("an interval later it is news").contains("bgp fault peer=");
    }
  }

  @Test
  void faultsKeepNoWarningOfALimitOutOfTheLog() {
    ScriptedPeer hostile = hostile();
    MaxPrefixes one = new MaxPrefixes(1, 75, new MaxPrefixes.Warn());
    try (LineHandler log = new LineHandler()) {
      VirtualSpeaker a =
          VirtualSpeaker.start(
              network.host(A),
              config(
                  A,
                  65001,
                  peer(B, 65002).withPolicy(rules -> rules.maxPrefixes(Family.IPV4, one))));
      assertThat(network.runUntil(() -> a.established(B), Duration.ofSeconds(20))).isTrue();
      log.lines.clear();
      for (int i = 0; i < LineLimit.LINES; i++) {
        hostile.sendBytes(update(3 + i, 9));
      }
      hostile.sendBytes(update(0, 9));
      hostile.sendBytes(update(0, 10));
      network.run(Duration.ofMillis(10));
      String near = "bgp prefix limit near peer=" + B + " family=IPV4 count=1 limit=1";
      assertThat(log.lines)
          .hasSize(LineLimit.LINES + 2)
          .endsWith(near, "bgp prefix limit exceeded peer=" + B + " family=IPV4 count=2 limit=1");

      log.lines.clear();
      hostile.sendBytes(update(3, 10));
      network.run(Duration.ofMillis(10));
      assertThat(log.lines).as("said a moment ago").isEmpty();
      network.run(LineLimit.INTERVAL);
      assertThat(log.lines).as("how it is now").endsWith(near);
    }
  }

  /** Beside the session that is up, each with another bad version. */
  @Test
  void badOpensOnFurtherConnectionsDoNotFillTheLog() {
    ScriptedPeer _ = hostile();
    try (LineHandler log = new LineHandler()) {
      VirtualSpeaker a = VirtualSpeaker.start(network.host(A), config(A, 65001, peer(B, 65002)));
      assertThat(network.runUntil(() -> a.established(B), Duration.ofSeconds(20))).isTrue();
      log.lines.clear();
      for (int version = 5; version < 105; version++) {
        ByteBuf open = Unpooled.buffer();
        open.writeLong(-1).writeLong(-1).writeShort(29).writeByte(1).writeByte(version);
        open.writeShort(65002).writeShort(90).writeInt(0x0a000002).writeByte(0);
        connect(B).write(open);
      }
      assertThat(a.established(B)).isTrue();
      assertThat(log.lines).hasSize(LineLimit.LINES);
      assertThat(log.lines).anyMatch(line -> line.startsWith("bgp attempt failed peer=" + B));
      network.run(LineLimit.INTERVAL);
      assertThat(log.lines.getLast()).startsWith("bgp log lines left out peer=" + B);
    }
  }

  @Test
  void hostsOfARangeThatComeAndGoDoNotFillTheLog() {
    PeerConfig range =
        PeerConfig.of(
            "rack", new PeerAddress.Range(Cidr.parse("10.0.0.0/24"), PEERS), new PeerAs.External());
    try (LineHandler log = new LineHandler()) {
      VirtualSpeaker a = VirtualSpeaker.start(network.host(A), config(A, 65001, range)).inSync();
      network.run(Duration.ofMinutes(5));
      log.lines.clear();
      for (int i = 0; i < 100; i++) {
        connect("10.0.0." + (2 + i % 50)).close();
      }
      assertThat(new StatusReport(a.core).speaker().peers()).isEmpty();
      assertThat(log.lines)
          .hasSize(LineLimit.LINES)
          .anyMatch(line -> line.startsWith("bgp peer added peer=rack-10.0.0.2 "))
          .anyMatch(line -> line.equals("bgp peer removed peer=rack-10.0.0.2"));
      network.run(LineLimit.INTERVAL);
      assertThat(log.lines.getLast()).startsWith("bgp log lines left out range=rack count=");
    }
  }

  private Client connect(String from) {
    Client client = new Client();
    network
        .host(from)
        .dial(
            new Transport.Target(
                ScopedAddress.of(IpAddress.parse(A)),
                ListenAddress.BGP_PORT,
                Optional.empty(),
                PeerSecurity.NONE),
            client);
    network.run(Duration.ofMillis(5));
    return client;
  }

  /** Connects, and does not listen. */
  private final class Client implements Transport.Handler {
    private Optional<Transport.Connection> connection = Optional.empty();

    void write(ByteBuf bytes) {
      connection.orElseThrow().write(bytes);
      connection.orElseThrow().flush();
      network.run(Duration.ofMillis(5));
    }

    void close() {
      connection.orElseThrow().close();
      network.run(Duration.ofMillis(5));
    }

    @Override
    public void connected(Transport.Connection made) {
      connection = Optional.of(made);
    }

    @Override
    public void received(ByteBuf bytes) {}

    @Override
    public void writable() {}

    @Override
    public void closed(String reason) {
      connection = Optional.empty();
    }
  }

  /**
   * An UPDATE of 10.x.0.0/16; of an ORIGIN above 2, which does not exist (RFC 7606 section 7.1).
   */
  private static ByteBuf update(int origin, int x) {
    ByteBuf update = Unpooled.buffer();
    update.writeLong(-1).writeLong(-1).writeShort(0).writeByte(2).writeShort(0);
    update.writeShort(20).writeMedium(0x400101).writeByte(origin);
    update.writeMedium(0x400206).writeShort(0x0201).writeInt(65002);
    update.writeMedium(0x400304).writeInt(0x0a000002);
    update.writeByte(16).writeByte(10).writeByte(x);
    return update.setShort(16, update.writerIndex());
  }

  /** Keeps what is logged, until it is closed. */
  private static final class LineHandler extends Handler implements AutoCloseable {
    private final Logger logger = Logger.getLogger("io.wayleave.bgp");
    private final List<String> lines = new ArrayList<>();

    LineHandler() {
      logger.addHandler(this);
    }

    @Override
    public void publish(LogRecord line) {
      lines.add(new SimpleFormatter().formatMessage(line));
    }

    @Override
    public void flush() {}

    @Override
    public void close() {
      logger.removeHandler(this);
    }
  }

  @Test
  void manyPeersOfARangeComeAndHearEachOther() {
    PeerConfig range =
        PeerConfig.of(
                "all",
                new PeerAddress.Range(Cidr.parse("10.0.0.0/8"), PEERS),
                new PeerAs.External())
            .withTransit(true);
    VirtualSpeaker a = VirtualSpeaker.start(network.host(A), config(A, 65001, range)).inSync();
    VirtualSpeaker[] peers = new VirtualSpeaker[PEERS];
    for (int i = 0; i < PEERS; i++) {
      String own = "10.5." + i / 100 + "." + (1 + i % 100);
      peers[i] =
          VirtualSpeaker.start(network.host(own), config(own, 65100 + i, peer(A, 65001)))
              .inSync("10.6." + i + ".0/24");
    }
    assertThat(
            network.runUntil(
                () -> peers[0].routes.size() == PEERS - 1 && a.routes.size() == PEERS,
                Duration.ofMinutes(2)))
        .isTrue();
    network.run(Duration.ofMinutes(5));
    for (VirtualSpeaker one : peers) {
      assertThat(one.routes.size()).isEqualTo(PEERS - 1);
      assertThat(one.status(A).counters().established()).isEqualTo(1);
    }
  }
}
