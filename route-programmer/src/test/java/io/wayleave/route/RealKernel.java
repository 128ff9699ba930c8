package io.wayleave.route;

import io.wayleave.linux.NetworkNamespace;
import io.wayleave.linux.netlink.InterfaceAddress;
import io.wayleave.linux.netlink.Links;
import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.linux.netlink.Route;
import io.wayleave.linux.netlink.VethPair;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/** The real kernel in a network namespace of its own, with one socket to meddle with. */
final class RealKernel implements TestKernel {
  private static final AtomicInteger COUNT = new AtomicInteger();

  private final String name =
      "wlt" + ProcessHandle.current().pid() + "-r" + COUNT.incrementAndGet();
  private final NetworkNamespace namespace;
  private final NetlinkSocket socket;
  private final NetlinkSocket driverSocket;
  private final RouteDriver driver;

  RealKernel(RouteSettings settings) throws IOException {
    namespace = NetworkNamespace.create(name);
    socket = NetlinkSocket.open(namespace);
    driverSocket = NetlinkSocket.open(namespace);
    driver = new KernelRouteDriver(driverSocket, settings);
    socket.links().setUp(socket.links().get("lo").index());
  }

  NetworkNamespace namespace() {
    return namespace;
  }

  Path path() {
    return NetworkNamespace.NAMES.resolve(name);
  }

  NetlinkSocket socket() {
    return socket;
  }

  @Override
  public RouteDriver driver() {
    return driver;
  }

  @Override
  public int addLink(String link) throws IOException {
    socket.links().create(VethPair.of(link, link + "-p").setUp());
    socket.links().setUp(socket.links().get(link + "-p").index());
    return socket.links().get(link).index();
  }

  @Override
  public void setUp(int interfaceIndex, boolean up) throws IOException {
    if (up) {
      socket.links().setUp(interfaceIndex);
    } else {
      socket.links().setDown(interfaceIndex);
    }
  }

  @Override
  public void removeLink(int interfaceIndex) throws IOException {
    socket.execute(Links.deleting(interfaceIndex));
  }

  @Override
  public void addAddress(int interfaceIndex, IpAddress address, int prefixLength)
      throws IOException {
    socket
        .addresses()
        .add(
            InterfaceAddress.of(interfaceIndex, address, prefixLength)
                .with(InterfaceAddress.Flag.NODAD));
  }

  @Override
  public void meddle(Route route) throws IOException {
    socket.routes().replace(route);
  }

  @Override
  public void meddleAway(Route route) throws IOException {
    socket.routes().delete(route);
  }

  @Override
  public void close() throws IOException {
    socket.close();
    driverSocket.close();
    namespace.close();
    NetworkNamespace.delete(name);
  }
}
