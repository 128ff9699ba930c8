package io.wayleave.bgp;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.wayleave.bgp.session.NettyLoop;
import io.wayleave.bgp.session.NettyTransport;
import io.wayleave.bgp.session.Transport;
import io.wayleave.bgp.wire.AddressFamily;
import io.wayleave.bgp.wire.AttributeCache;
import io.wayleave.bgp.wire.BgpDecoder;
import io.wayleave.bgp.wire.BgpEncoder;
import io.wayleave.bgp.wire.BgpMessage;
import io.wayleave.bgp.wire.Capability;
import io.wayleave.bgp.wire.CodecContext;
import io.wayleave.bgp.wire.DecodeOutcome;
import io.wayleave.bgp.wire.FrameSplitter;
import io.wayleave.bgp.wire.PrefixList;
import io.wayleave.model.Asn;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.time.Duration;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A peer on real TCP that costs next to nothing, so that one thread has a thousand of them: it
 * dials, sends OPEN, what it is told to say, and KEEPALIVEs, and remembers the prefixes that it is
 * told of. No table, no machine. What it knows is of the loop's thread; the counts may be read by
 * any.
 */
final class LightPeer implements Transport.Handler {
  private final NettyLoop loop;
  private final BgpMessage.Open open;
  private final ByteBuf rest = Unpooled.buffer(0);
  // By the number that Prefixes has for each: a million sets of addresses would cost more than the
  // speaker.
  private final BitSet known = new BitSet();
  private final Prefixes prefixes;
  private CodecContext codec = CodecContext.initial();
  private Transport.Connection connection;
  private Runnable whenWritable = () -> {};
  private long lastKeepalive;
  private volatile int routes;
  private volatile int keepalives;
  private volatile long longestSilence;
  private volatile boolean established;
  private volatile Optional<String> ended = Optional.empty();

  /** What the peers of one loop share. */
  static final class Prefixes {
    private final AttributeCache attributes = new AttributeCache();
    private final Map<Long, Integer> numbers = new HashMap<>();

    private int number(PrefixList list, int index) {
      return numbers.computeIfAbsent(
          list.low(index) << 8 | list.length(index), _ -> numbers.size());
    }
  }

  private LightPeer(NettyLoop loop, BgpMessage.Open open, Prefixes prefixes) {
    this.loop = loop;
    this.open = open;
    this.prefixes = prefixes;
  }

  /** Dials; the session comes up by itself. */
  static LightPeer dial(
      NettyLoop loop, Prefixes prefixes, IpAddress from, ListenAddress to, int as, int holdTime) {
    BgpMessage.Open open =
        BgpMessage.Open.of(
            Asn.of(as),
            holdTime,
            RouterId.parse(from.toString()),
            List.of(
                new Capability.MultiProtocol(AddressFamily.IPV4_UNICAST),
                new Capability.RouteRefresh(),
                new Capability.FourOctetAs(Asn.of(as))));
    LightPeer peer = new LightPeer(loop, open, prefixes);
    Transport.Target target =
        new Transport.Target(
            ScopedAddress.of(to.address()), to.port(), Optional.of(from), PeerSecurity.NONE);
    loop.execute(() -> new NettyTransport(loop).dial(target, peer));
    return peer;
  }

  /** Prefixes that it knows now. */
  int routes() {
    return routes;
  }

  /** KEEPALIVEs that it has heard. */
  int keepalives() {
    return keepalives;
  }

  /** The longest time between two KEEPALIVEs. */
  Duration longestSilence() {
    return Duration.ofNanos(longestSilence);
  }

  boolean established() {
    return established;
  }

  /** Why the connection is gone, if it is. */
  Optional<String> ended() {
    return ended;
  }

  void send(BgpMessage... messages) {
    loop.execute(
        () -> {
          ByteBuf out = Unpooled.buffer();
          for (BgpMessage message : messages) {
            BgpEncoder.encode(message, codec, out);
          }
          connection.write(out);
          connection.flush();
        });
  }

  /** Sends those whole messages for as long as the session lasts, as fast as they are taken. */
  void flood(ByteBuf messages) {
    Runnable more =
        () -> {
          while (ended.isEmpty() && connection.isWritable()) {
            connection.write(messages.retainedDuplicate());
            connection.flush();
          }
        };
    loop.execute(
        () -> {
          whenWritable = more;
          more.run();
        });
  }

  void close() {
    loop.execute(
        () -> {
          whenWritable = () -> {};
          ended = Optional.of("closed by itself");
          connection.close();
        });
  }

  CodecContext codec() {
    return codec;
  }

  @Override
  public void connected(Transport.Connection made) {
    connection = made;
    send(open);
  }

  @Override
  public void received(ByteBuf bytes) {
    rest.writeBytes(bytes);
    while (FrameSplitter.next(rest, codec.maxReceive())
        instanceof FrameSplitter.Frame.Complete(ByteBuf frame)) {
      if (!(BgpDecoder.decode(frame, codec, prefixes.attributes)
          instanceof DecodeOutcome.Decoded(BgpMessage message, List<?> _))) {
        throw new AssertionError("the speaker sent what cannot be read");
      }
      take(message);
    }
    rest.discardReadBytes();
  }

  private void take(BgpMessage message) {
    switch (message) {
      case BgpMessage.Open theirs -> {
        codec = CodecContext.negotiate(open, theirs);
        keepAlive();
      }
      case BgpMessage.Keepalive() -> {
        established = true;
        int heard = keepalives;
        long now = System.nanoTime();
        if (heard > 0) {
          longestSilence = Math.max(longestSilence, now - lastKeepalive);
        }
        lastKeepalive = now;
        keepalives = heard + 1;
      }
      case BgpMessage.Update update -> {
        update.unreach().forEach(gone -> mark(gone.prefixes(), false));
        update.reach().forEach(told -> mark(told.prefixes(), true));
        routes = known.cardinality();
      }
      case BgpMessage.Notification notification -> ended = Optional.of(notification.toString());
      case BgpMessage.RouteRefresh _ -> {}
    }
  }

  private void mark(PrefixList list, boolean told) {
    for (int i = 0; i < list.size(); i++) {
      known.set(prefixes.number(list, i), told);
    }
  }

  private void keepAlive() {
    if (ended.isEmpty()) {
      send(BgpMessage.Keepalive.INSTANCE);
      var _ = loop.schedule(Duration.ofSeconds(open.holdTime()).dividedBy(3), this::keepAlive);
    }
  }

  @Override
  public void writable() {
    whenWritable.run();
  }

  @Override
  public void closed(String reason) {
    whenWritable = () -> {};
    ended = Optional.of(ended.orElse(reason));
  }
}
