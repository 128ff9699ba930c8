package io.wayleave.bgp.bfd;

import io.wayleave.bgp.BfdSettings;
import io.wayleave.bgp.bfd.BfdState.Poll;
import io.wayleave.bgp.bfd.BfdState.Remote;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * RFC 5880 section 6.8 as a pure step: (settings, state, event, time) → (state, actions). Our side
 * is always active (section 6.1). Chance comes in as a number, so that the same step can be done
 * again.
 */
final class BfdMachine {
  /** While not Up, no faster than this (RFC 5880 section 6.8.3). */
  static final long SLOW_MICROS = 1_000_000;

  private BfdMachine() {}

  /** A session whose first packet is due at once. */
  static BfdState initial(BfdSettings settings, int discriminator, long now) {
    if (discriminator == 0) {
      throw new IllegalArgumentException("a discriminator is not 0");
    }
    long slow = Math.max(micros(settings.transmit()), SLOW_MICROS);
    return new BfdState(
        BfdPhase.DOWN,
        Diagnostic.NONE,
        discriminator,
        Remote.UNKNOWN,
        slow,
        micros(settings.receive()),
        slow,
        micros(settings.receive()),
        Poll.NONE,
        OptionalLong.of(now),
        OptionalLong.empty());
  }

  /**
   * Does one event.
   *
   * @param now nanoseconds, of a monotonic clock
   * @param random from 0 (included) to 1 (not included), another one for each step
   */
  static BfdStep step(
      BfdSettings settings, BfdState state, BfdEvent event, long now, double random) {
    Draft draft = new Draft(settings, state, now, random);
    switch (event) {
      case BfdEvent.Received(BfdPacket packet) -> draft.received(packet);
      case BfdEvent.Time() -> draft.time();
      case BfdEvent.Disabled() ->
          draft.enter(BfdPhase.ADMIN_DOWN, Diagnostic.ADMINISTRATIVELY_DOWN);
      case BfdEvent.Enabled() -> draft.enabled();
      case BfdEvent.Reconfigured() -> draft.announce();
    }
    return draft.finish();
  }

  private static long micros(Duration time) {
    return time.toNanos() / 1_000;
  }

  /** The state while a step works on it. */
  private static final class Draft {
    private final BfdSettings settings;
    private final long now;
    private final double random;
    private final int discriminator;
    private final List<BfdAction> actions = new ArrayList<>();
    private BfdPhase phase;
    private Diagnostic diagnostic;
    private Remote remote;
    private long desiredMinTx;
    private long requiredMinRx;
    private long usedMinTx;
    private long usedMinRx;
    private Poll poll;
    private OptionalLong sendAt;
    private OptionalLong detectAt;
    // Our next packet would say something new (RFC 5880 section 6.8.7: then it should go at once).
    private boolean news;
    private boolean answersPoll;

    Draft(BfdSettings settings, BfdState state, long now, double random) {
      this.settings = settings;
      this.now = now;
      this.random = random;
      discriminator = state.discriminator();
      phase = state.phase();
      diagnostic = state.diagnostic();
      remote = state.remote();
      desiredMinTx = state.desiredMinTx();
      requiredMinRx = state.requiredMinRx();
      usedMinTx = state.usedMinTx();
      usedMinRx = state.usedMinRx();
      poll = state.poll();
      sendAt = state.sendAt();
      detectAt = state.detectAt();
    }

    /** RFC 5880 section 6.8.6, after the session was found. */
    void received(BfdPacket packet) {
      remote = Remote.of(packet);
      if (packet.isFinal()) {
        endPoll();
      }
      if (phase == BfdPhase.ADMIN_DOWN) {
        awaitNextPacket();
        return;
      }
      if (packet.phase() == BfdPhase.ADMIN_DOWN) {
        if (phase != BfdPhase.DOWN) {
          enter(BfdPhase.DOWN, Diagnostic.NEIGHBOUR_SIGNALLED_DOWN);
        }
      } else {
        handshake(packet.phase());
      }
      answersPoll = packet.poll();
      awaitNextPacket();
    }

    /** The table of RFC 5880 section 6.2: three ways to Up, and down together. */
    private void handshake(BfdPhase theirs) {
      switch (phase) {
        case DOWN -> {
          if (theirs == BfdPhase.DOWN) {
            enter(BfdPhase.INIT, diagnostic);
          } else if (theirs == BfdPhase.INIT) {
            enter(BfdPhase.UP, Diagnostic.NONE);
          }
        }
        case INIT -> {
          if (theirs == BfdPhase.INIT || theirs == BfdPhase.UP) {
            enter(BfdPhase.UP, Diagnostic.NONE);
          }
        }
        case UP -> {
          if (theirs == BfdPhase.DOWN) {
            enter(BfdPhase.DOWN, Diagnostic.NEIGHBOUR_SIGNALLED_DOWN);
          }
        }
        case ADMIN_DOWN -> {}
      }
    }

    private void awaitNextPacket() {
      detectAt = OptionalLong.of(now + remote.detectionTime(usedMinRx) * 1_000);
    }

    void time() {
      if (detectAt.isPresent() && now - detectAt.getAsLong() >= 0) {
        detectAt = OptionalLong.empty();
        Remote lost = remote;
        // RFC 5880 section 6.8.1: the discriminator is forgotten. So is the rest: a peer that comes
        // back may be another one, and a last wish of "send me nothing" would be kept for ever.
        remote = Remote.UNKNOWN;
        poll = Poll.NONE;
        if (phase == BfdPhase.INIT || phase == BfdPhase.UP) {
          enter(BfdPhase.DOWN, Diagnostic.DETECTION_TIME_EXPIRED, lost);
        }
      }
      if (sendAt.isPresent() && now - sendAt.getAsLong() >= 0) {
        news = true;
      }
    }

    void enabled() {
      // RFC 5880 section 6.8.16
      if (phase == BfdPhase.ADMIN_DOWN) {
        enter(BfdPhase.DOWN, diagnostic);
      }
    }

    void enter(BfdPhase next, Diagnostic why) {
      enter(next, why, remote);
    }

    private void enter(BfdPhase next, Diagnostic why, Remote known) {
      if (phase == next) {
        return;
      }
      actions.add(new BfdAction.Changed(phase, next, why, known));
      phase = next;
      diagnostic = why;
      news = true;
      announce();
    }

    /** RFC 5880 section 6.8.3: what we ask of the peer follows the settings and the phase. */
    void announce() {
      long tx =
          phase == BfdPhase.UP
              ? micros(settings.transmit())
              : Math.max(micros(settings.transmit()), SLOW_MICROS);
      long rx = micros(settings.receive());
      if (tx == desiredMinTx && rx == requiredMinRx) {
        return;
      }
      desiredMinTx = tx;
      requiredMinRx = rx;
      news = true;
      if (remote.discriminator() == 0) {
        // Nobody knows the former values, so nobody needs to hear of new ones.
        usedMinTx = tx;
        usedMinRx = rx;
        return;
      }
      if (phase == BfdPhase.UP) {
        // Not slower and not less patient before the peer has agreed.
        usedMinTx = Math.min(usedMinTx, tx);
        usedMinRx = Math.max(usedMinRx, rx);
      } else {
        usedMinTx = tx;
        usedMinRx = rx;
      }
      poll = poll == Poll.NONE ? Poll.RUNNING : Poll.AGAIN;
    }

    private void endPoll() {
      switch (poll) {
        case NONE -> {}
        case RUNNING -> {
          poll = Poll.NONE;
          usedMinTx = desiredMinTx;
          usedMinRx = requiredMinRx;
        }
        case AGAIN -> {
          poll = Poll.RUNNING;
          news = true;
        }
      }
    }

    BfdStep finish() {
      if (answersPoll) {
        // RFC 5880 section 6.8.7: at once, never with the P bit, and whatever the intervals say.
        actions.add(new BfdAction.Send(packet(true)));
      } else if (news) {
        actions.add(new BfdAction.Send(packet(false)));
        sendAt = OptionalLong.empty();
      }
      schedule();
      return new BfdStep(
          new BfdState(
              phase,
              diagnostic,
              discriminator,
              remote,
              desiredMinTx,
              requiredMinRx,
              usedMinTx,
              usedMinRx,
              poll,
              sendAt,
              detectAt),
          actions);
    }

    private void schedule() {
      if (!sendsPeriodically()) {
        sendAt = OptionalLong.empty();
        return;
      }
      long interval = remote.sendInterval(usedMinTx) * 1_000;
      // A shorter interval counts from now on; a longer one after the packet that is due already.
      if (sendAt.isEmpty() || sendAt.getAsLong() - now > interval) {
        sendAt = OptionalLong.of(now + jittered(interval));
      }
    }

    /** RFC 5880 section 6.8.7. */
    private boolean sendsPeriodically() {
      boolean onDemand =
          remote.demand()
              && phase == BfdPhase.UP
              && remote.phase() == BfdPhase.UP
              && poll == Poll.NONE;
      return remote.requiredMinRx() != 0 && !onDemand;
    }

    /**
     * RFC 5880 section 6.8.7: shorter by up to a quarter; with a multiplier of 1 by a tenth at
     * least, or each packet would come just when the peer gives up.
     */
    private long jittered(long interval) {
      double span = settings.multiplier() == 1 ? 0.15 : 0.25;
      return (long) (interval * (0.75 + span * random));
    }

    private BfdPacket packet(boolean isFinal) {
      return new BfdPacket(
          diagnostic,
          phase,
          !isFinal && poll != Poll.NONE,
          isFinal,
          false,
          false,
          settings.multiplier(),
          discriminator,
          remote.discriminator(),
          desiredMinTx,
          requiredMinRx,
          0);
    }
  }
}
