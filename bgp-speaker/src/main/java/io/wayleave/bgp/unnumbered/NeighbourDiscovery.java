package io.wayleave.bgp.unnumbered;

import static java.util.Objects.requireNonNull;

import io.wayleave.linux.Fd;
import io.wayleave.linux.Packet;
import io.wayleave.linux.PacketLoop;
import io.wayleave.linux.PacketSocket;
import io.wayleave.linux.netlink.Link;
import io.wayleave.linux.netlink.NetlinkEvent;
import io.wayleave.linux.netlink.NetlinkMonitor;
import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches interfaces by name, on a thread of its own: advertises this host there and tells which
 * router is at the other end. An interface need not be there yet; it may go, come back and have
 * another index then. Every method may be called from any thread and returns at once.
 *
 * <p>It stays in the network namespace of the thread that starts it.
 */
public final class NeighbourDiscovery implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(NeighbourDiscovery.class);

  private static final IpAddress ALL_NODES = IpAddress.parse("ff02::1");
  private static final IpAddress ALL_ROUTERS = IpAddress.parse("ff02::2");
  private static final int PACKETS_PER_TURN = 256;

  private final NeighbourListener listener;
  private final PacketSocket socket;
  private final NetlinkMonitor monitor;
  private final NetlinkSocket netlink;
  private final SecureRandom random = new SecureRandom();
  private final PacketLoop loop;

  // Of the thread.
  private final Map<String, LinkDiscovery> watched = new HashMap<>();
  private final Map<String, String> problems = new HashMap<>();

  private NeighbourDiscovery(
      NeighbourListener listener,
      PacketSocket socket,
      NetlinkMonitor monitor,
      NetlinkSocket netlink)
      throws IOException {
    this.listener = requireNonNull(listener, "listener is null");
    this.socket = socket;
    this.monitor = monitor;
    this.netlink = netlink;
    loop = PacketLoop.start("wayleave-neighbours", new Work());
  }

  /** In the network namespace of the calling thread. */
  public static NeighbourDiscovery start(NeighbourListener listener) throws IOException {
    PacketSocket socket =
        PacketSocket.icmpv6(RouterMessage.SOLICITATION, RouterMessage.ADVERTISEMENT);
    try {
      NetlinkMonitor monitor = NetlinkMonitor.open(Set.of(NetlinkMonitor.Group.LINKS));
      try {
        NetlinkSocket netlink = NetlinkSocket.open();
        return new NeighbourDiscovery(listener, socket, monitor, netlink);
      } catch (IOException | RuntimeException e) {
        monitor.close();
        throw e;
      }
    } catch (IOException | RuntimeException e) {
      socket.close();
      throw e;
    }
  }

  /** Begins to watch an interface; nothing happens when it is watched already. */
  public void watch(String interfaceName) {
    requireNonNull(interfaceName, "interfaceName is null");
    loop.execute(
        () -> {
          if (watched.containsKey(interfaceName)) {
            return;
          }
          watched.put(interfaceName, new LinkDiscovery(interfaceName, new Outlet(), random));
          try {
            netlink.links().find(interfaceName).ifPresent(this::changed);
          } catch (IOException e) {
            log.error("interface not found interface={} error={}", interfaceName, e.getMessage());
          }
        });
  }

  /** Watches and advertises there no more. Its neighbour, if any, is lost. */
  public void unwatch(String interfaceName) {
    requireNonNull(interfaceName, "interfaceName is null");
    loop.execute(
        () -> {
          LinkDiscovery removed = watched.remove(interfaceName);
          if (removed != null) {
            removed.index().ifPresent(this::leave);
            removed.unusable("not watched any more");
          }
        });
  }

  /** Ends silently: no listener is called. Waits for the thread. */
  @Override
  public void close() {
    loop.close();
  }

  private void changed(Link link) {
    long now = System.nanoTime();
    // An interface that was renamed away from a watched name.
    watched.forEach(
        (name, discovery) -> {
          if (!name.equals(link.name())
              && discovery.index().filter(index -> index == link.index()).isPresent()) {
            discovery.unusable("interface renamed");
          }
        });
    LinkDiscovery discovery = watched.get(link.name());
    if (discovery == null) {
      return;
    }
    if (!link.up() || !link.carrier()) {
      discovery.unusable(link.up() ? "interface has no carrier" : "interface is down");
      return;
    }
    join(link.index());
    discovery.usable(link.index(), now);
  }

  private void removed(Link link) {
    watched
        .values()
        .forEach(
            discovery -> {
              if (discovery.index().filter(index -> index == link.index()).isPresent()) {
                discovery.unusable("interface removed");
              }
            });
  }

  private void resync() throws IOException {
    List<Link> links = netlink.links().list();
    Set<Integer> there = Set.copyOf(links.stream().map(Link::index).toList());
    for (LinkDiscovery discovery : watched.values()) {
      if (discovery.index().filter(index -> !there.contains(index)).isPresent()) {
        discovery.unusable("interface removed");
      }
    }
    links.forEach(this::changed);
  }

  private void join(int index) {
    try {
      socket.join(ALL_ROUTERS, index);
    } catch (IOException e) {
      log.warn("solicitations will not be heard interface={} error={}", index, e.getMessage());
    }
  }

  private void leave(int index) {
    try {
      socket.leave(ALL_ROUTERS, index);
    } catch (IOException e) {
      log.debug("group not left interface={} error={}", index, e.getMessage());
    }
  }

  private void received(Packet packet, long now) {
    Optional<LinkDiscovery> discovery =
        watched.values().stream()
            .filter(
                candidate ->
                    candidate.index().filter(i -> i == packet.interfaceIndex()).isPresent())
            .findFirst();
    if (discovery.isEmpty()) {
      return;
    }
    switch (RouterMessage.decode(packet)) {
      case RouterMessage.Advertisement(Duration validity) ->
          discovery.get().advertised(packet.source(), validity, now);
      case RouterMessage.Solicitation() -> discovery.get().solicited(packet.source(), now);
      case RouterMessage.Discarded(String reason) ->
          log.debug("router message discarded from={} reason={}", packet.source(), reason);
    }
  }

  private final class Work implements PacketLoop.Work {
    @Override
    public List<Fd> readable() {
      return List.of(socket.fd(), monitor.fd());
    }

    @Override
    public OptionalLong wakeAt() {
      return watched.values().stream()
          .map(LinkDiscovery::wakeAt)
          .reduce(OptionalLong.empty(), LinkDiscovery::earlier);
    }

    @Override
    public void turn() throws IOException {
      for (NetlinkEvent event : monitor.poll(Duration.ZERO)) {
        switch (event) {
          case NetlinkEvent.LinkChanged(Link link) -> changed(link);
          case NetlinkEvent.LinkRemoved(Link link) -> removed(link);
          case NetlinkEvent.ResyncNeeded(String _) -> resync();
          case NetlinkEvent.AddressChanged _,
              NetlinkEvent.AddressRemoved _,
              NetlinkEvent.RouteChanged _,
              NetlinkEvent.RouteRemoved _,
              NetlinkEvent.NeighbourChanged _,
              NetlinkEvent.NeighbourRemoved _ -> {}
        }
      }
      long now = System.nanoTime();
      for (int i = 0; i < PACKETS_PER_TURN; i++) {
        Optional<Packet> packet = socket.receive();
        if (packet.isEmpty()) {
          break;
        }
        received(packet.get(), now);
      }
      watched.values().forEach(discovery -> discovery.time(now));
    }

    @Override
    public void end() {
      socket.close();
      monitor.close();
      netlink.close();
    }
  }

  private final class Outlet implements LinkDiscovery.Outlet {
    @Override
    public boolean advertise(int interfaceIndex, Optional<IpAddress> to) {
      return send(
          RouterMessage.advertisement(LinkDiscovery.LONGEST_INTERVAL),
          to.orElse(ALL_NODES),
          interfaceIndex);
    }

    @Override
    public boolean solicit(int interfaceIndex) {
      return send(RouterMessage.solicitation(), ALL_ROUTERS, interfaceIndex);
    }

    private boolean send(byte[] message, IpAddress to, int interfaceIndex) {
      String name = Integer.toString(interfaceIndex);
      try {
        socket.send(message, to, 0, interfaceIndex, Optional.empty());
        problems.remove(name);
        return true;
      } catch (IOException e) {
        // No usable address of its own yet, as a rule: it is tried again.
        if (!String.valueOf(e.getMessage()).equals(problems.put(name, e.getMessage()))) {
          log.info("cannot advertise yet interface={} error={}", name, e.getMessage());
        }
        return false;
      }
    }

    @Override
    public void found(LinkNeighbour neighbour) {
      log.info("neighbour found neighbour={}", neighbour);
      listener.found(neighbour);
    }

    @Override
    public void silent(LinkNeighbour neighbour) {
      log.info("neighbour silent neighbour={}", neighbour);
      listener.silent(neighbour);
    }

    @Override
    public void lost(LinkNeighbour neighbour, String reason) {
      log.info("neighbour lost neighbour={} reason={}", neighbour, reason);
      listener.lost(neighbour, reason);
    }
  }
}
