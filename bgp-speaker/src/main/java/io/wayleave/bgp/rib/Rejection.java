package io.wayleave.bgp.rib;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.IpAddress;

/**
 * Why a received path may not be used at all.
 *
 * @param text for people
 */
public record Rejection(String text) {
  /** RFC 4271 section 9.1.2: the AS path contains our own AS. */
  public static final Rejection AS_LOOP = new Rejection("own AS in the AS path");

  /** RFC 4456 section 8: the route is one that we told a reflector ourselves. */
  public static final Rejection ORIGINATOR_LOOP = new Rejection("own router id is the originator");

  /** RFC 4456 section 8: the route has been reflected in our cluster before. */
  public static final Rejection CLUSTER_LOOP = new Rejection("own cluster id in the cluster list");

  /** RFC 4271 section 5.1.3: "MUST NOT install a route with itself as the next hop". */
  public static final Rejection NEXT_HOP_IS_SELF = new Rejection("next hop is our own address");

  /** Not the address of a host. */
  public static final Rejection NEXT_HOP_INVALID =
      new Rejection("next hop is not the address of a host");

  /** RFC 8212 section 2: the peer is believed nothing before it has a policy. */
  public static final Rejection NO_POLICY = new Rejection("no import policy, which is required");

  public Rejection {
    requireNonNull(text, "text is null");
  }

  /** No way is known to the next hop (RFC 4271 section 9.1.2). */
  static Rejection unreachable(IpAddress nextHop) {
    return new Rejection("next hop " + nextHop + " unreachable");
  }

  /** Rejected by that rule. */
  static Rejection by(String rule) {
    return new Rejection("rejected by " + rule);
  }

  @Override
  public String toString() {
    return text;
  }
}
