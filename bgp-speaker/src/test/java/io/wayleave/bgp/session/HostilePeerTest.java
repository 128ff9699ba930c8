package io.wayleave.bgp.session;

import static io.wayleave.bgp.session.VirtualSpeaker.config;
import static io.wayleave.bgp.session.VirtualSpeaker.peer;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.wayleave.bgp.NoLeaks;
import io.wayleave.bgp.PeerAddress;
import io.wayleave.bgp.PeerAs;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.wire.AddressFamily;
import io.wayleave.bgp.wire.BgpEncoder;
import io.wayleave.bgp.wire.BgpMessage;
import io.wayleave.bgp.wire.Capability;
import io.wayleave.bgp.wire.NotificationText;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.RouterId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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

  /** Bad UPDATEs whose session goes on, each with another text, one a millisecond. */
  @Test
  void aFloodOfFaultsDoesNotFillTheLog() {
    ScriptedPeer hostile =
        ScriptedPeer.listen(
            network.host(B),
            BgpMessage.Open.of(
                Asn.of(65002),
                90,
                RouterId.parse(B),
                List.of(
                    new Capability.MultiProtocol(AddressFamily.IPV4_UNICAST),
                    new Capability.FourOctetAs(Asn.of(65002)))));
    List<String> lines = new ArrayList<>();
    Handler handler = new LineHandler(lines);
    Logger logger = Logger.getLogger("io.wayleave.bgp");
    logger.addHandler(handler);
    try {
      VirtualSpeaker a = VirtualSpeaker.start(network.host(A), config(A, 65001, peer(B, 65002)));
      assertThat(network.runUntil(() -> a.established(B), Duration.ofSeconds(20))).isTrue();
      lines.clear();
      int flood = 1000;
      for (int i = 0; i < flood; i++) {
        hostile.sendBytes(withOrigin(3 + i % 200));
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
      hostile.sendBytes(withOrigin(3));
      network.run(Duration.ofMillis(1));
      assertThat(lines.getLast()).as("an interval later it is news").contains("bgp fault peer=");
    } finally {
      logger.removeHandler(handler);
    }
  }

  /** An UPDATE of 10.9.0.0/16 whose ORIGIN does not exist (RFC 7606 section 7.1). */
  private static ByteBuf withOrigin(int origin) {
    ByteBuf update = Unpooled.buffer();
    update.writeLong(-1).writeLong(-1).writeShort(0).writeByte(2).writeShort(0);
    update.writeShort(20).writeMedium(0x400101).writeByte(origin);
    update.writeMedium(0x400206).writeShort(0x0201).writeInt(65002);
    update.writeMedium(0x400304).writeInt(0x0a000002);
    update.writeByte(16).writeByte(10).writeByte(9);
    return update.setShort(16, update.writerIndex());
  }

  /** Keeps what is logged. */
  private static final class LineHandler extends Handler {
    private final List<String> lines;

    LineHandler(List<String> lines) {
      this.lines = lines;
    }

    @Override
    public void publish(LogRecord line) {
      lines.add(new SimpleFormatter().formatMessage(line));
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
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
