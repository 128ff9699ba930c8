package io.wayleave.bgp;

/** Which next hop a peer is told for routes that were learned (RFC 4271 section 5.1.3). */
public enum NextHopMode {
  /** Own address to external peers; the received one to internal peers. */
  STANDARD,
  /** Own address always, also for reflected routes. */
  SELF,
  /** The received one always, also to external peers, as a route server does. */
  KEEP
}
