package io.wayleave.bgp.fsm;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.wire.BgpMessage.Notification;
import java.time.Duration;

/**
 * What can happen to a connection's state machine. The number of each event is that of RFC 4271
 * section 8.1.
 */
public sealed interface Event {
  /**
   * Events 1 and 3 to 7: somebody wants the session. Whether it dials (1, 3, 6) or waits (4, 5, 7)
   * is in the settings, and so is the damping (6, 7).
   */
  record Start() implements Event {}

  /** Event 2: nobody wants the session any more; Cease with this subcode goes out. */
  record Stop(Notification cease) implements Event {
    public Stop {
      requireNonNull(cease, "cease is null");
    }
  }

  /** Event 8: the speaker itself ends the session; Cease with this subcode goes out. */
  record AutomaticStop(Notification cease, Comeback comeback) implements Event {
    public AutomaticStop {
      requireNonNull(cease, "cease is null");
      requireNonNull(comeback, "comeback is null");
    }
  }

  /** Whether a session that the speaker ended is tried again by itself. */
  sealed interface Comeback {
    /** As after any failure (DampPeerOscillations). */
    record Damped() implements Comeback {}

    record After(Duration time) implements Comeback {
      public After {
        requireNonNull(time, "time is null");
      }
    }

    /** Not before {@link Start}. */
    record Never() implements Comeback {}
  }

  /**
   * The process is about to be replaced and keeps forwarding: the connection is closed and nothing
   * said, because a NOTIFICATION would end graceful restart (RFC 4724 section 4). Not an event of
   * RFC 4271.
   */
  record StopForRestart() implements Event {}

  /** Event 9. */
  record ConnectRetryExpired() implements Event {}

  /** Event 10. */
  record HoldExpired() implements Event {}

  /** Event 11. */
  record KeepaliveExpired() implements Event {}

  /** Event 29 of RFC 9687: the peer has taken nothing of what we sent for too long. */
  record SendHoldExpired() implements Event {}

  /** Event 13. */
  record IdleHoldExpired() implements Event {}

  /** Events 16 (our dial succeeded) and 17 (a connection of the peer was accepted). */
  record TcpConnected() implements Event {}

  /** Event 18, with what the kernel says. */
  record TcpFailed(String reason) implements Event {
    public TcpFailed {
      requireNonNull(reason, "reason is null");
    }
  }

  /** Event 19: an OPEN that passed {@link OpenCheck}, and what follows from it. */
  record OpenReceived(Negotiated negotiated) implements Event {
    public OpenReceived {
      requireNonNull(negotiated, "negotiated is null");
    }
  }

  /** Event 21: the header of a message is wrong (RFC 4271 section 6.1). */
  record HeaderError(Notification answer) implements Event {
    public HeaderError {
      requireNonNull(answer, "answer is null");
    }
  }

  /** Event 22: an OPEN is malformed or refused (RFC 4271 section 6.2). */
  record OpenError(Notification answer) implements Event {
    public OpenError {
      requireNonNull(answer, "answer is null");
    }
  }

  /** Event 23: this connection lost against another one (RFC 4271 section 6.8). */
  record CollisionDump() implements Event {}

  /**
   * Events 24 (unsupported version) and 25; without DelayOpen they are treated alike in every
   * state.
   */
  record NotificationReceived(Notification notification) implements Event {
    public NotificationReceived {
      requireNonNull(notification, "notification is null");
    }
  }

  /** Event 26. */
  record KeepaliveReceived() implements Event {}

  /** Event 27. The message itself goes to the RIB beside the machine once the step allows it. */
  record UpdateReceived() implements Event {}

  /** Event 28: an UPDATE so wrong that the session must end (RFC 4271 section 6.3, RFC 7606). */
  record UpdateError(Notification answer) implements Event {
    public UpdateError {
      requireNonNull(answer, "answer is null");
    }
  }

  /** RFC 2918; in RFC 4271's table it would stand beside UPDATE. */
  record RouteRefreshReceived() implements Event {}
}
