package io.wayleave.bgp.rib;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.PathAttributes;
import java.util.Optional;

/**
 * A way to some prefixes: what the Adj-RIB-In holds. It is kept as received, before any policy, and
 * kept when it is unusable, so that people can be told why.
 *
 * @param nextHop for a local route the address that eBGP and iBGP peers are told is the session's
 *     own; this one is then unspecified and unused
 * @param rejection why the path may not be used
 */
public record Path(
    PathSource source, PathAttributes attributes, NextHop nextHop, Optional<Rejection> rejection)
    implements Candidates {
  /** LOCAL_PREF of a path that has none: RFC 4271 leaves it open, every implementation has 100. */
  static final long DEFAULT_LOCAL_PREF = 100;

  public Path {
    requireNonNull(source, "source is null");
    requireNonNull(attributes, "attributes is null");
    requireNonNull(nextHop, "nextHop is null");
    requireNonNull(rejection, "rejection is null");
  }

  public boolean usable() {
    return rejection.isEmpty();
  }

  public boolean isLocal() {
    return source instanceof PathSource.Local;
  }

  /** Learned from a peer of our own AS. */
  public boolean isInternal() {
    return source instanceof PathSource.Peer peer && peer.internal();
  }

  /**
   * RFC 4271 section 5.1.5: LOCAL_PREF counts between peers of one AS only; what an external peer
   * says is ignored.
   */
  public long localPref() {
    return source instanceof PathSource.Peer peer && !peer.internal()
        ? DEFAULT_LOCAL_PREF
        : attributes.localPref().orElse(DEFAULT_LOCAL_PREF);
  }

  @Override
  public boolean equals(Object other) {
    return this == other
        || (other instanceof Path that
            && source.equals(that.source)
            && attributes.equals(that.attributes)
            && nextHop.equals(that.nextHop)
            && rejection.equals(that.rejection));
  }

  @Override
  public int hashCode() {
    return attributes.hashCode() * 31 + source.hashCode();
  }

  @Override
  public int count() {
    return 1;
  }

  @Override
  public Path get(int index) {
    return this;
  }
}
