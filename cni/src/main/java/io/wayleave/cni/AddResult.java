package io.wayleave.cni;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.WorkloadEndpoint;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/**
 * The result of an ADD, in any version of the specification (section 5, "ADD Success"). What
 * differs: before 1.0.0 each address says its {@code version}; since 1.1.0 interfaces have {@code
 * mtu} and routes have {@code scope}, so that the route to the gateway itself, which has no next
 * hop, can be told.
 *
 * @param sandbox CNI_NETNS as the runtime gave it
 * @param dns as the network configuration has it
 */
record AddResult(WorkloadEndpoint endpoint, int mtu, String sandbox, Optional<ObjectNode> dns) {
  // Of the list of interfaces below: the host's end is the first.
  private static final int CONTAINER_INTERFACE = 1;
  private static final int LINK_SCOPE = 253; // RT_SCOPE_LINK

  ObjectNode toJson(CniVersion version) {
    ObjectNode json = ResourceCodec.jsonMapper().createObjectNode();
    json.put("cniVersion", version.toString());
    ArrayNode interfaces = json.putArray("interfaces");
    addInterface(interfaces, version, endpoint.spec().interfaceName(), Wire.HOST_MAC.toString());
    addInterface(interfaces, version, endpoint.spec().endpoint(), endpoint.spec().mac().toString())
        .put("sandbox", sandbox);
    ArrayNode ips = json.putArray("ips");
    ArrayNode routes = json.putArray("routes");
    Set<Family> routed = EnumSet.noneOf(Family.class);
    for (Cidr address : endpoint.spec().ipNetworks()) {
      IpAddress gateway = Wire.gateway(address.family());
      addAddress(ips, version, address, gateway);
      if (routed.add(address.family())) {
        addRoutes(routes, version, gateway);
      }
    }
    dns.ifPresent(servers -> json.set("dns", servers));
    return json;
  }

  private ObjectNode addInterface(
      ArrayNode interfaces, CniVersion version, String name, String mac) {
    ObjectNode json = interfaces.addObject();
    json.put("name", name);
    json.put("mac", mac);
    if (version.isAtLeast(CniVersion.V1_1_0)) {
      json.put("mtu", mtu);
    }
    return json;
  }

  private static void addAddress(
      ArrayNode ips, CniVersion version, Cidr address, IpAddress gateway) {
    ObjectNode json = ips.addObject();
    if (!version.isAtLeast(CniVersion.V1_0_0)) {
      json.put("version", address.family() == Family.IPV4 ? "4" : "6");
    }
    json.put("interface", CONTAINER_INTERFACE);
    json.put("address", address.toString());
    json.put("gateway", gateway.toString());
  }

  private static void addRoutes(ArrayNode routes, CniVersion version, IpAddress gateway) {
    if (version.isAtLeast(CniVersion.V1_1_0) && gateway.family() == Family.IPV4) {
      routes.addObject().put("dst", gateway.toCidr().toString()).put("scope", LINK_SCOPE);
    }
    routes
        .addObject()
        .put("dst", gateway.family() == Family.IPV4 ? "0.0.0.0/0" : "::/0")
        .put("gw", gateway.toString());
  }
}
