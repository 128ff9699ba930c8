package io.wayleave.agent;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import io.wayleave.model.Update;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.route.RouteService;
import io.wayleave.route.RouteSource;
import io.wayleave.route.RouteState;
import io.wayleave.route.RouteTarget;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From this node's endpoints to the routes of the kernel and the announcements of the speaker: a
 * route per address to the host's end, and, when the kernel has it, an announcement; the reverse
 * when an endpoint goes. An address whose route the kernel does not take (its interface is gone) is
 * not announced: traffic for it would only be lost here.
 *
 * <p>NOT thread safe; owned by the core thread. Nothing here blocks: the futures complete when the
 * kernel has been told.
 */
final class LocalNetwork {
  private static final Logger log = LoggerFactory.getLogger(LocalNetwork.class);

  /** Says to the fabric where an address is. */
  interface Announcer {
    void announce(Cidr address);

    void withdraw(Cidr address);
  }

  /** One wanted address. */
  private static final class Wanted {
    private final String endpoint;
    private final String interfaceName;
    private boolean programmed;
    private String problem = "";
    private boolean announced;

    Wanted(String endpoint, String interfaceName) {
      this.endpoint = endpoint;
      this.interfaceName = interfaceName;
    }
  }

  private final CoreThread core;
  private final RouteService routes;
  private final Announcer announcer;
  private final LocalEndpoints endpoints;
  private final Map<String, Set<Cidr>> addressesOf = new HashMap<>();
  private final Map<Cidr, Wanted> wanted = new HashMap<>();
  private final Map<Family, IpAddress> ownAddresses = new HashMap<>();
  private List<IpPool> silentPools = List.of();
  private boolean started;

  LocalNetwork(String node, CoreThread core, RouteService routes, Announcer announcer) {
    this.core = core;
    this.routes = routes;
    this.announcer = announcer;
    this.endpoints = new LocalEndpoints(node);
  }

  /** The datastore tells an endpoint of any node. Acted upon at once after {@link #start}. */
  void onUpdate(Update<String, WorkloadEndpoint> update) {
    endpoints.onUpdate(update);
    if (!started) {
      return;
    }
    switch (update) {
      case Update.Put<String, WorkloadEndpoint>(String name, WorkloadEndpoint _) -> {
        // One that is new is most likely being added by CNI just now and its interface still down:
        // connect will come for it, and if not (a crash between the two), the next retry.
        if (addressesOf.containsKey(name)) {
          var _ = reconcile(name);
        }
      }
      case Update.Delete<String, WorkloadEndpoint>(String name) -> {
        var _ = reconcile(name);
      }
      case Update.InSync<String, WorkloadEndpoint>() -> {}
    }
  }

  /** Addresses of pools that keep out of BGP are routed and not announced. */
  void onPools(Collection<IpPool> pools) {
    silentPools = pools.stream().filter(pool -> pool.spec().disableBGPExport()).toList();
    wanted.forEach(this::announceOrWithdraw);
  }

  /**
   * Routes everything that the datastore has told: what the kernel has from an earlier run is
   * adopted without a rewrite.
   *
   * @param own this node's addresses, used as the source towards its containers
   * @return completes when the kernel has been told of every address, whether it took it or not
   */
  CompletableFuture<Void> start(List<IpAddress> own) {
    started = true;
    own.forEach(address -> ownAddresses.put(address.family(), address));
    List<CompletableFuture<?>> all = new ArrayList<>();
    for (String name : endpoints.all().keySet()) {
      // One whose interface is gone must not keep the others waiting for ever.
      all.add(reconcile(name).exceptionally(_ -> null));
    }
    all.add(routes.submit(RouteSource.WORKLOAD, new Update.InSync<>()));
    return CompletableFuture.allOf(all.toArray(CompletableFuture[]::new));
  }

  /** CNI ADD; completes when the kernel has the routes and the RIB the announcements. */
  CompletableFuture<Void> connect(WorkloadEndpoint endpoint) {
    endpoints.connect(endpoint);
    return reconcile(endpoint.name());
  }

  /** CNI DEL; completes when the announcements are withdrawn and the routes are gone. */
  CompletableFuture<Void> disconnect(WorkloadEndpoint endpoint) {
    endpoints.disconnect(endpoint);
    return reconcile(endpoint.name());
  }

  /**
   * Asks again how it stands with every address: an interface may have come up since, or gone
   * without a DEL. Costs the kernel nothing where all is well.
   */
  void retry() {
    if (started) {
      for (String name : endpoints.all().keySet()) {
        var _ = reconcile(name);
      }
    }
  }

  /** Every endpoint of this node that the datastore has, by name. */
  Map<String, WorkloadEndpoint> storedEndpoints() {
    return endpoints.stored();
  }

  int endpointCount() {
    return endpoints.all().size();
  }

  private CompletableFuture<Void> reconcile(String name) {
    Map<Cidr, String> now = new HashMap<>();
    Optional<WorkloadEndpoint> endpoint = endpoints.find(name);
    endpoint.ifPresent(
        found ->
            found
                .spec()
                .ipNetworks()
                .forEach(address -> now.put(address, found.spec().interfaceName())));
    List<CompletableFuture<?>> all = new ArrayList<>();
    Set<Cidr> before = addressesOf.getOrDefault(name, Set.of());
    for (Cidr address : before) {
      // An address that was given to another endpoint meanwhile is that one's.
      if (!now.containsKey(address) && owner(address).equals(name)) {
        all.add(remove(address));
      }
    }
    now.forEach(
        (address, interfaceName) -> {
          Wanted entry = wanted.get(address);
          if (entry == null
              || !entry.endpoint.equals(name)
              || !entry.interfaceName.equals(interfaceName)) {
            // A former announcement stays until the kernel has answered for the new interface.
            boolean announced = entry != null && entry.announced;
            entry = new Wanted(name, interfaceName);
            entry.announced = announced;
            wanted.put(address, entry);
          }
          all.add(route(address, entry));
        });
    if (now.isEmpty()) {
      addressesOf.remove(name);
    } else {
      addressesOf.put(name, new HashSet<>(now.keySet()));
    }
    return CompletableFuture.allOf(all.toArray(CompletableFuture[]::new));
  }

  private String owner(Cidr address) {
    Wanted entry = wanted.get(address);
    return entry == null ? "" : entry.endpoint;
  }

  private CompletableFuture<?> remove(Cidr address) {
    Wanted entry = wanted.remove(address);
    if (entry != null && entry.announced) {
      announcer.withdraw(address);
    }
    return routes.submit(RouteSource.WORKLOAD, new Update.Delete<>(address));
  }

  private CompletableFuture<Void> route(Cidr address, Wanted entry) {
    RouteTarget target =
        new RouteTarget.Workload(
            entry.interfaceName, Optional.ofNullable(ownAddresses.get(address.family())));
    return routes
        .submit(RouteSource.WORKLOAD, new Update.Put<>(address, target))
        .thenAcceptAsync(state -> told(address, entry, state), core);
  }

  private void told(Cidr address, Wanted entry, Optional<RouteState> state) {
    if (wanted.get(address) != entry) {
      return; // It went, or moved to another interface, while the kernel was told.
    }
    entry.programmed = state.isPresent() && state.get().programmed();
    announceOrWithdraw(address, entry);
    if (entry.programmed) {
      entry.problem = "";
      return;
    }
    String reason =
        state.flatMap(RouteState::problem).map(RouteState.Problem::reason).orElse("unknown");
    if (!reason.equals(entry.problem)) {
      entry.problem = reason;
      log.warn(
          "local route not programmed address={} interface={} reason=\"{}\"",
          address,
          entry.interfaceName,
          reason);
    }
    throw new CompletionException(
        new IOException(
            "the kernel did not take the route "
                + address
                + " dev "
                + entry.interfaceName
                + ": "
                + reason));
  }

  private void announceOrWithdraw(Cidr address, Wanted entry) {
    boolean wish =
        entry.programmed
            && silentPools.stream().noneMatch(pool -> pool.spec().cidr().contains(address));
    if (wish && !entry.announced) {
      announcer.announce(address);
    } else if (!wish && entry.announced) {
      announcer.withdraw(address);
    }
    entry.announced = wish;
  }
}
