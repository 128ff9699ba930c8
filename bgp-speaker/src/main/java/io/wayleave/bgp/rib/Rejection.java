package io.wayleave.bgp.rib;

/** Why a received path may not be used at all. */
public enum Rejection {
  /** RFC 4271 section 9.1.2: the AS path contains our own AS. */
  AS_LOOP("own AS in the AS path"),
  /** RFC 4456 section 8: the route is one that we told a reflector ourselves. */
  ORIGINATOR_LOOP("own router id is the originator"),
  /** RFC 4271 section 5.1.3: "MUST NOT install a route with itself as the next hop". */
  NEXT_HOP_IS_SELF("next hop is our own address"),
  /** Not the address of a host. */
  NEXT_HOP_INVALID("next hop is not the address of a host"),
  /** The owner's resolver knows no way to the next hop (RFC 4271 section 9.1.2.1). */
  NEXT_HOP_UNREACHABLE("next hop is not reachable");

  private final String text;

  Rejection(String text) {
    this.text = text;
  }

  @Override
  public String toString() {
    return text;
  }
}
