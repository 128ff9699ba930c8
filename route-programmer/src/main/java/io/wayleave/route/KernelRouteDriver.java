package io.wayleave.route;

import io.wayleave.linux.netlink.Link;
import io.wayleave.linux.netlink.NetlinkRequest;
import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.linux.netlink.Route;
import io.wayleave.linux.netlink.RouteFilter;
import io.wayleave.linux.netlink.Routes;
import io.wayleave.model.Family;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** The real kernel by netlink, in the network namespace of the socket. NOT thread safe. */
public final class KernelRouteDriver implements RouteDriver {
  private final NetlinkSocket socket;
  private final RouteSettings settings;

  /** The socket stays the caller's to close. */
  public KernelRouteDriver(NetlinkSocket socket, RouteSettings settings) {
    this.socket = socket;
    this.settings = settings;
  }

  @Override
  public Snapshot dump(Predicate<Route> relevant) throws IOException {
    List<Link> links = socket.links().list();
    List<Route> routes = new ArrayList<>();
    for (Family family : Family.values()) {
      RouteFilter table = RouteFilter.mainTable(family).inTable(settings.table());
      for (Route route : socket.routes().list(table)) {
        if (relevant.test(route)) {
          routes.add(route);
        }
      }
    }
    return new Snapshot(links, routes);
  }

  @Override
  public List<Route> ownRoutesOn(int interfaceIndex) throws IOException {
    List<Route> routes = new ArrayList<>();
    for (Family family : Family.values()) {
      routes.addAll(
          socket
              .routes()
              .list(
                  RouteFilter.all(family)
                      .inTable(settings.table())
                      .ofProtocol(settings.protocol())
                      .onInterface(interfaceIndex)));
    }
    return routes;
  }

  @Override
  public List<Refusal> write(List<Write> writes) throws IOException {
    List<NetlinkRequest> requests = new ArrayList<>(writes.size());
    Map<NetlinkRequest, Write> byRequest = new HashMap<>();
    for (Write write : writes) {
      NetlinkRequest request =
          switch (write) {
            case Write.Add add -> Routes.adding(add.route());
            case Write.Replace replace -> Routes.replacing(replace.route());
            case Write.Delete delete -> Routes.deleting(delete.route());
          };
      requests.add(request);
      byRequest.put(request, write);
    }
    List<Refusal> refusals = new ArrayList<>();
    for (NetlinkSocket.Failure failure : socket.executeAll(requests)) {
      refusals.add(
          new Refusal(
              byRequest.get(failure.request()),
              failure.reason().errno(),
              failure.reason().getMessage()));
    }
    return refusals;
  }
}
