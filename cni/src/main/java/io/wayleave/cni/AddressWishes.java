package io.wayleave.cni;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which addresses an ADD asks for.
 *
 * <p>Addresses by name, the first that is there: {@code runtimeConfig.ips}, {@code args.cni.ips},
 * {@code IP} of CNI_ARGS.
 *
 * <p>Pools: {@code ipam.ipv4_pools} and {@code ipam.ipv6_pools}, lists of names or CIDRs, as Calico
 * has them. A family whose pools are named is wanted for certain; the other one is not concerned.
 *
 * @param addresses at most one per family; empty: any
 * @param addressesField what they were asked by
 * @param pools by family, names or CIDRs of pools; none of a family: any that fits
 */
public record AddressWishes(
    List<IpAddress> addresses, String addressesField, Map<Family, List<String>> pools) {
  /** No wishes. */
  static final AddressWishes NONE = new AddressWishes(List.of(), "", Map.of());

  private static final String IPAM_TYPE = "wayleave-ipam";

  public AddressWishes {
    addresses = List.copyOf(addresses);
    Map<Family, List<String>> copy = new EnumMap<>(Family.class);
    pools.forEach((family, names) -> copy.put(family, List.copyOf(names)));
    pools = java.util.Collections.unmodifiableMap(copy);
  }

  List<String> pools(Family family) {
    return pools.getOrDefault(family, List.of());
  }

  /** The field of the configuration that names the pools of a family. */
  static String field(Family family) {
    return switch (family) {
      case IPV4 -> "ipam.ipv4_pools";
      case IPV6 -> "ipam.ipv6_pools";
    };
  }

  static AddressWishes of(ObjectNode config, CniArguments arguments) {
    AddressWishes named = addresses(config, arguments);
    return new AddressWishes(named.addresses(), named.addressesField(), pools(config.path("ipam")));
  }

  private static AddressWishes named(String field, List<IpAddress> addresses) {
    return new AddressWishes(addresses, field, Map.of());
  }

  private static AddressWishes addresses(ObjectNode config, CniArguments arguments) {
    // A plugin that understands "args" ignores the equivalent of CNI_ARGS (CNI conventions).
    for (String field : List.of("runtimeConfig.ips", "args.cni.ips")) {
      JsonNode list = config.at("/" + field.replace('.', '/'));
      if (!list.isMissingNode()) {
        return named(field, addresses(field, list));
      }
    }
    String field = "CNI_ARGS.IP";
    return arguments
        .get("IP")
        .map(text -> named(field, List.of(address(field, text))))
        .orElse(NONE);
  }

  private static List<IpAddress> addresses(String field, JsonNode list) {
    if (!list.isArray()) {
      throw new InvalidInputException(field, NetworkConfig.text(list), "a list of addresses");
    }
    List<IpAddress> addresses = new ArrayList<>();
    Set<Family> families = EnumSet.noneOf(Family.class);
    for (int i = 0; i < list.size(); i++) {
      IpAddress address = address(field + "[" + i + "]", list.get(i).asText());
      if (!families.add(address.family())) {
        throw new InvalidInputException(
            field, NetworkConfig.text(list), "at most one address of each family");
      }
      addresses.add(address);
    }
    return addresses;
  }

  /** An address; a prefix length after it has no meaning here, where each is alone on its link. */
  private static IpAddress address(String field, String text) {
    int slash = text.indexOf('/');
    try {
      return IpAddress.parse(slash < 0 ? text : text.substring(0, slash));
    } catch (InvalidInputException e) {
      throw e.within(field);
    }
  }

  /** Refuses what other plugins understand by {@code ipam}. */
  static void refuseUnsupported(JsonNode ipam) throws CniException {
    if (ipam.isMissingNode()) {
      return;
    }
    String allowed = "ipv4_pools, ipv6_pools; wayleave takes addresses from its own pools";
    if (!ipam.isObject()) {
      throw NetworkConfig.unsupported("ipam", ipam, "an object with " + allowed);
    }
    for (Map.Entry<String, JsonNode> field : ipam.properties()) {
      String name = "ipam." + field.getKey();
      if (field.getKey().equals("type")) {
        if (!field.getValue().asText().equals(IPAM_TYPE)) {
          throw NetworkConfig.unsupported(name, field.getValue(), IPAM_TYPE + ", or no type");
        }
      } else if (!name.equals(field(Family.IPV4)) && !name.equals(field(Family.IPV6))) {
        throw NetworkConfig.unsupported(name, field.getValue(), allowed);
      }
    }
  }

  private static Map<Family, List<String>> pools(JsonNode ipam) {
    Map<Family, List<String>> pools = new EnumMap<>(Family.class);
    for (Family family : Family.values()) {
      String field = field(family);
      JsonNode list = ipam.path(field.substring(field.indexOf('.') + 1));
      if (list.isMissingNode()) {
        continue;
      }
      if (!list.isArray() || list.isEmpty()) {
        throw new InvalidInputException(
            field, NetworkConfig.text(list), "a list of names or CIDRs of pools, at least one");
      }
      List<String> names = new ArrayList<>();
      for (int i = 0; i < list.size(); i++) {
        names.add(poolName(field + "[" + i + "]", list.get(i)));
      }
      pools.put(family, names);
    }
    return pools;
  }

  private static String poolName(String field, JsonNode value) {
    if (!value.isTextual() || value.asText().isEmpty()) {
      throw new InvalidInputException(
          field, NetworkConfig.text(value), "the name or CIDR of a pool");
    }
    if (value.asText().indexOf('/') < 0) {
      return value.asText();
    }
    try {
      return Cidr.parse(value.asText()).toString();
    } catch (InvalidInputException e) {
      throw e.within(field);
    }
  }
}
