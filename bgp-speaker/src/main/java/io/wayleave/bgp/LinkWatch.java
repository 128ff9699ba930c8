package io.wayleave.bgp;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.bfd.BfdEndpoint;
import io.wayleave.bgp.bfd.BfdListener;
import io.wayleave.bgp.bfd.BfdService;
import io.wayleave.bgp.bfd.BfdStatus;
import io.wayleave.bgp.bfd.Diagnostic;
import io.wayleave.bgp.session.Loop;
import io.wayleave.bgp.session.Surroundings;
import io.wayleave.bgp.unnumbered.LinkNeighbour;
import io.wayleave.bgp.unnumbered.NeighbourDiscovery;
import io.wayleave.bgp.unnumbered.NeighbourListener;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The real {@link Surroundings}: BFD and neighbour discovery, each on a thread of its own that is
 * started when the first peer needs it. What they find is handed to the speaker's thread. A speaker
 * without such peers has neither thread nor socket of them.
 */
final class LinkWatch implements Surroundings, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(LinkWatch.class);
  private static final Duration RETRY = Duration.ofSeconds(5);

  private final Loop loop;
  private Events events;
  private Optional<BfdService> bfd = Optional.empty();
  private Optional<NeighbourDiscovery> discovery = Optional.empty();
  private Map<BfdEndpoint, BfdSettings> paths = Map.of();
  private Set<String> interfaces = Set.of();
  private boolean retrying;
  private volatile boolean closed;

  LinkWatch(Loop loop) {
    this.loop = requireNonNull(loop, "loop is null");
  }

  @Override
  public void begin(Events told) {
    events = requireNonNull(told, "told is null");
  }

  @Override
  public void watchPaths(Map<BfdEndpoint, BfdSettings> wanted) {
    Map<BfdEndpoint, BfdSettings> former = paths;
    paths = Map.copyOf(wanted);
    if (bfd.isEmpty()) {
      startWhatIsNeeded();
      return;
    }
    BfdService service = bfd.get();
    for (BfdEndpoint endpoint : former.keySet()) {
      if (!paths.containsKey(endpoint)) {
        service.remove(endpoint);
      }
    }
    paths.forEach(service::put);
  }

  @Override
  public void watchInterfaces(Set<String> names) {
    Set<String> former = interfaces;
    interfaces = Set.copyOf(names);
    if (discovery.isEmpty()) {
      startWhatIsNeeded();
      return;
    }
    Set<String> gone = new HashSet<>(former);
    gone.removeAll(interfaces);
    gone.forEach(discovery.get()::unwatch);
    interfaces.forEach(discovery.get()::watch);
  }

  @Override
  public Optional<BfdStatus> path(BfdEndpoint endpoint) {
    return bfd.flatMap(service -> service.status(endpoint));
  }

  private void startWhatIsNeeded() {
    if (closed) {
      return;
    }
    try {
      if (bfd.isEmpty() && !paths.isEmpty()) {
        BfdService service = BfdService.start(new Paths());
        bfd = Optional.of(service);
        paths.forEach(service::put);
      }
      if (discovery.isEmpty() && !interfaces.isEmpty()) {
        NeighbourDiscovery started = NeighbourDiscovery.start(new Neighbours());
        discovery = Optional.of(started);
        interfaces.forEach(started::watch);
      }
    } catch (IOException e) {
      log.error("links cannot be watched, trying again in {}", RETRY, e);
      if (!retrying) {
        retrying = true;
        loop.schedule(
            RETRY,
            () -> {
              retrying = false;
              startWhatIsNeeded();
            });
      }
    }
  }

  private void tell(Consumer<Events> event) {
    loop.execute(() -> event.accept(events));
  }

  /**
   * Tells the peers that BFD ends on purpose, and waits for both threads. For the thread that ends
   * the speaker, after its sessions and before its loop.
   */
  @Override
  public void close() {
    closed = true;
    discovery.ifPresent(NeighbourDiscovery::close);
    bfd.ifPresent(BfdService::close);
  }

  private final class Paths implements BfdListener {
    @Override
    public void up(BfdEndpoint endpoint) {}

    @Override
    public void down(BfdEndpoint endpoint, Diagnostic diagnostic, boolean independent) {
      tell(to -> to.pathDown(endpoint, diagnostic, independent));
    }

    /** RFC 5882 section 4.2: no reason to touch the session. */
    @Override
    public void adminDown(BfdEndpoint endpoint) {}
  }

  private final class Neighbours implements NeighbourListener {
    @Override
    public void found(LinkNeighbour neighbour) {
      ScopedAddress address = new ScopedAddress(neighbour.address(), neighbour.interfaceIndex());
      tell(to -> to.neighbourFound(neighbour.interfaceName(), address));
    }

    /** The session and BFD know better whether it is there. */
    @Override
    public void silent(LinkNeighbour neighbour) {}

    @Override
    public void lost(LinkNeighbour neighbour, String reason) {
      tell(to -> to.neighbourLost(neighbour.interfaceName()));
    }
  }
}
