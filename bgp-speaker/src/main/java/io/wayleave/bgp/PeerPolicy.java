package io.wayleave.bgp;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Which routes are exchanged with a peer, and how they are changed. A change of it never ends the
 * session: routes are judged again.
 *
 * @param transit whether routes learned from other eBGP peers (and, for an eBGP peer, from iBGP
 *     peers) are exported to this one. Off by default: a host between two ToRs must not become a
 *     way through the fabric, so it tells of its own routes only
 * @param importPolicy what is taken; without one everything is, see {@code requirePolicy}
 * @param exportPolicy what is told; without one everything is, see {@code requirePolicy}
 * @param requirePolicy an eBGP peer without import policy is believed nothing, without export
 *     policy told nothing (RFC 8212)
 * @param allowOwnAs how often the own AS may be in a received AS_PATH, for hosts that share an AS;
 *     0 to 10
 * @param reflectorClient an iBGP peer that routes of other iBGP peers are told to, and whose routes
 *     are told to all of them (RFC 4456)
 * @param gracefulShutdown the session is about to end: routes to an eBGP peer carry the community
 *     GRACEFUL_SHUTDOWN, to an iBGP peer LOCAL_PREF 0 (RFC 8326)
 * @param maxPrefixes limits by family; a family without one has none
 */
public record PeerPolicy(
    boolean transit,
    Optional<RoutePolicy> importPolicy,
    Optional<RoutePolicy> exportPolicy,
    boolean requirePolicy,
    int allowOwnAs,
    NextHopMode nextHop,
    boolean reflectorClient,
    boolean gracefulShutdown,
    Map<Family, MaxPrefixes> maxPrefixes) {
  /** Own routes out, everything in. */
  public static final PeerPolicy DEFAULT =
      new PeerPolicy(
          false,
          Optional.empty(),
          Optional.empty(),
          false,
          0,
          NextHopMode.STANDARD,
          false,
          false,
          Map.of());

  public PeerPolicy {
    requireNonNull(importPolicy, "importPolicy is null");
    requireNonNull(exportPolicy, "exportPolicy is null");
    requireNonNull(nextHop, "nextHop is null");
    maxPrefixes = Map.copyOf(maxPrefixes);
    if (allowOwnAs < 0 || allowOwnAs > 10) {
      throw new InvalidInputException("allowOwnAs", Integer.toString(allowOwnAs), "0 to 10");
    }
  }

  /** This with some fields changed. */
  public PeerPolicy with(Consumer<Builder> change) {
    Builder builder = new Builder(this);
    change.accept(builder);
    return builder.build();
  }

  /** Fields of a policy to come. NOT thread safe. */
  public static final class Builder {
    private boolean transit;
    private Optional<RoutePolicy> importPolicy;
    private Optional<RoutePolicy> exportPolicy;
    private boolean requirePolicy;
    private int allowOwnAs;
    private NextHopMode nextHop;
    private boolean reflectorClient;
    private boolean gracefulShutdown;
    private final Map<Family, MaxPrefixes> maxPrefixes = new EnumMap<>(Family.class);

    private Builder(PeerPolicy from) {
      transit = from.transit;
      importPolicy = from.importPolicy;
      exportPolicy = from.exportPolicy;
      requirePolicy = from.requirePolicy;
      allowOwnAs = from.allowOwnAs;
      nextHop = from.nextHop;
      reflectorClient = from.reflectorClient;
      gracefulShutdown = from.gracefulShutdown;
      maxPrefixes.putAll(from.maxPrefixes);
    }

    public Builder transit(boolean value) {
      transit = value;
      return this;
    }

    public Builder importPolicy(RoutePolicy value) {
      importPolicy = Optional.of(value);
      return this;
    }

    public Builder exportPolicy(RoutePolicy value) {
      exportPolicy = Optional.of(value);
      return this;
    }

    public Builder requirePolicy(boolean value) {
      requirePolicy = value;
      return this;
    }

    public Builder allowOwnAs(int value) {
      allowOwnAs = value;
      return this;
    }

    public Builder nextHop(NextHopMode value) {
      nextHop = value;
      return this;
    }

    public Builder reflectorClient(boolean value) {
      reflectorClient = value;
      return this;
    }

    public Builder gracefulShutdown(boolean value) {
      gracefulShutdown = value;
      return this;
    }

    public Builder maxPrefixes(Family family, MaxPrefixes value) {
      maxPrefixes.put(family, value);
      return this;
    }

    private PeerPolicy build() {
      return new PeerPolicy(
          transit,
          importPolicy,
          exportPolicy,
          requirePolicy,
          allowOwnAs,
          nextHop,
          reflectorClient,
          gracefulShutdown,
          maxPrefixes);
    }
  }
}
