package io.wayleave.bgp.fsm;

/**
 * The timers of RFC 4271 section 8.1.3 that are used. There is no DelayOpenTimer: the optional
 * attribute DelayOpen is off, so events 12 and 20 do not exist here.
 */
public enum FsmTimer {
  CONNECT_RETRY,
  HOLD,
  KEEPALIVE,
  /**
   * RFC 9687, while Established. Its owner starts it again whenever the connection has taken
   * octets.
   */
  SEND_HOLD,
  IDLE_HOLD
}
