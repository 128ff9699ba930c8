package io.wayleave.cni;

import io.wayleave.linux.NetworkNamespace;
import io.wayleave.linux.netlink.InterfaceAddress;
import io.wayleave.linux.netlink.Link;
import io.wayleave.linux.netlink.Neighbour;
import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.linux.netlink.RouteFilter;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** A network namespace for a test, with its loopback up; gone after {@link #close}. */
final class Namespace implements AutoCloseable {
  private static final AtomicInteger COUNT = new AtomicInteger();

  private final String name;
  private final NetworkNamespace namespace;

  private Namespace(String name, NetworkNamespace namespace) {
    this.name = name;
    this.namespace = namespace;
  }

  static Namespace create() throws IOException {
    String name = "wltc" + ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet();
    Namespace created = new Namespace(name, NetworkNamespace.create(name));
    try (NetlinkSocket socket = created.open()) {
      socket.links().setUp(socket.links().get("lo").index());
      return created;
    } catch (IOException e) {
      created.close();
      throw e;
    }
  }

  String path() {
    return NetworkNamespace.NAMES.resolve(name).toString();
  }

  NetworkNamespace get() {
    return namespace;
  }

  NetlinkSocket open() throws IOException {
    return NetlinkSocket.open(namespace);
  }

  /** Gives the loopback interface an address, so that there is somebody to talk to. */
  void addAddress(String address) throws Exception {
    IpAddress parsed = IpAddress.parse(address);
    try (NetlinkSocket socket = open()) {
      InterfaceAddress own =
          InterfaceAddress.of(socket.links().get("lo").index(), parsed, parsed.family().bits());
      socket
          .addresses()
          .add(parsed.family() == Family.IPV6 ? own.with(InterfaceAddress.Flag.NODAD) : own);
    }
  }

  /**
   * Everything in it that a test could leave behind, in words. Not the local table: the kernel
   * keeps that one by itself, a moment after each address.
   */
  List<String> contents() throws IOException {
    List<String> contents = new ArrayList<>();
    try (NetlinkSocket socket = open()) {
      Map<Integer, String> names = new HashMap<>();
      for (Link link : socket.links().list()) {
        names.put(link.index(), link.name());
        contents.add("link " + link.name() + " up=" + link.up() + " mtu=" + link.mtu());
      }
      // All at once: a link may go while it is looked at, and its own list is an error then.
      for (InterfaceAddress address : socket.addresses().list()) {
        String index = "#" + address.interfaceIndex();
        String name = names.getOrDefault(address.interfaceIndex(), index);
        contents.add("address " + address + " dev " + name);
      }
      for (Family family : Family.values()) {
        socket
            .routes()
            .list(RouteFilter.mainTable(family))
            .forEach(each -> contents.add("route " + each));
      }
      for (Neighbour neighbour : socket.neighbours().list()) {
        if (neighbour.permanent()) {
          contents.add("neighbour " + neighbour);
        }
      }
    }
    contents.sort(String::compareTo);
    return contents;
  }

  /** The name goes; the namespace too, unless something else holds it. */
  @Override
  public void close() throws IOException {
    namespace.close();
    NetworkNamespace.delete(name);
  }
}
