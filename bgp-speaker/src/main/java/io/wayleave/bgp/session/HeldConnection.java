package io.wayleave.bgp.session;

import static java.util.Objects.requireNonNull;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.wayleave.bgp.wire.BgpDecoder;
import io.wayleave.bgp.wire.BgpMessage;
import io.wayleave.bgp.wire.CodecContext;
import io.wayleave.bgp.wire.DecodeOutcome;
import io.wayleave.bgp.wire.FrameSplitter;
import java.time.Duration;
import java.util.Optional;

/**
 * A connection of the peer that came while our own has no answer yet. It gets none either until
 * there is one: the peer may not have seen our connection, and if the session were up on its own by
 * then, it would take ours for that of a restarted speaker and drop the session for it (RFC 4724
 * section 5, as BIRD and FRR have it). What the peer says meanwhile is kept for whoever takes over.
 * Owned by the {@link Loop} thread.
 */
final class HeldConnection implements Transport.Handler {
  /** A dial that nobody answers must not keep the peer's from becoming a session. */
  static final Duration LONGEST = Duration.ofSeconds(1);

  /** Before it is answered a peer says no more than an OPEN. */
  private static final int MOST_OCTETS = 4096;

  /** Decides how long it is held. */
  interface Owner {
    /** The peer's OPEN is known. */
    void openKnown(HeldConnection held);

    /** It must wait no longer. */
    void waited(HeldConnection held);

    /** The peer has closed it. */
    void gone(HeldConnection held);
  }

  private final Owner owner;
  private final Timer timer;
  private final ByteBuf said = Unpooled.buffer();
  private Optional<Transport.Connection> connection = Optional.empty();
  private Optional<BgpMessage.Open> open = Optional.empty();
  private Optional<Transport.Handler> successor = Optional.empty();

  HeldConnection(Loop loop, Owner owner) {
    this.owner = requireNonNull(owner, "owner is null");
    timer = new Timer(loop, () -> owner.waited(this));
  }

  /** Who the peer says it is; empty until it has said so. */
  Optional<BgpMessage.Open> open() {
    return open;
  }

  /** The handler has it from now on, and hears first what was said. */
  void handOver(Transport.Handler handler) {
    timer.stop();
    successor = Optional.of(handler);
    handler.connected(connection.orElseThrow());
    if (said.isReadable()) {
      handler.received(said);
    }
  }

  /** Closes it without a word. */
  void discard() {
    timer.stop();
    connection.ifPresent(Transport.Connection::close);
  }

  @Override
  public void connected(Transport.Connection made) {
    connection = Optional.of(made);
    timer.start(LONGEST);
  }

  @Override
  public void received(ByteBuf bytes) {
    if (successor.isPresent()) {
      successor.get().received(bytes);
      return;
    }
    said.writeBytes(bytes);
    if (open.isEmpty()
        && FrameSplitter.next(said.duplicate(), MOST_OCTETS)
            instanceof FrameSplitter.Frame.Complete(ByteBuf frame)
        && BgpDecoder.decode(frame, CodecContext.initial())
            instanceof DecodeOutcome.Decoded(BgpMessage.Open first, _)) {
      open = Optional.of(first);
      owner.openKnown(this);
    } else if (said.readableBytes() > MOST_OCTETS) {
      owner.waited(this);
    }
  }

  @Override
  public void writable() {
    successor.ifPresent(Transport.Handler::writable);
  }

  @Override
  public void closed(String reason) {
    timer.stop();
    successor.ifPresentOrElse(to -> to.closed(reason), () -> owner.gone(this));
  }
}
