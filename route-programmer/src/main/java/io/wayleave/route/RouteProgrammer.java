package io.wayleave.route;

import io.wayleave.linux.Errno;
import io.wayleave.linux.netlink.Link;
import io.wayleave.linux.netlink.NetlinkEvent;
import io.wayleave.linux.netlink.NextHop;
import io.wayleave.linux.netlink.Route;
import io.wayleave.model.Cidr;
import io.wayleave.model.DeltaTracker;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Update;
import io.wayleave.route.RouteDriver.Refusal;
import io.wayleave.route.RouteDriver.Write;
import io.wayleave.route.Translator.Translation;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides what must change so that the kernel's routes are the desired ones.
 *
 * <p>{@link #onUpdate} and {@link #onEvents} only take note; {@link #apply} does the I/O, in
 * batches, and costs what differs. It knows its own routes by their protocol number, adopts those
 * of an earlier life as they are, and puts right what others did to them.
 *
 * <p><b>Nothing goes before its source has spoken.</b> A route in the kernel that nobody wants is
 * deleted only when the source that routes of its form come from is in sync ({@link
 * Update.InSync}), or deleted it by name. Each of the three sources has its own mark, so that after
 * a restart neither the containers' routes (known when the datastore is read) nor the learned ones
 * (known when BGP has converged) go early. For the same reason a learned route does not take the
 * place of an adopted route of a container until containers are in sync.
 *
 * <p>NOT thread safe; owned by the thread of {@link RouteService}.
 *
 * <p>Known limits: replacing a route names destination and metric only (the kernel has no compare
 * and swap), so a foreign route that takes our place between an event and our write is overwritten;
 * a route with a TOS or a source prefix is never looked at.
 */
public final class RouteProgrammer {
  private static final Logger log = LoggerFactory.getLogger(RouteProgrammer.class);
  private static final int PASSES = 2;

  private final RouteDriver driver;
  private final RouteSettings settings;
  private final LongSupplier nanoClock;
  private final Desired desired = new Desired();
  private final Topology topology = new Topology();
  private final DeltaTracker<RouteKey, Route> routes = new DeltaTracker<>();
  // Routes of others with our metric: where one of them is, ours cannot be.
  private final Map<RouteKey, Route> foreign = new HashMap<>();
  // Where the wanted route has a metric of its own.
  private final Map<Cidr, Long> otherMetrics = new HashMap<>();
  // Every metric that a route of ours has had; a few, since filters name them.
  private final Set<Long> metrics = new HashSet<>();
  // Second and further routes of ours for one key, which only others can have made.
  private final List<Route> duplicates = new ArrayList<>();
  private final Translator translator;
  private final WatchedRouters watched;
  private final Map<Cidr, Unresolved> unresolved = new HashMap<>();
  private final Refusals refused;
  private final Map<Cidr, EnumSet<RouteSource>> deletedByName = new HashMap<>();
  private final EnumSet<RouteSource> inSync = EnumSet.noneOf(RouteSource.class);
  private final Set<Integer> lostInterfaces = new LinkedHashSet<>();
  private final Set<String> changedInterfaces = new HashSet<>();
  private Set<Cidr> onLink = Set.of();
  private final DistantRouters distant = new DistantRouters();
  private boolean gatewaysChanged;
  private boolean gatewaysDirty;
  private Optional<String> resyncReason = Optional.of("start");
  private Optional<Long> lastResync = Optional.empty();

  /** Why a target cannot be put in the kernel's words, and since when. */
  private record Unresolved(String reason, long since) {}

  /**
   * @param nanoClock as {@link System#nanoTime}
   */
  public RouteProgrammer(RouteDriver driver, RouteSettings settings, LongSupplier nanoClock) {
    this.driver = driver;
    this.settings = settings;
    metrics.add(settings.metric());
    this.nanoClock = nanoClock;
    GatewayResolver resolver = new GatewayResolver(topology, desired, settings);
    this.translator = new Translator(topology, resolver, settings);
    this.watched = new WatchedRouters(resolver);
    this.refused = new Refusals(settings);
  }

  /**
   * Takes note of what a source wants.
   *
   * @throws InvalidInputException when the target is not one of that source, or is a blackhole for
   *     a single address
   */
  public void onUpdate(RouteSource source, Update<Cidr, RouteTarget> update) {
    switch (update) {
      case Update.Put<Cidr, RouteTarget>(Cidr destination, RouteTarget target) -> {
        check(source, destination, target);
        forgetDeletion(destination, source);
        noteRouters(target);
        desired.put(destination, target);
        noteWayChanged(destination);
        refresh(destination);
      }
      case Update.Delete<Cidr, RouteTarget>(Cidr destination) -> {
        if (!inSync.contains(source)) {
          deletedByName
              .computeIfAbsent(destination, key -> EnumSet.noneOf(RouteSource.class))
              .add(source);
        }
        desired.remove(destination, source);
        noteWayChanged(destination);
        refresh(destination);
      }
      case Update.InSync<Cidr, RouteTarget>() -> {
        if (inSync.add(source)) {
          // From now on absence is enough.
          deletedByName.values().removeIf(sources -> sources.remove(source) && sources.isEmpty());
          log.info("routes in sync source={} kernel={}", source, routes.actual().size());
        }
      }
    }
  }

  /**
   * From now on just these routers are watched, beside those that routes lead to; the distance of
   * each is news with the next {@link #apply}, and again whenever it changes.
   */
  public void watchRouters(Set<IpAddress> routers) {
    watched.watch(routers);
    gatewaysDirty = true;
  }

  /**
   * The watched routers whose distance changed since this was asked for last: 0 on a link of this
   * host, more beyond, empty when no way is known.
   */
  public Map<IpAddress, OptionalLong> takeRouterNews() {
    return watched.takeNews();
  }

  /** Takes note of what happened in the kernel, except for what the driver did. */
  public void onEvents(List<NetlinkEvent> events) {
    for (NetlinkEvent event : events) {
      switch (event) {
        case NetlinkEvent.LinkChanged(Link link) -> linkChanged(link);
        case NetlinkEvent.LinkRemoved(Link link) -> {
          topology.remove(link.index());
          lostInterfaces.add(link.index());
          changedInterfaces.add(link.name());
          gatewaysDirty = true;
        }
        case NetlinkEvent.AddressChanged(var address) -> {
          if (!address.address().isLinkLocal()) {
            // It may be the preferred source that routes were refused for.
            refused.retryAll(nanoClock.getAsLong());
          }
        }
        case NetlinkEvent.AddressRemoved(var address) -> {
          if (!address.address().isLinkLocal()) {
            // The kernel drops the routes that prefer this source, and does not tell.
            requestResync("address " + address.address() + " was removed");
          }
        }
        case NetlinkEvent.RouteChanged(Route route, boolean replaced) ->
            routeChanged(route, replaced);
        case NetlinkEvent.RouteRemoved(Route route) -> routeRemoved(route);
        case NetlinkEvent.NeighbourChanged changed -> {}
        case NetlinkEvent.NeighbourRemoved removed -> {}
        case NetlinkEvent.ResyncNeeded(String reason) -> requestResync(reason);
      }
    }
  }

  /** Compares with everything that the kernel has at the next {@link #apply}. */
  public void requestResync(String reason) {
    if (resyncReason.isEmpty()) {
      resyncReason = Optional.of(reason);
    }
  }

  /**
   * Does what is to be done now.
   *
   * @return how long until there is something to do without a further update or event
   * @throws IOException when the kernel cannot be asked or told at all; what is to be done stays
   *     noted
   */
  public Duration apply() throws IOException {
    long now = nanoClock.getAsLong();
    if (resyncReason.isEmpty()
        && lastResync.map(last -> now - last >= settings.resyncInterval().toNanos()).orElse(true)) {
      resyncReason = Optional.of("interval");
    }
    if (resyncReason.isPresent()) {
      resync(now);
    } else {
      dropLostRoutes();
    }
    if (mustLookBeyondLinks()) {
      resync(now);
    }
    resolveAgain();
    for (int pass = 1; pass <= PASSES; pass++) {
      List<Write> writes = pendingWrites(now);
      if (writes.isEmpty()) {
        break;
      }
      boolean surprised = record(writes, driver.write(writes), now, pass == PASSES);
      if (!surprised) {
        break;
      }
      // The kernel has something there that we do not know of: look, and decide again.
      requestResync("a route was there already");
      resync(now);
      resolveAgain();
    }
    return refused.untilNext(now, settings.resyncInterval());
  }

  /** What is known of one wanted destination; empty when no source wants it. */
  public Optional<RouteState> state(Cidr destination) {
    return wanted(destination).map(target -> state(destination, target));
  }

  /**
   * What is to be written. A network on a link of this host is reached there, whatever the fabric
   * says of it: a learned route beside it would win where the kernel gives its own a larger metric
   * (256 for IPv6, 100 and more under DHCP), and would cut the host off from its routers.
   */
  private Optional<RouteTarget> wanted(Cidr destination) {
    return desired
        .best(destination)
        .filter(
            target -> target.source() != RouteSource.LEARNED || !topology.hasOnLink(destination));
  }

  /** All wanted destinations, in order. */
  public List<RouteState> states() {
    List<RouteState> states = new ArrayList<>();
    desired.destinations().stream()
        .sorted()
        .forEach(destination -> state(destination).ifPresent(states::add));
    return states;
  }

  public RouteStatus status() {
    Map<RouteSource, Integer> wanted = new EnumMap<>(RouteSource.class);
    Map<RouteSource, Integer> programmed = new EnumMap<>(RouteSource.class);
    for (RouteSource source : RouteSource.values()) {
      wanted.put(source, 0);
      programmed.put(source, 0);
    }
    List<RouteState> failing = new ArrayList<>();
    int failingCount = 0;
    for (Cidr destination : desired.destinations()) {
      Optional<RouteState> shown = state(destination);
      if (shown.isEmpty()) {
        continue;
      }
      RouteState state = shown.get();
      wanted.merge(state.source(), 1, Integer::sum);
      if (state.programmed()) {
        programmed.merge(state.source(), 1, Integer::sum);
        continue;
      }
      failingCount++;
      if (failing.size() < RouteStatus.MOST_FAILING) {
        failing.add(state);
      }
    }
    long now = nanoClock.getAsLong();
    return new RouteStatus(
        Collections.unmodifiableMap(wanted),
        Collections.unmodifiableMap(programmed),
        List.copyOf(failing),
        failingCount,
        routes.pendingDeletes().size(),
        Set.copyOf(inSync),
        lastResync.map(last -> Duration.ofNanos(now - last)));
  }

  /** Whether a route of the kernel means anything to the programmer now. */
  private boolean isRelevant(Route route) {
    return route.table() == settings.table()
        && (route.protocol() == settings.protocol()
            || metrics.contains(route.metric())
            || Topology.isOnLink(route)
            || distant.isWay(route));
  }

  private void noteRouters(RouteTarget target) {
    if (target instanceof RouteTarget.Learned learned
        && !desired.gateways().containsAll(learned.gateways())) {
      gatewaysChanged = true;
    }
  }

  /** A route that others are reached by may lead elsewhere now. */
  private void noteWayChanged(Cidr destination) {
    gatewaysDirty |= distant.isAround(destination);
  }

  /** Whether there is a router whose way is to be looked for among the routes of others. */
  private boolean mustLookBeyondLinks() {
    if (!gatewaysChanged && !gatewaysDirty) {
      return false;
    }
    gatewaysChanged = false;
    Set<Gateway> asked = new HashSet<>(desired.gateways());
    asked.addAll(watched.gateways());
    return switch (distant.update(asked, topology)) {
      case NONE, FEWER -> false;
      case MORE -> {
        gatewaysDirty = true;
        requestResync("a next hop is no neighbour");
        yield true;
      }
    };
  }

  private static void check(RouteSource source, Cidr destination, RouteTarget target) {
    if (target.source() != source) {
      throw new InvalidInputException(
          "target of " + destination, target.toString(), "a target of source " + source);
    }
    if (target instanceof RouteTarget.Blackhole && destination.isHost()) {
      throw new InvalidInputException(
          "blackhole", destination.toString(), "a block of more than one address");
    }
  }

  private void forgetDeletion(Cidr destination, RouteSource source) {
    EnumSet<RouteSource> sources = deletedByName.get(destination);
    if (sources != null && sources.remove(source) && sources.isEmpty()) {
      deletedByName.remove(destination);
    }
  }

  private void linkChanged(Link link) {
    Optional<Link> before = topology.put(link);
    boolean wasUp = before.map(Link::up).orElse(false);
    boolean renamed = before.map(old -> !old.name().equals(link.name())).orElse(true);
    if (wasUp && !link.up()) {
      lostInterfaces.add(link.index());
    }
    if (wasUp != link.up() || renamed) {
      before.ifPresent(old -> changedInterfaces.add(old.name()));
      changedInterfaces.add(link.name());
      gatewaysDirty = true;
    }
  }

  private void routeChanged(Route route, boolean replaced) {
    if (!isRelevant(route)) {
      return;
    }
    RouteKey key = RouteKey.of(route);
    if (route.protocol() == settings.protocol()) {
      Route known = routes.actual().get(key);
      if (replaced || known == null || route.equals(known)) {
        routes.setActual(key, route);
        foreign.remove(key);
      } else {
        // Appended to what is there: a second route (IPv4) or one more next hop (IPv6).
        requestResync("something was appended to the route to " + route.destination());
      }
      return;
    }
    if (replaced) {
      routes.removeActual(key);
    }
    if (metrics.contains(route.metric())) {
      foreign.put(key, route);
    }
    if (Topology.isOnLink(route)) {
      gatewaysDirty |= topology.addOnLink(route);
    } else if (distant.isWay(route)) {
      gatewaysDirty = true;
      if (!topology.putWay(route, replaced)) {
        requestResync("something was appended to the route to " + route.destination());
      }
    }
  }

  private void routeRemoved(Route route) {
    if (!isRelevant(route)) {
      return;
    }
    RouteKey key = RouteKey.of(route);
    if (route.protocol() != settings.protocol()) {
      foreign.remove(key, route);
      gatewaysDirty |= topology.removeOnLink(route);
      if (distant.isWay(route)) {
        gatewaysDirty = true;
        if (!topology.removeWay(route)) {
          requestResync("a part of the route to " + route.destination() + " was removed");
        }
      }
      return;
    }
    Route known = routes.actual().get(key);
    if (route.equals(known)) {
      routes.removeActual(key);
    } else if (known != null) {
      // One next hop of several (IPv6), or one of two routes with the same key.
      requestResync("a part of the route to " + route.destination() + " was removed");
    }
  }

  private void resync(long now) throws IOException {
    RouteDriver.Snapshot snapshot = driver.dump(this::isRelevant);
    String reason = resyncReason.orElse("");
    resyncReason = Optional.empty();
    lastResync = Optional.of(now);
    lostInterfaces.clear();
    topology.clear();
    foreign.clear();
    duplicates.clear();
    snapshot.links().forEach(topology::put);
    Map<RouteKey, Route> own = new HashMap<>();
    for (Route route : snapshot.routes()) {
      if (route.protocol() == settings.protocol()) {
        if (own.putIfAbsent(RouteKey.of(route), route) != null) {
          duplicates.add(route);
        }
        continue;
      }
      if (metrics.contains(route.metric())) {
        foreign.put(RouteKey.of(route), route);
      }
      if (Topology.isOnLink(route)) {
        topology.addOnLink(route);
      } else if (distant.isWay(route)) {
        var _ = topology.putWay(route, true);
      }
    }
    routes.replaceActual(own);
    changedInterfaces.addAll(desired.interfaceNames());
    gatewaysDirty = true;
    log.debug("routes compared with the kernel reason=\"{}\" own={}", reason, own.size());
  }

  /** The kernel drops routes silently when their interface goes down or away. */
  private void dropLostRoutes() throws IOException {
    if (lostInterfaces.isEmpty()) {
      return;
    }
    gatewaysDirty |= topology.removeOnLink(lostInterfaces);
    Set<Integer> ask = new LinkedHashSet<>();
    List<RouteKey> gone = new ArrayList<>();
    for (Map.Entry<RouteKey, Route> entry : routes.actual().entrySet()) {
      List<NextHop> hops = entry.getValue().nextHops();
      for (NextHop hop : hops) {
        if (lostInterfaces.contains(hop.interfaceIndex())) {
          // A route with more next hops may live on; only the kernel knows.
          if (hops.size() == 1) {
            gone.add(entry.getKey());
          } else {
            ask.add(hop.interfaceIndex());
          }
        }
      }
    }
    gone.forEach(routes::removeActual);
    for (int interfaceIndex : ask) {
      compareInterface(interfaceIndex);
    }
    lostInterfaces.clear();
  }

  private void compareInterface(int interfaceIndex) throws IOException {
    Map<RouteKey, Route> present = new HashMap<>();
    for (Route route : driver.ownRoutesOn(interfaceIndex)) {
      present.put(RouteKey.of(route), route);
    }
    List<RouteKey> gone = new ArrayList<>();
    for (Map.Entry<RouteKey, Route> entry : routes.actual().entrySet()) {
      boolean there =
          entry.getValue().nextHops().stream()
              .anyMatch(hop -> hop.interfaceIndex() == interfaceIndex);
      if (there && !present.containsKey(entry.getKey())) {
        gone.add(entry.getKey());
      }
    }
    gone.forEach(routes::removeActual);
    present.forEach(routes::setActual);
  }

  /** Looks again at the destinations whose interface or router may be elsewhere now. */
  private void resolveAgain() {
    for (String name : changedInterfaces) {
      desired.onInterface(name).forEach(this::refresh);
    }
    changedInterfaces.clear();
    if (!gatewaysDirty) {
      return;
    }
    gatewaysDirty = false;
    Set<Cidr> before = onLink;
    onLink = topology.onLinkNetworks();
    onLink.stream().filter(network -> !before.contains(network)).forEach(this::refresh);
    before.stream().filter(network -> !onLink.contains(network)).forEach(this::refresh);
    for (Gateway gateway : translator.moved(desired.gateways())) {
      desired.byGateway(gateway).forEach(this::refresh);
    }
    watched.lookAgain();
  }

  /** Where the wanted route belongs; what was wanted under another metric is not any more. */
  private RouteKey keyOf(Cidr destination, Optional<RouteTarget> target) {
    long common = settings.metric();
    long metric = target.map(settings::metricOf).orElse(common);
    Optional<Long> former =
        Optional.ofNullable(
            metric == common
                ? otherMetrics.remove(destination)
                : otherMetrics.put(destination, metric));
    if (former.orElse(common) != metric) {
      RouteKey old = new RouteKey(destination, former.orElse(common));
      routes.removeDesired(old);
      refused.forget(old);
    }
    if (metrics.add(metric)) {
      requestResync("routes have the metric " + metric);
    }
    return new RouteKey(destination, metric);
  }

  private void refresh(Cidr destination) {
    Optional<RouteTarget> target = wanted(destination);
    RouteKey key = keyOf(destination, target);
    Optional<Route> route = Optional.empty();
    Optional<String> missing = Optional.empty();
    if (target.isPresent()) {
      switch (translator.translate(destination, target.get())) {
        case Translation.Translated(Route translated) -> route = Optional.of(translated);
        case Translation.Missing(String reason) -> missing = Optional.of(reason);
      }
    }
    if (!route.equals(Optional.ofNullable(routes.desired().get(key)))) {
      refused.forget(key);
    }
    missing.ifPresentOrElse(
        reason ->
            unresolved.merge(
                destination,
                new Unresolved(reason, nanoClock.getAsLong()),
                (old, fresh) -> new Unresolved(fresh.reason(), old.since())),
        () -> unresolved.remove(destination));
    route.ifPresentOrElse(
        wanted -> routes.setDesired(key, wanted), () -> routes.removeDesired(key));
  }

  /** Additions and replacements first: a destination that changes is never without a route. */
  private List<Write> pendingWrites(long now) {
    List<Write> writes = new ArrayList<>();
    routes
        .pendingPuts()
        .forEach(
            (key, route) -> {
              Route present = routes.actual().get(key);
              if (!refused.mustWait(key, now)
                  && !foreign.containsKey(key)
                  && mayReplace(present, route)) {
                writes.add(present == null ? new Write.Add(route) : new Write.Replace(route));
              }
            });
    routes
        .pendingDeletes()
        .forEach(
            (key, route) -> {
              if (!refused.mustWait(key, now) && mayDelete(route)) {
                writes.add(new Write.Delete(route));
              }
            });
    duplicates.removeIf(
        route -> inSync.contains(RouteSource.of(route)) && writes.add(new Write.Delete(route)));
    return writes;
  }

  private boolean mayReplace(Route present, Route wanted) {
    return present == null
        || RouteSource.of(wanted) != RouteSource.LEARNED
        || RouteSource.of(present) == RouteSource.LEARNED
        || mayDelete(present);
  }

  private boolean mayDelete(Route present) {
    RouteSource source = RouteSource.of(present);
    EnumSet<RouteSource> deleted = deletedByName.get(present.destination());
    return inSync.contains(source) || (deleted != null && deleted.contains(source));
  }

  /** Returns whether the kernel has something that we did not know of. */
  private boolean record(List<Write> writes, List<Refusal> refusals, long now, boolean lastPass) {
    IdentityHashMap<Write, Refusal> byWrite = new IdentityHashMap<>();
    refusals.forEach(refusal -> byWrite.put(refusal.write(), refusal));
    boolean surprised = false;
    for (Write write : writes) {
      RouteKey key = RouteKey.of(write.route());
      Refusal refusal = byWrite.get(write);
      if (refusal == null || isGoneAlready(refusal)) {
        done(write, key);
        continue;
      }
      boolean unknown = isSurprise(refusal);
      surprised |= unknown;
      if ((!unknown || lastPass) && refused.note(key, refusal.reason(), now)) {
        log.warn("route refused {}", refusal.reason());
      }
    }
    return surprised && !lastPass;
  }

  private void done(Write write, RouteKey key) {
    refused.forget(key);
    switch (write) {
      case Write.Add(Route route) -> routes.setActual(key, route);
      case Write.Replace(Route route) -> routes.setActual(key, route);
      case Write.Delete(Route route) -> {
        // A duplicate of what is known leaves the other one in place.
        if (route.equals(routes.actual().get(key))) {
          routes.removeActual(key);
        }
        deletedByName.remove(key.destination());
      }
    }
  }

  private static boolean isGoneAlready(Refusal refusal) {
    return refusal.write() instanceof Write.Delete && refusal.errno() == Errno.ESRCH;
  }

  private static boolean isSurprise(Refusal refusal) {
    return (refusal.write() instanceof Write.Add && refusal.errno() == Errno.EEXIST)
        || refusal.errno() == Errno.ENOBUFS;
  }

  private RouteState state(Cidr destination, RouteTarget target) {
    RouteKey key = new RouteKey(destination, settings.metricOf(target));
    Optional<Route> kernel = Optional.ofNullable(routes.actual().get(key));
    return new RouteState(
        destination, target.source(), target, kernel, problem(destination, key, kernel));
  }

  private Optional<RouteState.Problem> problem(
      Cidr destination, RouteKey key, Optional<Route> kernel) {
    long now = nanoClock.getAsLong();
    Unresolved missing = unresolved.get(destination);
    if (missing != null) {
      return Optional.of(
          new RouteState.Problem(missing.reason(), 0, Duration.ofNanos(now - missing.since())));
    }
    Route wanted = routes.desired().get(key);
    if (kernel.map(present -> present.equals(wanted)).orElse(false)) {
      return Optional.empty();
    }
    Route other = foreign.get(key);
    if (other != null) {
      return Optional.of(
          new RouteState.Problem(
              "a route of protocol " + other.protocol() + " is in its place: " + other,
              0,
              Duration.ZERO));
    }
    return refused
        .get(key)
        .map(
            known ->
                new RouteState.Problem(
                    known.reason(), known.attempts(), Duration.ofNanos(now - known.since())))
        .or(
            () ->
                Optional.of(
                    new RouteState.Problem(
                        kernel.isEmpty() || mayReplace(kernel.get(), wanted)
                            ? "not written yet"
                            : "an adopted route of a container is in its place until containers"
                                + " are in sync",
                        0,
                        Duration.ZERO)));
  }
}
