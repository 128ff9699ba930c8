package io.wayleave.cni;

import io.wayleave.linux.netlink.Link;
import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.linux.netlink.NextHop;
import io.wayleave.linux.netlink.Route;
import io.wayleave.linux.netlink.RouteFilter;
import io.wayleave.linux.netlink.Routes;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.WorkloadEndpoint;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A dataplane without policy, whose routes are real where there are links. It holds its caller to
 * the contract of {@link EndpointDataplane}: the order of the calls, and what the link must be like
 * at each.
 */
final class FakeDataplane implements EndpointDataplane {
  static final int PROTOCOL = 77;

  private final Map<String, WorkloadEndpoint> inForce = new HashMap<>();
  private final Map<String, WorkloadEndpoint> announced = new HashMap<>();
  private final List<String> calls = Collections.synchronizedList(new ArrayList<>());
  private final boolean links;

  private FakeDataplane(boolean links) {
    this.links = links;
  }

  /** For tests with a real kernel. */
  static FakeDataplane withRoutes() {
    return new FakeDataplane(true);
  }

  static FakeDataplane withoutKernel() {
    return new FakeDataplane(false);
  }

  /** Names of the endpoints with policy. */
  synchronized List<String> inForce() {
    return inForce.keySet().stream().sorted().toList();
  }

  synchronized List<String> announced() {
    return announced.keySet().stream().sorted().toList();
  }

  List<String> calls() {
    return List.copyOf(calls);
  }

  @Override
  public synchronized void protect(WorkloadEndpoint endpoint, Duration timeout) throws IOException {
    calls.add("protect");
    requireTime(timeout);
    if (link(endpoint).filter(Link::up).isPresent()) {
      throw new AssertionError("a packet could pass before its policy is in force");
    }
    inForce.put(endpoint.name(), endpoint);
  }

  @Override
  public synchronized void connect(WorkloadEndpoint endpoint, Duration timeout) throws IOException {
    calls.add("connect");
    requireTime(timeout);
    if (!inForce.containsKey(endpoint.name())) {
      throw new AssertionError("routed without policy");
    }
    if (links) {
      try (NetlinkSocket socket = NetlinkSocket.open()) {
        Link link = socket.links().get(endpoint.spec().interfaceName());
        if (!link.up()) {
          throw new AssertionError("the host's end is down");
        }
        for (Cidr address : endpoint.spec().ipNetworks()) {
          socket.routes().replace(Route.unicast(address, PROTOCOL, NextHop.dev(link.index())));
        }
      }
    }
    announced.put(endpoint.name(), endpoint);
  }

  @Override
  public synchronized void disconnect(WorkloadEndpoint endpoint, Duration timeout)
      throws IOException {
    calls.add("disconnect");
    announced.remove(endpoint.name());
    if (links) {
      try (NetlinkSocket socket = NetlinkSocket.open()) {
        for (Family family : Family.values()) {
          for (Route route :
              socket.routes().list(RouteFilter.mainTable(family).ofProtocol(PROTOCOL))) {
            if (endpoint.spec().ipNetworks().contains(route.destination())) {
              socket.execute(Routes.deleting(route));
            }
          }
        }
      }
    }
  }

  @Override
  public synchronized void unprotect(WorkloadEndpoint endpoint, Duration timeout)
      throws IOException {
    calls.add("unprotect");
    if (announced.containsKey(endpoint.name())) {
      throw new AssertionError("policy is taken away while the endpoint is announced");
    }
    if (link(endpoint).isPresent()) {
      throw new AssertionError("policy is taken away while the link is there");
    }
    inForce.remove(endpoint.name());
  }

  private Optional<Link> link(WorkloadEndpoint endpoint) throws IOException {
    if (!links) {
      return Optional.empty();
    }
    try (NetlinkSocket socket = NetlinkSocket.open()) {
      return socket.links().find(endpoint.spec().interfaceName());
    }
  }

  private static void requireTime(Duration timeout) {
    if (timeout.isZero() || timeout.isNegative()) {
      throw new AssertionError("called without time to do it");
    }
  }
}
