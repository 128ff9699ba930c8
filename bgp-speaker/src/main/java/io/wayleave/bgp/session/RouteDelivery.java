package io.wayleave.bgp.session;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.LearnedRoute;
import io.wayleave.bgp.RouteListener;
import io.wayleave.bgp.rib.Candidates;
import io.wayleave.bgp.rib.Path;
import io.wayleave.bgp.rib.PathSource;
import io.wayleave.bgp.wire.NextHop;
import io.wayleave.bgp.wire.WeakInterner;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SequencedSet;
import java.util.TreeSet;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the route listener what it does not know yet: a choice that leads to the same next hops
 * through the same peers as before is not told. NOT thread safe.
 */
final class RouteDelivery {
  private static final Logger log = LoggerFactory.getLogger(RouteDelivery.class);

  /** How a prefix is reached; shared by all prefixes that are reached alike. */
  private record Way(
      SequencedSet<LearnedRoute.NextHop> nextHops,
      OptionalInt priority,
      SequencedSet<String> peers) {}

  private final RouteListener listener;
  private final Function<String, Optional<String>> interfaceOf;
  private final Map<Cidr, Way> told = new HashMap<>();
  private final WeakInterner<Way> ways = new WeakInterner<>();
  private Candidates lastSelection = Candidates.NONE;
  private Optional<Way> lastWay = Optional.empty();

  /**
   * @param interfaceOf by the name of a peer, the interface that it is configured by, if it is
   */
  RouteDelivery(RouteListener listener, Function<String, Optional<String>> interfaceOf) {
    this.listener = requireNonNull(listener, "listener is null");
    this.interfaceOf = requireNonNull(interfaceOf, "interfaceOf is null");
  }

  void selected(Cidr prefix, Candidates selection) {
    Optional<Way> way = wayOf(selection);
    if (way.isEmpty()) {
      if (told.remove(prefix) != null) {
        tell(() -> listener.removed(prefix));
      }
    } else if (!way.get().equals(told.put(prefix, way.get()))) {
      LearnedRoute route =
          new LearnedRoute(prefix, way.get().nextHops(), way.get().priority(), way.get().peers());
      tell(() -> listener.changed(route));
    }
  }

  void converged() {
    tell(listener::converged);
  }

  /** A listener that fails must not keep peers from their routes. */
  private static void tell(Runnable call) {
    try {
      call.run();
    } catch (RuntimeException e) {
      log.error("bgp route listener failed", e);
    }
  }

  /** Empty for no route and for one that is originated here. */
  @SuppressWarnings("ReferenceEquality") // The same object, as the prefixes of an UPDATE have it.
  private Optional<Way> wayOf(Candidates selection) {
    if (lastSelection != selection) {
      lastSelection = selection;
      lastWay =
          selection.count() == 0 || selection.get(0).isLocal()
              ? Optional.empty()
              : Optional.of(newWay(selection));
    }
    return lastWay;
  }

  /** How many ways are known, those that nothing goes any more but not long ago included. */
  int ways() {
    return ways.size();
  }

  private Way newWay(Candidates selection) {
    SequencedSet<LearnedRoute.NextHop> nextHops = new TreeSet<>();
    SequencedSet<String> peers = new TreeSet<>();
    for (int i = 0; i < selection.count(); i++) {
      Path path = selection.get(i);
      if (path.source() instanceof PathSource.Peer source) {
        nextHops.add(router(path.nextHop(), interfaceOf.apply(source.peer())));
        peers.add(source.peer());
      }
    }
    return ways.intern(new Way(nextHops, selection.get(0).priority(), peers));
  }

  /**
   * At the other end of an unnumbered link the link-local address is the one that is on the link; a
   * global one beside it need not be.
   */
  private static LearnedRoute.NextHop router(NextHop nextHop, Optional<String> interfaceName) {
    IpAddress address = interfaceName.flatMap(_ -> nextHop.linkLocal()).orElseGet(nextHop::gateway);
    boolean scoped = address.family() == Family.IPV6 && address.isLinkLocal();
    return new LearnedRoute.NextHop(address, scoped ? interfaceName : Optional.empty());
  }
}
