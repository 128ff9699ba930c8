package io.wayleave.cni;

import static io.wayleave.cni.CniException.Code.INVALID_ENVIRONMENT;

import io.wayleave.linux.Errno;
import io.wayleave.linux.Sysctl;
import io.wayleave.linux.netlink.Addresses;
import io.wayleave.linux.netlink.InterfaceAddress;
import io.wayleave.linux.netlink.Link;
import io.wayleave.linux.netlink.Links;
import io.wayleave.linux.netlink.Neighbour;
import io.wayleave.linux.netlink.Neighbours;
import io.wayleave.linux.netlink.NetlinkException;
import io.wayleave.linux.netlink.NetlinkRequest;
import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.linux.netlink.NextHop;
import io.wayleave.linux.netlink.Route;
import io.wayleave.linux.netlink.RouteFilter;
import io.wayleave.linux.netlink.Routes;
import io.wayleave.linux.netlink.VethPair;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.MacAddress;
import io.wayleave.model.WorkloadEndpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The veth pair by netlink. The host is the network namespace of the calling thread.
 *
 * <p>Why the routes look as they do: the container is alone on its link, so its address is a /32
 * and its gateway is an address that nobody has, 169.254.1.1. A route of scope link makes the
 * gateway reachable, and a permanent neighbour entry gives the host end's Ethernet address, so that
 * the container never asks. Proxy ARP would answer only while the host has a default route itself,
 * and so fail just when both ToRs are lost. For IPv6 the gateway is the host end's link-local
 * address.
 */
final class VethWiring implements Wiring {
  private static final Cidr DEFAULT_V4 = Cidr.parse("0.0.0.0/0");
  private static final Cidr DEFAULT_V6 = Cidr.parse("::/0");
  private static final int LINK_LOCAL_PREFIX = 64;

  @Override
  public void create(WirePlan plan) throws IOException, CniException {
    VethPair.End host =
        VethPair.End.of(plan.hostInterface()).withMac(Wire.HOST_MAC).withMtu(plan.mtu());
    VethPair.End container =
        VethPair.End.of(plan.containerInterface())
            .withMac(plan.endpoint().spec().mac())
            .withMtu(plan.mtu())
            .in(plan.namespace());
    try (NetlinkSocket socket = NetlinkSocket.open()) {
      // Without a record nobody owns it; the records of this host were lost.
      socket.links().delete(plan.hostInterface());
      socket.links().create(new VethPair(host, container));
      int index = socket.links().get(plan.hostInterface()).index();
      socket.execute(Links.settingAlias(index, Wire.alias(plan.endpoint().name())));
    } catch (NetlinkException e) {
      if (e.errno() != Errno.EEXIST) {
        throw e;
      }
      // CNI spec 1.1.0, section 2, "ADD": an existing interface of that name is an error.
      throw new CniException(
          INVALID_ENVIRONMENT,
          "an environment variable has a value that is not allowed",
          "CNI_IFNAME: \""
              + plan.containerInterface()
              + "\" is not allowed; allowed: a name that no interface of the container has",
          e);
    }
  }

  @Override
  public void configureHostEnd(WirePlan plan) throws IOException {
    String name = plan.hostInterface();
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put(Sysctl.interfaceKey(Family.IPV4, name, "forwarding"), "1");
    // A packet must come from an address that is routed to this interface (RFC 3704 section 2.2).
    settings.put(Sysctl.interfaceKey(Family.IPV4, name, "rp_filter"), "1");
    // Else a container could reach what listens on the host's loopback only.
    settings.put(Sysctl.interfaceKey(Family.IPV4, name, "route_localnet"), "0");
    settings.put(Sysctl.interfaceKey(Family.IPV4, name, "accept_redirects"), "0");
    boolean hasIpv6 = families(plan.endpoint()).contains(Family.IPV6);
    if (hasIpv6) {
      settings.put(Sysctl.interfaceKey(Family.IPV6, name, "disable_ipv6"), "0");
      settings.put(Sysctl.interfaceKey(Family.IPV6, name, "forwarding"), "1");
      settings.put(Sysctl.interfaceKey(Family.IPV6, name, "accept_ra"), "0");
      settings.put(Sysctl.interfaceKey(Family.IPV6, name, "accept_redirects"), "0");
      // The gateway's address is set below, usable at once; the kernel would first look for a
      // duplicate of it.
      settings.put(Sysctl.interfaceKey(Family.IPV6, name, "addr_gen_mode"), "1");
    } else if (Files.exists(Path.of("/proc/sys/net/ipv6"))) {
      // Link-local addresses would pass by a policy that knows the endpoint's IPv4 address only.
      settings.put(Sysctl.interfaceKey(Family.IPV6, name, "disable_ipv6"), "1");
    }
    for (Map.Entry<String, String> setting : settings.entrySet()) {
      Sysctl.write(setting.getKey(), setting.getValue());
    }
    if (hasIpv6) {
      try (NetlinkSocket socket = NetlinkSocket.open()) {
        int index = socket.links().get(name).index();
        socket
            .addresses()
            .add(
                InterfaceAddress.of(index, Wire.GATEWAY_V6, LINK_LOCAL_PREFIX)
                    .with(InterfaceAddress.Flag.NODAD));
      }
    }
  }

  @Override
  public void configureContainerEnd(WirePlan plan) throws IOException {
    Set<Family> families = families(plan.endpoint());
    if (families.contains(Family.IPV6)) {
      Sysctl.write(
          plan.namespace(),
          Map.of(Sysctl.interfaceKey(Family.IPV6, plan.containerInterface(), "disable_ipv6"), "0"));
    }
    try (NetlinkSocket socket = NetlinkSocket.open(plan.namespace())) {
      int index = socket.links().get(plan.containerInterface()).index();
      List<NetlinkRequest> requests = new ArrayList<>();
      for (Cidr address : plan.endpoint().spec().ipNetworks()) {
        requests.add(Addresses.adding(containerAddress(index, address)));
      }
      requests.add(Links.settingUp(index));
      for (Family family : families) {
        requests.addAll(containerRoutes(index, family));
      }
      List<NetlinkSocket.Failure> failures = socket.executeAll(requests);
      if (!failures.isEmpty()) {
        // A later one fails because of an earlier one.
        throw failures.getFirst().reason();
      }
    }
  }

  @Override
  public void raiseHostEnd(WirePlan plan) throws IOException {
    try (NetlinkSocket socket = NetlinkSocket.open()) {
      socket.links().setUp(socket.links().get(plan.hostInterface()).index());
    }
  }

  @Override
  public boolean exists(String hostInterface) throws IOException {
    try (NetlinkSocket socket = NetlinkSocket.open()) {
      return socket.links().find(hostInterface).isPresent();
    }
  }

  @Override
  public void delete(String hostInterface) throws IOException {
    try (NetlinkSocket socket = NetlinkSocket.open()) {
      socket.links().delete(hostInterface);
    }
  }

  @Override
  public List<String> findDamage(WirePlan plan, MacAddress mac, List<Cidr> addresses)
      throws IOException {
    List<String> damage = new ArrayList<>();
    try (NetlinkSocket host = NetlinkSocket.open()) {
      findHostDamage(plan, host, damage);
    }
    try (NetlinkSocket container = NetlinkSocket.open(plan.namespace())) {
      Optional<Link> link = container.links().find(plan.containerInterface());
      if (link.isEmpty()) {
        damage.add("the container has no interface " + plan.containerInterface());
      } else {
        findContainerDamage(link.get(), container, mac, addresses, damage);
      }
    }
    return damage;
  }

  private static void findHostDamage(WirePlan plan, NetlinkSocket host, List<String> damage)
      throws IOException {
    String name = plan.hostInterface();
    Optional<Link> link = host.links().find(name);
    if (link.isEmpty()) {
      damage.add("the host has no interface " + name);
      return;
    }
    if (!link.get().up()) {
      damage.add(name + " on the host is down");
    }
    if (!link.get().mac().equals(Optional.of(Wire.HOST_MAC))) {
      damage.add(
          name + " on the host has the MAC " + text(link.get().mac()) + ", not the gateway's");
    }
    if (families(plan.endpoint()).contains(Family.IPV6)
        && host.addresses().list(link.get().index()).stream()
            .noneMatch(address -> address.address().equals(Wire.GATEWAY_V6))) {
      damage.add(name + " on the host has no address " + Wire.GATEWAY_V6);
    }
  }

  private static void findContainerDamage(
      Link link, NetlinkSocket container, MacAddress mac, List<Cidr> addresses, List<String> damage)
      throws IOException {
    String name = link.name() + " in the container ";
    if (!link.up()) {
      damage.add(name + "is down");
    }
    if (!link.mac().equals(Optional.of(mac))) {
      damage.add(name + "has the MAC " + text(link.mac()) + ", not " + mac);
    }
    Set<IpAddress> present =
        container.addresses().list(link.index()).stream()
            .map(InterfaceAddress::address)
            .collect(Collectors.toSet());
    List<Neighbour> neighbours = container.neighbours().list();
    Set<Family> families = new TreeSet<>();
    for (Cidr address : addresses) {
      families.add(address.family());
      if (!present.contains(address.address())) {
        damage.add(name + "has no address " + address);
      }
    }
    for (Family family : families) {
      IpAddress gateway = Wire.gateway(family);
      boolean routed =
          container.routes().list(RouteFilter.mainTable(family).onInterface(link.index())).stream()
              .anyMatch(
                  route ->
                      route.destination().equals(defaultRoute(family))
                          && route.nextHops().stream()
                              .anyMatch(hop -> hop.gateway().equals(Optional.of(gateway))));
      if (!routed) {
        damage.add(name + "has no default route by " + gateway);
      }
      boolean known =
          neighbours.contains(Neighbour.permanent(link.index(), gateway, Wire.HOST_MAC));
      if (!known) {
        damage.add(name + "has no permanent neighbour " + gateway);
      }
    }
  }

  private static InterfaceAddress containerAddress(int index, Cidr address) {
    InterfaceAddress plain = InterfaceAddress.of(index, address.address(), address.prefixLength());
    // IPAM gave it to nobody else, and looking for a duplicate would take a second.
    return address.family() == Family.IPV6 ? plain.with(InterfaceAddress.Flag.NODAD) : plain;
  }

  private static List<NetlinkRequest> containerRoutes(int index, Family family) {
    IpAddress gateway = Wire.gateway(family);
    List<NetlinkRequest> requests = new ArrayList<>();
    requests.add(Neighbours.adding(Neighbour.permanent(index, gateway, Wire.HOST_MAC)));
    if (family == Family.IPV4) {
      requests.add(
          Routes.adding(Route.unicast(gateway.toCidr(), Route.PROTOCOL_BOOT, NextHop.dev(index))));
    }
    requests.add(
        Routes.adding(
            Route.unicast(defaultRoute(family), Route.PROTOCOL_BOOT, NextHop.via(gateway, index))));
    return requests;
  }

  private static Cidr defaultRoute(Family family) {
    return family == Family.IPV4 ? DEFAULT_V4 : DEFAULT_V6;
  }

  private static Set<Family> families(WorkloadEndpoint endpoint) {
    return endpoint.spec().ipNetworks().stream()
        .map(Cidr::family)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static String text(Optional<MacAddress> mac) {
    return mac.map(MacAddress::toString).orElse("none");
  }
}
