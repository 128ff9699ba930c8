package io.wayleave.bgp.session;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.PeerAddress;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.ScopedAddress;
import io.wayleave.bgp.wire.Iana;
import io.wayleave.bgp.wire.Notifications;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The peers of a speaker by name and by address: those configured by address or interface, and
 * those of ranges, which come with their connection and go with their session. Owned by the {@link
 * Loop} thread.
 */
final class PeerTable {
  private static final Logger log = LoggerFactory.getLogger(PeerTable.class);

  /** Strangers that are remembered, so that each is logged once. */
  private static final int MAX_STRANGERS = 1000;

  private final Peer.Context context;
  private final Map<String, Peer> byName = new LinkedHashMap<>();
  private final Map<ScopedAddress, Peer> byAddress = new HashMap<>();
  private final Set<ScopedAddress> strangers = new HashSet<>();
  // Longest prefix first.
  private List<PeerConfig> ranges = List.of();
  // Name of a peer that came by a range, to the name of the range.
  private final Map<String, String> rangeOf = new HashMap<>();

  // By name of the range: a host that comes again and again is a new peer each time.
  private final Map<String, LineLimit> linesOfRange = new HashMap<>();

  // Whoever is in a range may connect as often as they like.
  private final LineLimit refusals;

  PeerTable(Peer.Context context) {
    this.context = requireNonNull(context, "context is null");
    refusals =
        new LineLimit(
            context.loop(),
            count ->
                log.warn("bgp log lines left out what=\"connections refused\" count={}", count));
  }

  Collection<Peer> all() {
    return Collections.unmodifiableCollection(byName.values());
  }

  Peer get(String name) {
    Peer known = byName.get(name);
    if (known == null) {
      throw new InvalidInputException(
          "peer", name, "the name of a peer: " + String.join(", ", byName.keySet()));
    }
    return known;
  }

  Optional<Peer> find(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  /** What connections must be signed with, by the prefix that they come from (RFC 2385). */
  Map<Cidr, String> md5Keys() {
    Map<Cidr, String> keys = new HashMap<>();
    for (PeerConfig range : ranges) {
      range
          .security()
          .md5Password()
          .ifPresent(key -> keys.put(((PeerAddress.Range) range.where()).range(), key));
    }
    byAddress.forEach(
        (address, peer) -> {
          if (!rangeOf.containsKey(peer.config().name())) {
            peer.config()
                .security()
                .md5Password()
                .ifPresent(key -> keys.put(address.address().toCidr(), key));
          }
        });
    return keys;
  }

  /**
   * How far away whoever connects by a family may be (RFC 5082 section 3): as far as the farthest
   * of its peers. Absent where one of them may be anywhere, as the listening socket cannot tell
   * them apart; such a family's connections are checked from their acceptance on, and an OPEN that
   * was queued before it is read.
   */
  Map<Family, Integer> ttlHops() {
    Map<Family, Integer> most = new EnumMap<>(Family.class);
    Set<Family> anywhere = EnumSet.noneOf(Family.class);
    ranges.forEach(
        range ->
            addHops(((PeerAddress.Range) range.where()).range().family(), range, most, anywhere));
    byAddress.forEach(
        (address, peer) -> addHops(address.address().family(), peer.config(), most, anywhere));
    most.keySet().removeAll(anywhere);
    return most;
  }

  private static void addHops(
      Family family, PeerConfig peer, Map<Family, Integer> most, Set<Family> anywhere) {
    peer.security()
        .ttlHops()
        .ifPresentOrElse(hops -> most.merge(family, hops, Math::max), () -> anywhere.add(family));
  }

  /** What a change of the speaker's own configuration means for a peer. */
  enum SpeakerChange {
    NONE,
    /** Routes are told differently. */
    EXPORT,
    /** Something in OPEN. */
    OPEN
  }

  /**
   * Goes over to these peers. One that is configured as before keeps its session.
   *
   * @param changeFor what else changed for a peer that is configured so now
   */
  void apply(List<PeerConfig> configured, Function<PeerConfig, SpeakerChange> changeFor) {
    ranges =
        configured.stream()
            .filter(peer -> peer.where() instanceof PeerAddress.Range)
            .sorted(Comparator.comparingInt(PeerTable::prefixLength).reversed())
            .toList();
    linesOfRange.keySet().retainAll(ranges.stream().map(PeerConfig::name).toList());
    Map<String, PeerConfig> wanted = new LinkedHashMap<>();
    Set<ScopedAddress> taken = new HashSet<>();
    for (PeerConfig peer : configured) {
      if (!(peer.where() instanceof PeerAddress.Range)) {
        wanted.put(peer.name(), peer);
        peer.host().map(ScopedAddress::of).ifPresent(taken::add);
      }
    }
    rangeOf.forEach(
        (name, range) -> {
          ScopedAddress address = byName.get(name).address().orElseThrow();
          rangeFor(address.address())
              .filter(found -> found.name().equals(range) && !taken.contains(address))
              .ifPresent(found -> wanted.putIfAbsent(name, ofRange(found, address)));
        });
    for (Peer known : List.copyOf(byName.values())) {
      PeerConfig now = wanted.get(known.config().name());
      if (now == null || !samePlace(known.config().where(), now.where())) {
        remove(known.config().name());
      }
    }
    for (PeerConfig peer : wanted.values()) {
      Peer known = byName.get(peer.name());
      if (known == null) {
        add(peer, peer.host().map(ScopedAddress::of));
      } else {
        apply(known, peer, changeFor.apply(peer));
        context.peersChanged();
      }
    }
  }

  private static void apply(Peer known, PeerConfig changed, SpeakerChange change) {
    PeerConfig former = known.config();
    known.apply(changed);
    switch (change) {
      case NONE -> {}
      case EXPORT -> known.exportAgain();
      case OPEN -> {
        // Any other difference of its own has restarted it already.
        if (former.sameSession(changed)) {
          known.restart(Notifications.cease(Iana.CEASE_OTHER_CONFIGURATION_CHANGE));
        }
      }
    }
  }

  /** The limit of a range is no place. */
  private static boolean samePlace(PeerAddress one, PeerAddress other) {
    return one.equals(other)
        || (one instanceof PeerAddress.Range && other instanceof PeerAddress.Range);
  }

  private Peer add(PeerConfig config, Optional<ScopedAddress> address) {
    Optional<LineLimit> shared = linesOfRangeOf(config.name());
    LineLimit lines = shared.orElseGet(() -> newLimit("peer", config.name()));
    Peer added = new Peer(context, config, address, lines);
    byName.put(config.name(), added);
    address.ifPresent(
        known -> {
          byAddress.put(known, added);
          strangers.remove(known);
        });
    if (shared.isEmpty() || lines.admits(config.name() + " added")) {
      log.info(
          "bgp peer added peer={} address={} as={}",
          config.name(),
          address.map(ScopedAddress::toString).orElse(config.where().toString()),
          config.remoteAs());
    }
    context.peersChanged();
    added.start();
    return added;
  }

  /** Of all peers of a range together; empty for a peer that came by none. */
  private Optional<LineLimit> linesOfRangeOf(String name) {
    return Optional.ofNullable(rangeOf.get(name))
        .map(range -> linesOfRange.computeIfAbsent(range, _ -> newLimit("range", range)));
  }

  private LineLimit newLimit(String what, String name) {
    return new LineLimit(
        context.loop(),
        count -> {
          log.warn(
              "bgp log lines left out {}={} count={} interval={}s",
              what,
              name,
              count,
              LineLimit.INTERVAL.toSeconds());
          byName.forEach(
              (peer, known) -> {
                if (rangeOf.getOrDefault(peer, peer).equals(name)) {
                  known.sayUnsaid();
                }
              });
        });
  }

  private void remove(String name) {
    remove(name, true);
  }

  private void remove(String name, boolean tell) {
    Peer removed = byName.remove(name);
    removed.address().ifPresent(byAddress::remove);
    rangeOf.remove(name);
    removed.stop(Notifications.cease(Iana.CEASE_PEER_DECONFIGURED));
    context.convergence().removed(name);
    context.peersChanged();
    if (tell) {
      log.info("bgp peer removed peer={}", name);
    }
  }

  // ---- connections that come in

  /** Whose connection this is, and what becomes of it. */
  Optional<Transport.Handler> accept(Transport.Connection connection) {
    ScopedAddress from = connection.remoteAddress();
    Peer known = byAddress.get(from);
    if (known != null) {
      return known.accept(connection);
    }
    Optional<PeerConfig> range = rangeFor(from.address());
    if (range.isPresent()) {
      return acceptFromRange(range.get(), from, connection);
    }
    // RFC 4486 section 4 would have Cease/Connection Rejected here. Silence instead: a peer that is
    // configured on its side first would back off for minutes, and scanners learn nothing.
    if (strangers.size() < MAX_STRANGERS && strangers.add(from)) {
      log.warn("bgp connection refused address={} reason=\"no such peer is configured\"", from);
    }
    return Optional.empty();
  }

  private Optional<Transport.Handler> acceptFromRange(
      PeerConfig range, ScopedAddress from, Transport.Connection connection) {
    PeerConfig config = ofRange(range, from);
    long present = rangeOf.values().stream().filter(range.name()::equals).count();
    int limit = ((PeerAddress.Range) range.where()).limit();
    Optional<String> refusal =
        range.shutdown().isPresent()
            ? Optional.of("administratively down")
            : present >= limit
                ? Optional.of("the range has its " + limit + " peers")
                : byName.containsKey(config.name())
                    ? Optional.of("another peer has the name " + config.name())
                    : Optional.empty();
    if (refusal.isPresent()) {
      if (refusals.admits(range.name() + " " + from + " " + refusal.get())) {
        log.warn(
            "bgp connection refused range={} address={} reason=\"{}\"",
            range.name(),
            from,
            refusal.get());
      }
      return Optional.of(
          new Farewell(
              range
                  .shutdown()
                  .map(Notifications::shutdown)
                  .orElseGet(() -> Notifications.cease(Iana.CEASE_CONNECTION_REJECTED))));
    }
    rangeOf.put(config.name(), range.name());
    return add(config, Optional.of(from)).accept(connection);
  }

  /** A peer has no connection and keeps no routes: one of a range has no reason to be then. */
  void quiet(Peer peer) {
    String name = peer.config().name();
    if (!rangeOf.containsKey(name)) {
      return;
    }
    // Later, because the peer is in the midst of something.
    context
        .loop()
        .execute(
            () -> {
              if (byName.get(name) == peer && peer.isQuiet()) {
                remove(
                    name,
                    linesOfRangeOf(name)
                        .map(lines -> lines.admits(name + " removed"))
                        .orElse(true));
              }
            });
  }

  private Optional<PeerConfig> rangeFor(IpAddress address) {
    return ranges.stream()
        .filter(peer -> ((PeerAddress.Range) peer.where()).range().contains(address))
        .findFirst();
  }

  private static int prefixLength(PeerConfig range) {
    return ((PeerAddress.Range) range.where()).range().prefixLength();
  }

  private static PeerConfig ofRange(PeerConfig range, ScopedAddress address) {
    return range.with(peer -> peer.name(range.name() + "-" + address).passive(true));
  }

  // ---- peers by interface

  /** A router was heard on the interface; nothing happens when that is known or not of interest. */
  void neighbourFound(String interfaceName, ScopedAddress address) {
    for (Peer peer : byName.values()) {
      boolean another = !peer.address().equals(Optional.of(address));
      if (isOn(peer, interfaceName) && another && !byAddress.containsKey(address)) {
        peer.address().ifPresent(byAddress::remove);
        byAddress.put(address, peer);
        strangers.remove(address);
        log.info("bgp neighbour found peer={} address={}", peer.config().name(), address);
        context.peersChanged();
        peer.moveTo(Optional.of(address));
      }
    }
  }

  /** The router, or the interface itself, is gone. */
  void neighbourLost(String interfaceName) {
    for (Peer peer : byName.values()) {
      if (isOn(peer, interfaceName) && peer.address().isPresent()) {
        byAddress.remove(peer.address().get());
        log.info("bgp neighbour lost peer={}", peer.config().name());
        context.peersChanged();
        peer.moveTo(Optional.empty());
      }
    }
  }

  private static boolean isOn(Peer peer, String interfaceName) {
    return peer.config().where() instanceof PeerAddress.OnInterface(String name)
        && name.equals(interfaceName);
  }
}
