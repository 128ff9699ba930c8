package io.wayleave.bgp.fsm;

import io.wayleave.bgp.wire.BgpMessage.Notification;
import java.time.Duration;

/** What the owner of a state machine does after a step, in the order given. */
public sealed interface Action {
  record Dial() implements Action {}

  record SendOpen() implements Action {}

  record SendKeepalive() implements Action {}

  record SendNotification(Notification notification) implements Action {}

  /** Ends the connection, or the attempt to make one, if there is any. */
  record CloseConnection() implements Action {}

  /**
   * Starts the timer, or starts it again. CONNECT_RETRY and KEEPALIVE are to be jittered by 0.75 to
   * 1.0 (RFC 4271 section 10); a step is pure, so it draws no random number itself.
   */
  record StartTimer(FsmTimer timer, Duration after) implements Action {}

  record StopTimer(FsmTimer timer) implements Action {}

  /** The session carries routes from now on. */
  record SessionUp(Negotiated negotiated) implements Action {}

  /** A session that was up is not any more: its routes are deleted, or kept as stale. */
  record SessionDown(DownCause cause) implements Action {}

  /** An attempt failed before the session was up. */
  record AttemptFailed(DownCause cause) implements Action {}
}
