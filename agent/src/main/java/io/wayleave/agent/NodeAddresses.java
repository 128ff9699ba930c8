package io.wayleave.agent;

import io.wayleave.datastore.Datastores;
import io.wayleave.linux.netlink.InterfaceAddress;
import io.wayleave.linux.netlink.Link;
import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.linux.netlink.Route;
import io.wayleave.linux.netlink.RouteFilter;
import io.wayleave.linux.netlink.RouteLookup;
import io.wayleave.linux.netlink.RouteType;
import io.wayleave.linux.netlink.Scope;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.status.AgentStatus.NodeAddress;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The node's own addresses: given by the configuration, or those of the interface by which the
 * kernel reaches the datastore, or else the first BGP peer. An agent that serves its datastore
 * itself has no other host that must reach it: it takes, last of all, what the default route or any
 * interface shows. Each choice carries its reason.
 *
 * @param mtu of the interface of the first address; what containers may send
 */
record NodeAddresses(Optional<Chosen> ipv4, Optional<Chosen> ipv6, int mtu) {
  private static final int ETHERNET_MTU = 1500;

  /** One address, the length of its subnet, where it is and why it was chosen. */
  record Chosen(IpAddress address, int prefixLength, String interfaceName, String reason) {
    /** {@code 10.0.0.1/24}, as the Node resource has it. */
    String withLength() {
      return address + "/" + prefixLength;
    }
  }

  /** Something that the node must reach, in order of preference. */
  record Target(String what, IpAddress address) {}

  /**
   * Chooses.
   *
   * @param configuration whose given addresses win
   * @param targets what the node must reach, the most telling first
   * @throws InvalidInputException when a given address is on no interface of the host, or when none
   *     is given and no target is reached over an interface with a usable address
   */
  static NodeAddresses detect(
      AgentConfig configuration, List<Target> targets, NetlinkSocket netlink) throws IOException {
    List<InterfaceAddress> present = netlink.addresses().list();
    List<Link> links = netlink.links().list();
    Optional<Chosen> ipv4 = given("ipv4Address", configuration.ipv4Address(), present, links);
    Optional<Chosen> ipv6 = given("ipv6Address", configuration.ipv6Address(), present, links);
    List<String> tried = new ArrayList<>();
    for (Target target : targets) {
      if (ipv4.isPresent() || ipv6.isPresent()) {
        break;
      }
      Optional<RouteLookup> route = netlink.routes().lookup(target.address());
      if (route.isEmpty()
          || route.get().type() == RouteType.LOCAL
          || route.get().source().isEmpty()) {
        tried.add(
            target.what()
                + " "
                + target.address()
                + (route.isEmpty() ? " (no route)" : " (on this host)"));
        continue;
      }
      Chosen chosen =
          chosen(
                  route.get().source().get(),
                  present,
                  links,
                  "reaches " + target.what() + " " + target.address())
              .orElseThrow(
                  () ->
                      new IOException(
                          "the kernel names a source address that no interface has: " + route));
      if (chosen.address().family() == Family.IPV4) {
        ipv4 = Optional.of(chosen);
      } else {
        ipv6 = Optional.of(chosen);
      }
    }
    if (ipv4.isEmpty()
        && ipv6.isEmpty()
        && Datastores.embeddedDirectory(configuration.datastore()).isPresent()) {
      ipv4 = any(Family.IPV4, present, links, netlink);
      ipv6 = ipv4.isPresent() ? Optional.empty() : any(Family.IPV6, present, links, netlink);
      tried.add("no interface has an address");
    }
    if (ipv4.isEmpty() && ipv6.isEmpty()) {
      throw nothing(tried);
    }
    Chosen first = ipv4.isPresent() ? ipv4.get() : ipv6.get();
    // The other family: a global address of the same interface.
    if (ipv4.isEmpty()) {
      ipv4 = beside(Family.IPV4, first, present, links);
    }
    if (ipv6.isEmpty()) {
      ipv6 = beside(Family.IPV6, first, present, links);
    }
    int mtu =
        links.stream()
            .filter(link -> link.name().equals(first.interfaceName()) && !link.loopback())
            .mapToInt(Link::mtu)
            .findFirst()
            .orElse(ETHERNET_MTU);
    return new NodeAddresses(ipv4, ipv6, mtu);
  }

  /** For the status. */
  List<NodeAddress> describe() {
    List<NodeAddress> all = new ArrayList<>();
    ipv4.ifPresent(c -> all.add(new NodeAddress(c.withLength(), c.interfaceName(), c.reason())));
    ipv6.ifPresent(c -> all.add(new NodeAddress(c.withLength(), c.interfaceName(), c.reason())));
    return all;
  }

  private static Optional<Chosen> given(
      String field, Optional<IpAddress> address, List<InterfaceAddress> present, List<Link> links) {
    if (address.isEmpty()) {
      return Optional.empty();
    }
    Optional<Chosen> chosen = chosen(address.get(), present, links, "given as " + field);
    if (chosen.isEmpty()) {
      throw new InvalidInputException(
          field, address.get().toString(), "an address that an interface of this host has");
    }
    return chosen;
  }

  private static Optional<Chosen> chosen(
      IpAddress address, List<InterfaceAddress> present, List<Link> links, String reason) {
    return present.stream()
        .filter(candidate -> candidate.address().equals(address))
        .findFirst()
        .map(
            found ->
                new Chosen(
                    address,
                    found.prefixLength(),
                    linkName(links, found.interfaceIndex()),
                    reason));
  }

  private static Optional<Chosen> beside(
      Family family, Chosen first, List<InterfaceAddress> present, List<Link> links) {
    return present.stream()
        .filter(candidate -> candidate.address().family() == family)
        .filter(candidate -> candidate.scope().equals(Scope.UNIVERSE))
        .filter(
            candidate -> linkName(links, candidate.interfaceIndex()).equals(first.interfaceName()))
        .findFirst()
        .map(
            found ->
                new Chosen(
                    found.address(),
                    found.prefixLength(),
                    first.interfaceName(),
                    "on the same interface as " + first.address()));
  }

  /** By the default route, else the first interface that has one. */
  private static Optional<Chosen> any(
      Family family, List<InterfaceAddress> present, List<Link> links, NetlinkSocket netlink)
      throws IOException {
    List<InterfaceAddress> usable =
        present.stream()
            .filter(candidate -> candidate.address().family() == family)
            .filter(candidate -> candidate.scope().equals(Scope.UNIVERSE))
            .filter(candidate -> isUplink(links, candidate.interfaceIndex()))
            .sorted(Comparator.comparingInt(InterfaceAddress::interfaceIndex))
            .toList();
    OptionalInt byDefault =
        netlink.routes().list(RouteFilter.mainTable(family)).stream()
            .filter(route -> route.destination().prefixLength() == 0)
            .filter(route -> !route.nextHops().isEmpty())
            .sorted(Comparator.comparingLong(Route::metric))
            .mapToInt(route -> route.nextHops().getFirst().interfaceIndex())
            .findFirst();
    Optional<InterfaceAddress> there =
        usable.stream()
            .filter(candidate -> byDefault.equals(OptionalInt.of(candidate.interfaceIndex())))
            .findFirst();
    return there
        .or(() -> usable.stream().findFirst())
        .flatMap(
            found ->
                chosen(
                    found.address(),
                    present,
                    links,
                    there.isPresent()
                        ? "on the interface of the default route"
                        : "the first address of this host"));
  }

  /** Whether it may lead out of the host; a container's end never does. */
  private static boolean isUplink(List<Link> links, int index) {
    return links.stream()
        .anyMatch(
            link -> link.index() == index && !link.loopback() && !link.name().startsWith("wl"));
  }

  private static String linkName(List<Link> links, int index) {
    return links.stream()
        .filter(link -> link.index() == index)
        .map(Link::name)
        .findFirst()
        .orElse("if" + index);
  }

  private static InvalidInputException nothing(List<String> tried) {
    return new InvalidInputException(
        "ipv4Address",
        "",
        "the node's own address, because it cannot be detected: "
            + (tried.isEmpty()
                ? "there is neither a datastore elsewhere nor a peer"
                : String.join(", ", tried)));
  }
}
