package io.wayleave.bgp.rib;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.PeerPolicy;
import io.wayleave.bgp.RoutePolicy;
import io.wayleave.bgp.RoutePolicy.RouteOrigin;
import io.wayleave.bgp.wire.Community;
import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.Cidr;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What becomes of the routes that one peer tells: whether they may be used, and with which
 * attributes. Paths keep what was received, so they can be judged again by other rules.
 */
public record Import(ImportCheck check, PeerPolicy policy) {
  public Import {
    requireNonNull(check, "check is null");
    requireNonNull(policy, "policy is null");
  }

  /** The source as the rules see it. */
  public PathSource.Peer sourceOf(PathSource.Peer source) {
    return source.withClient(policy.reflectorClient());
  }

  /** Whether prefixes of one message may be judged differently. */
  public boolean looksAtPrefixes() {
    return policy.importPolicy().isPresent();
  }

  /**
   * The path as it was received, before the peer's policy.
   *
   * @param pathId that came with it (RFC 7911), or 0
   */
  public Path received(
      PathSource.Peer source, int pathId, PathAttributes received, NextHop nextHop) {
    Optional<Rejection> rejection =
        !source.internal() && policy.requirePolicy() && policy.importPolicy().isEmpty()
            ? Optional.of(Rejection.NO_POLICY) // RFC 8212 section 2
            : check.check(source, received, nextHop, policy.allowOwnAs());
    return new Path(
        sourceOf(source),
        pathId,
        received,
        adjusted(source, received, withoutForeignPreference(source, received)),
        nextHop,
        OptionalInt.empty(),
        rejection);
  }

  /** The path as the peer's policy wants it for that prefix. */
  public Path judged(Path path, Cidr prefix) {
    if (policy.importPolicy().isEmpty()
        || !path.usable()
        || !(path.source() instanceof PathSource.Peer source)) {
      return path;
    }
    PathAttributes subject = withoutForeignPreference(source, path.received());
    RoutePolicy.Verdict verdict =
        policy
            .importPolicy()
            .get()
            .judge(
                new RoutePolicy.Subject(
                    prefix,
                    subject,
                    path.nextHop(),
                    source.internal() ? RouteOrigin.INTERNAL : RouteOrigin.EXTERNAL,
                    source.internal()));
    return switch (verdict) {
      case RoutePolicy.Verdict.Accept(PathAttributes attributes, OptionalInt priority) ->
          path.withOutcome(
              adjusted(source, path.received(), attributes), priority, Optional.empty());
      case RoutePolicy.Verdict.Reject(String by) ->
          path.withOutcome(subject, OptionalInt.empty(), Optional.of(Rejection.by(by)));
    };
  }

  /** The path by these rules, whatever it was by others. */
  public Path again(Path path, Cidr prefix) {
    return path.source() instanceof PathSource.Peer source
        ? judged(received(source, path.pathId(), path.received(), path.nextHop()), prefix)
        : path;
  }

  /**
   * RFC 4271 section 5.1.5: LOCAL_PREF counts between peers of one AS only; what an external peer
   * says is ignored.
   */
  private static PathAttributes withoutForeignPreference(
      PathSource.Peer source, PathAttributes received) {
    return source.internal() || received.localPref().isEmpty()
        ? received
        : received.toBuilder().withoutLocalPref().build();
  }

  /**
   * RFC 8326 section 4: an external peer that is about to go away asks to be the last resort. After
   * the policy, so that a preference that it sets is not in the way.
   */
  private static PathAttributes adjusted(
      PathSource.Peer source, PathAttributes received, PathAttributes attributes) {
    return !source.internal() && received.hasCommunity(Community.GRACEFUL_SHUTDOWN)
        ? attributes.toBuilder().localPref(0).build()
        : attributes;
  }
}
