package io.wayleave.test.lab;

import com.fasterxml.jackson.databind.JsonNode;
import io.wayleave.model.Cidr;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Who in the fabric has a route to a network. */
final class Routes {
  private Routes() {}

  /** The routers that have it from BGP, and the hosts that have it in the kernel. */
  static List<String> where(Lab lab, Cidr network) {
    List<String> known = new ArrayList<>();
    for (Router router : lab.routers()) {
      if (router.bgpRoutes().contains(network)) {
        known.add(router.name());
      }
    }
    for (LabHost host : lab.hosts()) {
      if (inKernel(host).contains(network)) {
        known.add(host.name());
      }
    }
    return known;
  }

  /** One way that a route of the kernel goes. */
  record Hop(String gateway, String link) {}

  /** The ways of the route that a namespace's kernel has to exactly that network. */
  static Set<Hop> hops(List<String> network, Cidr destination) {
    JsonNode routes =
        Json.read(
            "ip route",
            Command.of("ip", "-json", "-4", "route", "show", "exact", destination.toString())
                .at(network)
                .check());
    Set<Hop> found = new HashSet<>();
    for (JsonNode route : routes) {
      if (route.has("nexthops")) {
        route.path("nexthops").forEach(hop -> found.add(hop(hop)));
      } else {
        found.add(hop(route));
      }
    }
    return found;
  }

  private static Hop hop(JsonNode hop) {
    // "via" is a next hop of the other family.
    return new Hop(
        hop.path("gateway").asText(hop.path("via").path("host").asText("")),
        hop.path("dev").asText());
  }

  /** The IPv4 routes of a host's kernel, the default route as 0.0.0.0/0. */
  static Set<Cidr> inKernel(LabHost host) {
    JsonNode routes =
        Json.read("ip route", Command.of("ip", "-json", "-4", "route").at(host.network()).check());
    Set<Cidr> found = new TreeSet<>();
    for (JsonNode route : routes) {
      String destination = route.path("dst").asText();
      found.add(destination.equals("default") ? Cidr.parse("0.0.0.0/0") : Cidr.parse(destination));
    }
    return found;
  }
}
