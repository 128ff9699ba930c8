package io.wayleave.bgp.session;

import static io.wayleave.bgp.session.VirtualSpeaker.config;
import static io.wayleave.bgp.session.VirtualSpeaker.peer;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.wayleave.bgp.ListenAddress;
import io.wayleave.bgp.NoLeaks;
import io.wayleave.bgp.PeerSecurity;
import io.wayleave.bgp.ScopedAddress;
import io.wayleave.bgp.wire.AddressFamily;
import io.wayleave.bgp.wire.BgpDecoder;
import io.wayleave.bgp.wire.BgpEncoder;
import io.wayleave.bgp.wire.BgpMessage;
import io.wayleave.bgp.wire.BgpMessage.Keepalive;
import io.wayleave.bgp.wire.Capability;
import io.wayleave.bgp.wire.CodecContext;
import io.wayleave.bgp.wire.DecodeOutcome;
import io.wayleave.bgp.wire.FrameSplitter;
import io.wayleave.bgp.wire.Iana;
import io.wayleave.bgp.wire.Notifications;
import io.wayleave.model.Asn;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Two connections with one peer at once (RFC 4271 section 6.8), message by message: in whatever
 * order things happen there is one session, it stays, and the other connection is told why it ends.
 */
@ExtendWith(NoLeaks.class)
class CrossingConnectionsTest {
  private static final String US = "10.0.0.5";
  private static final String PEER = "10.0.0.2";
  private static final BgpMessage COLLISION = Notifications.cease(Iana.CEASE_CONNECTION_COLLISION);

  private final VirtualNetwork network = new VirtualNetwork();
  private final VirtualNetwork.Host host = network.host(PEER);
  // Connections that we have dialled, in order.
  private final List<End> dialled = new ArrayList<>();
  private VirtualSpeaker us;

  /** The peer's end of one connection, which says what the test makes it say. */
  private static final class End implements Transport.Handler {
    private final List<BgpMessage> heard = new ArrayList<>();
    private final ByteBuf rest = Unpooled.buffer();
    private Optional<Transport.Connection> connection = Optional.empty();
    private boolean closed;

    /** Says it and lets it arrive. */
    void say(BgpMessage... messages) {
      ByteBuf out = Unpooled.buffer();
      for (BgpMessage message : messages) {
        BgpEncoder.encode(message, CodecContext.initial(), out);
      }
      connection.orElseThrow().write(out);
      connection.orElseThrow().flush();
    }

    @Override
    public void connected(Transport.Connection made) {
      connection = Optional.of(made);
    }

    @Override
    public void received(ByteBuf bytes) {
      rest.writeBytes(bytes);
      while (FrameSplitter.next(rest, 65_535)
          instanceof FrameSplitter.Frame.Complete(ByteBuf frame)) {
        if (BgpDecoder.decode(frame, CodecContext.initial())
            instanceof DecodeOutcome.Decoded(BgpMessage message, _)) {
          heard.add(message);
        }
      }
      rest.discardReadBytes();
    }

    @Override
    public void writable() {}

    @Override
    public void closed(String reason) {
      closed = true;
    }
  }

  /** We dial at once, and the peer takes the connection. */
  private Transport.Listening start() {
    Transport.Listening listening;
    try {
      listening =
          host.listen(
              new ListenAddress(host.address(), ListenAddress.BGP_PORT),
              _ -> {
                End end = new End();
                dialled.add(end);
                return Optional.of(end);
              });
    } catch (Transport.ListenException e) {
      throw new AssertionError(e);
    }
    us = VirtualSpeaker.start(network.host(US), config(US, 65001, peer(PEER, 65002))).inSync();
    return listening;
  }

  /** The peer's own connection to us. */
  private End dial() {
    End end = new End();
    var _ =
        host.dial(
            new Transport.Target(
                ScopedAddress.of(IpAddress.parse(US)),
                ListenAddress.BGP_PORT,
                Optional.empty(),
                PeerSecurity.NONE),
            end);
    return end;
  }

  /** Without keepalives, and knowing graceful restart as every speaker today. */
  private static BgpMessage.Open open(String routerId) {
    return BgpMessage.Open.of(
        Asn.of(65002),
        0,
        RouterId.parse(routerId),
        List.of(
            new Capability.MultiProtocol(AddressFamily.IPV4_UNICAST),
            new Capability.GracefulRestart(false, true, 120, List.of())));
  }

  private void settle() {
    network.run(Duration.ofMillis(10));
  }

  private void assertOneSession(End with, End without) {
    assertThat(us.established(PEER)).isTrue();
    assertThat(with.closed).isFalse();
    assertThat(without.heard).endsWith(COLLISION);
    assertThat(without.closed).isTrue();
    network.run(Duration.ofMinutes(5));
    assertThat(us.established(PEER)).isTrue();
    assertThat(with.closed).isFalse();
    assertThat(us.status(PEER).counters().established()).isEqualTo(1);
    assertThat(dialled).as("connections that we dialled").hasSize(1);
  }

  /**
   * Else BIRD and FRR, which may see our connection only after they have read the KEEPALIVE on
   * theirs, would take it for that of a speaker that has restarted, and drop the session.
   */
  @Test
  void thePeersConnectionIsNotAnsweredBeforeOursIs() {
    start();
    End theirs = dial();
    settle();
    theirs.say(open("10.0.0.9"));
    settle();
    assertThat(theirs.heard).isEmpty();
    End ours = dialled.getFirst();
    ours.say(open("10.0.0.9"));
    settle();
    assertThat(theirs.heard).hasSize(2).endsWith(Keepalive.INSTANCE);
    theirs.say(Keepalive.INSTANCE);
    settle();
    assertOneSession(theirs, ours);
  }

  @Test
  void thePeersConnectionIsRefusedAtOnceWhereOursStays() {
    start();
    End theirs = dial();
    settle();
    theirs.say(open("10.0.0.1"));
    settle();
    assertThat(theirs.heard).containsExactly(COLLISION);
    dialled.getFirst().say(open("10.0.0.1"), Keepalive.INSTANCE);
    settle();
    assertOneSession(dialled.getFirst(), theirs);
  }

  @Test
  void thePeersConnectionDoesNotWaitForEver() {
    start();
    End theirs = dial();
    settle();
    theirs.say(open("10.0.0.9"));
    network.run(HeldConnection.LONGEST);
    assertThat(theirs.heard).hasSize(2).endsWith(Keepalive.INSTANCE);
    theirs.say(Keepalive.INSTANCE);
    settle();
    assertOneSession(theirs, dialled.getFirst());
  }

  /** The packets of our dial are not even refused. */
  @Test
  void thePeersConnectionDoesNotWaitForEverForADialEither() throws Transport.ListenException {
    start().setKeys(Map.of(IpAddress.parse(US).toCidr(), "a key that we do not have"));
    End theirs = dial();
    settle();
    theirs.say(open("10.0.0.1"));
    settle();
    assertThat(theirs.heard).isEmpty();
    network.run(HeldConnection.LONGEST);
    theirs.say(Keepalive.INSTANCE);
    settle();
    assertThat(us.established(PEER)).isTrue();
    assertThat(dialled).isEmpty();
  }

  @Test
  void aPeerThatGivesUpItsConnectionMeanwhileCostsNothing() {
    start();
    End theirs = dial();
    settle();
    theirs.connection.orElseThrow().close();
    settle();
    dialled.getFirst().say(open("10.0.0.9"), Keepalive.INSTANCE);
    network.run(Duration.ofMinutes(5));
    assertThat(us.established(PEER)).isTrue();
    assertThat(us.status(PEER).counters().established()).isEqualTo(1);
  }

  @Test
  void anOpenOnThePeersConnectionAfterTheSessionIsUpOnOurs() {
    start();
    End theirs = dial();
    settle();
    dialled.getFirst().say(open("10.0.0.1"), Keepalive.INSTANCE);
    settle();
    theirs.say(open("10.0.0.1"));
    settle();
    assertOneSession(dialled.getFirst(), theirs);
  }

  /** The peer's SYN was on its way when its KEEPALIVE on the other connection was. */
  @Test
  void aConnectionThatComesRightAfterTheSessionIsUp() {
    start();
    settle();
    dialled.getFirst().say(open("10.0.0.9"), Keepalive.INSTANCE);
    settle();
    assertThat(us.established(PEER)).isTrue();
    End theirs = dial();
    settle();
    theirs.say(open("10.0.0.9"));
    settle();
    assertOneSession(dialled.getFirst(), theirs);
  }

  /** Both OPENs are answered before either KEEPALIVE comes. */
  @ParameterizedTest
  @CsvSource({"10.0.0.9, true", "10.0.0.9, false", "10.0.0.1, true", "10.0.0.1, false"})
  void theHigherIdentifiersConnectionStays(String id, boolean oursFirst) {
    start();
    End theirs = dial();
    settle();
    End ours = dialled.getFirst();
    for (End end : oursFirst ? List.of(ours, theirs) : List.of(theirs, ours)) {
      end.say(open(id));
      settle();
    }
    boolean peerWins = id.equals("10.0.0.9");
    End winner = peerWins ? theirs : ours;
    End loser = peerWins ? ours : theirs;
    assertThat(loser.heard).endsWith(COLLISION);
    winner.say(Keepalive.INSTANCE);
    settle();
    assertOneSession(winner, loser);
  }
}
