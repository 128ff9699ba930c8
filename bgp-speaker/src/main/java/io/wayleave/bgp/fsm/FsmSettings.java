package io.wayleave.bgp.fsm;

import io.wayleave.bgp.Timers;

/**
 * The session attributes of RFC 4271 section 8.1 that a step looks at. AllowAutomaticStart and
 * DampPeerOscillations are always on, DelayOpen and CollisionDetectEstablishedState always off.
 *
 * @param passive PassiveTcpEstablishment: never dial
 */
public record FsmSettings(boolean passive, Timers timers) {}
