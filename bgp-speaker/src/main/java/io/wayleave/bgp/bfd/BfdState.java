package io.wayleave.bgp.bfd;

import static java.util.Objects.requireNonNull;

import java.util.OptionalLong;

/**
 * The variables of one session (RFC 5880 section 6.8.1), and when time moves it next. Intervals are
 * in microseconds; times are nanoseconds of the caller's monotonic clock.
 *
 * @param diagnostic why the phase changed last
 * @param discriminator ours, not 0
 * @param desiredMinTx as announced
 * @param requiredMinRx as announced
 * @param usedMinTx what our sending is timed by; slower than {@code desiredMinTx} never, faster
 *     until the peer knows of an increase (section 6.8.3)
 * @param usedMinRx what the detection time is reckoned with; longer than {@code requiredMinRx}
 *     until the peer knows of a decrease (section 6.8.3)
 * @param sendAt the next periodic packet; empty when none may be sent
 * @param detectAt when the peer is lost; empty when it is not heard
 */
record BfdState(
    BfdPhase phase,
    Diagnostic diagnostic,
    int discriminator,
    Remote remote,
    long desiredMinTx,
    long requiredMinRx,
    long usedMinTx,
    long usedMinRx,
    Poll poll,
    OptionalLong sendAt,
    OptionalLong detectAt) {
  /** Of the poll sequence (RFC 5880 section 6.5). */
  enum Poll {
    NONE,
    RUNNING,
    /** Something changed while it ran: another one follows it. */
    AGAIN
  }

  /** What the last packet of the peer said. */
  record Remote(
      BfdPhase phase,
      Diagnostic diagnostic,
      int discriminator,
      long desiredMinTx,
      long requiredMinRx,
      int multiplier,
      boolean demand,
      boolean independent) {
    /** Nothing heard, with the initial values of RFC 5880 section 6.8.1. */
    static final Remote UNKNOWN =
        new Remote(BfdPhase.DOWN, Diagnostic.NONE, 0, 0, 1, 0, false, false);

    Remote {
      requireNonNull(phase, "phase is null");
      requireNonNull(diagnostic, "diagnostic is null");
    }

    /** Our packets are this far apart at most, before jitter (RFC 5880 section 6.8.2). */
    long sendInterval(long usedMinTx) {
      return Math.max(usedMinTx, requiredMinRx);
    }

    /** Silence for longer than this is a broken path (RFC 5880 section 6.8.4); 0 when unknown. */
    long detectionTime(long usedMinRx) {
      return multiplier * Math.max(usedMinRx, desiredMinTx);
    }

    static Remote of(BfdPacket packet) {
      return new Remote(
          packet.phase(),
          packet.diagnostic(),
          packet.myDiscriminator(),
          packet.desiredMinTx(),
          packet.requiredMinRx(),
          packet.multiplier(),
          packet.demand(),
          packet.independent());
    }
  }

  BfdState {
    requireNonNull(phase, "phase is null");
    requireNonNull(diagnostic, "diagnostic is null");
    requireNonNull(remote, "remote is null");
    requireNonNull(poll, "poll is null");
    requireNonNull(sendAt, "sendAt is null");
    requireNonNull(detectAt, "detectAt is null");
  }

  /** When {@link BfdEvent.Time} is due. */
  OptionalLong wakeAt() {
    if (sendAt.isEmpty()) {
      return detectAt;
    }
    if (detectAt.isEmpty()) {
      return sendAt;
    }
    return sendAt.getAsLong() - detectAt.getAsLong() <= 0 ? sendAt : detectAt;
  }

  /** In microseconds. */
  long sendInterval() {
    return remote.sendInterval(usedMinTx);
  }

  /** In microseconds; 0 before the peer was heard. */
  long detectionTime() {
    return remote.detectionTime(usedMinRx);
  }
}
