package io.wayleave.bgp;

import io.wayleave.model.InvalidInputException;
import java.time.Duration;

/**
 * How this speaker uses graceful restart (RFC 4724).
 *
 * @param enabled whether the capability is sent at all; without it neither side keeps routes
 * @param notification whether a NOTIFICATION or an expired hold timer is graceful too, where the
 *     peer agrees (RFC 8538): routes are kept after them as after a lost connection, unless the
 *     NOTIFICATION says Hard Reset
 * @param restartTime how long we ask peers to keep our routes while we are away; whole seconds, 1
 *     to 4095 (12 bits on the wire, section 3)
 * @param reconnectWait how long after a start a peer is waited for that has no session yet; and
 *     from its session on, how long the sweep of an earlier run's routes waits for a peer that
 *     restarts itself or has no graceful restart
 * @param selectionDeferral how long, from its session on, the choice of best paths after a restart
 *     waits for a peer's End-of-RIB (Selection_Deferral_Timer, section 4.1), for each peer on its
 *     own; nobody is waited for longer than this and {@code reconnectWait} together
 * @param staleTime how long after the peer came back its stale routes are kept without End-of-RIB
 *     (section 4.2, the upper bound that a receiving speaker should have)
 */
public record GracefulRestart(
    boolean enabled,
    boolean notification,
    Duration restartTime,
    Duration reconnectWait,
    Duration selectionDeferral,
    Duration staleTime) {
  public static final GracefulRestart DEFAULT =
      new GracefulRestart(
          true,
          true,
          Duration.ofSeconds(120),
          Duration.ofSeconds(10),
          Duration.ofSeconds(60),
          Duration.ofSeconds(360));

  /** Nobody keeps anything; the waits after a start are those of {@link #DEFAULT}. */
  public static final GracefulRestart OFF =
      new GracefulRestart(
          false,
          false,
          DEFAULT.restartTime,
          DEFAULT.reconnectWait,
          DEFAULT.selectionDeferral,
          DEFAULT.staleTime);

  public GracefulRestart {
    checkRestartTime(restartTime);
    requireNotNegative("reconnectWait", reconnectWait);
    requireNotNegative("selectionDeferral", selectionDeferral);
    requireNotNegative("staleTime", staleTime);
  }

  public GracefulRestart withNotification(boolean graceful) {
    return new GracefulRestart(
        enabled, graceful, restartTime, reconnectWait, selectionDeferral, staleTime);
  }

  public GracefulRestart withRestartTime(Duration time) {
    return new GracefulRestart(
        enabled, notification, time, reconnectWait, selectionDeferral, staleTime);
  }

  public GracefulRestart withReconnectWait(Duration time) {
    return new GracefulRestart(
        enabled, notification, restartTime, time, selectionDeferral, staleTime);
  }

  public GracefulRestart withSelectionDeferral(Duration time) {
    return new GracefulRestart(enabled, notification, restartTime, reconnectWait, time, staleTime);
  }

  public GracefulRestart withStaleTime(Duration time) {
    return new GracefulRestart(
        enabled, notification, restartTime, reconnectWait, selectionDeferral, time);
  }

  /** The field has 12 bits on the wire and counts seconds (RFC 4724 section 3). */
  static void checkRestartTime(Duration time) {
    long seconds = time.toSeconds();
    if (seconds < 1 || seconds > 4095 || !time.equals(Duration.ofSeconds(seconds))) {
      throw new InvalidInputException(
          "restartTime", time.toString(), "whole seconds from 1 to 4095");
    }
  }

  private static void requireNotNegative(String field, Duration time) {
    if (time.isNegative()) {
      throw new InvalidInputException(field, time.toString(), "0 s or more");
    }
  }
}
