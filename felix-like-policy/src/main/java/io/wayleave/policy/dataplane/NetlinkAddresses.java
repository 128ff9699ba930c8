package io.wayleave.policy.dataplane;

import static java.util.Objects.requireNonNull;

import io.wayleave.linux.NetworkNamespace;
import io.wayleave.linux.netlink.InterfaceAddress;
import io.wayleave.linux.netlink.Link;
import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** Asks the kernel over netlink, with a socket for each question: they are few. */
public final class NetlinkAddresses implements InterfaceAddresses {
  private final Optional<Path> namespace;

  /**
   * Opens nothing yet.
   *
   * @param namespace such as {@code /run/netns/NAME}; empty for the namespace of the thread that
   *     asks
   */
  public NetlinkAddresses(Optional<Path> namespace) {
    this.namespace = requireNonNull(namespace, "namespace is null");
  }

  @Override
  public Map<IpAddress, Set<String>> read() {
    try (NetlinkSocket socket = NetworkNamespace.runIn(namespace, NetlinkSocket::open)) {
      Map<Integer, String> names = new HashMap<>();
      for (Link link : socket.links().list()) {
        names.put(link.index(), link.name());
      }
      Map<IpAddress, Set<String>> interfaces = new HashMap<>();
      for (InterfaceAddress address : socket.addresses().list()) {
        // An interface may have come between the two questions; the next time it has a name.
        Optional.ofNullable(names.get(address.interfaceIndex()))
            .ifPresent(
                name ->
                    interfaces.computeIfAbsent(address.address(), _ -> new TreeSet<>()).add(name));
      }
      return interfaces;
    } catch (IOException e) {
      throw new DataplaneException("addresses of interfaces: " + e.getMessage(), e);
    }
  }
}
