package io.wayleave.bgp.rib;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A way to some prefixes: what the Adj-RIB-In holds. What was received is kept, and the path is
 * kept when it is unusable, so that it can be judged again and people can be told why.
 *
 * @param pathId tells it apart from other paths of the source to the prefix (RFC 7911); 0 where
 *     there is only one
 * @param received before any policy
 * @param attributes that count
 * @param nextHop of a local route unspecified where peers are told the session's own address
 * @param priority metric of the kernel route, where the policy sets one
 * @param rejection why the path may not be used
 */
public record Path(
    PathSource source,
    int pathId,
    PathAttributes received,
    PathAttributes attributes,
    NextHop nextHop,
    OptionalInt priority,
    Optional<Rejection> rejection)
    implements Candidates {
  /** LOCAL_PREF of a path that has none: RFC 4271 leaves it open, every implementation has 100. */
  static final long DEFAULT_LOCAL_PREF = 100;

  public Path {
    requireNonNull(source, "source is null");
    requireNonNull(received, "received is null");
    requireNonNull(attributes, "attributes is null");
    requireNonNull(nextHop, "nextHop is null");
    requireNonNull(priority, "priority is null");
    requireNonNull(rejection, "rejection is null");
  }

  /** A path that no policy has changed, the only one of its source to its prefixes. */
  public Path(
      PathSource source,
      PathAttributes attributes,
      NextHop nextHop,
      Optional<Rejection> rejection) {
    this(source, 0, attributes, attributes, nextHop, OptionalInt.empty(), rejection);
  }

  Path withOutcome(PathAttributes changed, OptionalInt metric, Optional<Rejection> reason) {
    return new Path(source, pathId, received, changed, nextHop, metric, reason);
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
   * Whether it leads to a link-local address on the link of the session that told it; such a
   * session may tell a global one beside it.
   */
  boolean isOnLinkOfSession() {
    return source instanceof PathSource.Peer peer
        && isScoped(peer.address())
        && (nextHop.linkLocal().isPresent() || isScoped(nextHop.address()));
  }

  private static boolean isScoped(IpAddress address) {
    return address.family() == Family.IPV6 && address.isLinkLocal();
  }

  public long localPref() {
    return attributes.localPref().orElse(DEFAULT_LOCAL_PREF);
  }

  @Override
  public boolean equals(Object other) {
    return this == other
        || (other instanceof Path that
            && pathId == that.pathId
            && source.equals(that.source)
            && attributes.equals(that.attributes)
            && received.equals(that.received)
            && nextHop.equals(that.nextHop)
            && priority.equals(that.priority)
            && rejection.equals(that.rejection));
  }

  @Override
  public int hashCode() {
    return (attributes.hashCode() * 31 + source.hashCode()) * 31 + pathId;
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
