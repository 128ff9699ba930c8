package io.wayleave.ipam;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * Which addresses are wanted, and for whom. All of them are given, or none.
 *
 * @param handle a name of one's own for the allocation; it must not be in use
 * @param generation tells this use of the handle from others; see {@link Ipam#release}
 * @param attributes notes for people
 * @param wanted how many, of which family
 * @param addresses addresses that are wanted by name, on top of those counted
 * @param pools by family, names or CIDRs of the pools to take from; none of a family: any that fits
 * @param use what the addresses are for
 * @param namespaceLabels labels of the container's namespace, for the pools' namespace selectors
 * @param owner makes the records to write along, from the addresses in the order of {@link
 *     Handle#addresses}; may be called more than once, and must have no side effect. When it makes
 *     none, {@link OwnerRecord#plain} is written
 */
public record AllocationRequest(
    String handle,
    String generation,
    Map<String, String> attributes,
    Wanted wanted,
    List<IpAddress> addresses,
    Map<Family, List<String>> pools,
    IpPool.Use use,
    Map<String, String> namespaceLabels,
    Function<List<IpAddress>, OwnerRecord> owner) {
  /** The most addresses in one allocation, so that it fits one transaction. */
  public static final int MAX_ADDRESSES = 60;

  /** How many addresses, of which family. */
  public sealed interface Wanted {}

  /** That many of each family. */
  public record Count(int ipv4, int ipv6) implements Wanted {
    public Count {
      if (ipv4 < 0 || ipv6 < 0 || ipv4 + ipv6 > MAX_ADDRESSES) {
        throw new InvalidInputException(
            "count", ipv4 + " IPv4 and " + ipv6 + " IPv6", "0 to " + MAX_ADDRESSES + " in all");
      }
    }

    int of(Family family) {
      return switch (family) {
        case IPV4 -> ipv4;
        case IPV6 -> ipv6;
      };
    }
  }

  /**
   * One address of each family of which a pool is enabled for this host or asked for, except
   * families of which an address is asked by name; at least one in all.
   */
  public record OneOfEachFamily() implements Wanted {}

  public AllocationRequest {
    Handle.checkId(handle);
    requireNonNull(generation, "generation is null");
    attributes = Map.copyOf(attributes);
    requireNonNull(wanted, "wanted is null");
    addresses = List.copyOf(addresses);
    Map<Family, List<String>> names = new EnumMap<>(Family.class);
    pools.forEach((family, list) -> names.put(family, List.copyOf(list)));
    pools = Collections.unmodifiableMap(names);
    requireNonNull(use, "use is null");
    namespaceLabels = Map.copyOf(namespaceLabels);
    requireNonNull(owner, "owner is null");
    int counted = wanted instanceof Count(int ipv4, int ipv6) ? ipv4 + ipv6 : 0;
    if (addresses.size() + counted > MAX_ADDRESSES) {
      throw new InvalidInputException(
          "addresses",
          Integer.toString(addresses.size() + counted),
          "at most " + MAX_ADDRESSES + " in all");
    }
    if (new HashSet<>(addresses).size() != addresses.size()) {
      throw new InvalidInputException("addresses", addresses.toString(), "each address once");
    }
    if (wanted instanceof Count(int ipv4, int ipv6) && ipv4 + ipv6 + addresses.size() == 0) {
      throw new InvalidInputException("count", "0", "at least one address");
    }
  }

  /** One address of each family that has a pool. */
  public static AllocationRequest oneOfEachFamily(String handle) {
    return new AllocationRequest(
        handle,
        "",
        Map.of(),
        new OneOfEachFamily(),
        List.of(),
        Map.of(),
        IpPool.Use.Workload,
        Map.of(),
        _ -> OwnerRecord.none());
  }

  public static AllocationRequest count(String handle, int ipv4, int ipv6) {
    return oneOfEachFamily(handle).withWanted(new Count(ipv4, ipv6));
  }

  public AllocationRequest withGeneration(String text) {
    return new AllocationRequest(
        handle, text, attributes, wanted, addresses, pools, use, namespaceLabels, owner);
  }

  public AllocationRequest withAttributes(Map<String, String> notes) {
    return new AllocationRequest(
        handle, generation, notes, wanted, addresses, pools, use, namespaceLabels, owner);
  }

  public AllocationRequest withWanted(Wanted counted) {
    return new AllocationRequest(
        handle, generation, attributes, counted, addresses, pools, use, namespaceLabels, owner);
  }

  public AllocationRequest withAddresses(List<IpAddress> named) {
    return new AllocationRequest(
        handle, generation, attributes, wanted, named, pools, use, namespaceLabels, owner);
  }

  /** The same from these pools of the family, by name or CIDR. */
  public AllocationRequest withPools(Family family, List<String> names) {
    Map<Family, List<String>> more = new HashMap<>(pools);
    more.put(family, names);
    return new AllocationRequest(
        handle, generation, attributes, wanted, addresses, more, use, namespaceLabels, owner);
  }

  public AllocationRequest withUse(IpPool.Use intended) {
    return new AllocationRequest(
        handle, generation, attributes, wanted, addresses, pools, intended, namespaceLabels, owner);
  }

  public AllocationRequest withNamespaceLabels(Map<String, String> labels) {
    return new AllocationRequest(
        handle, generation, attributes, wanted, addresses, pools, use, labels, owner);
  }

  public AllocationRequest withOwner(Function<List<IpAddress>, OwnerRecord> records) {
    return new AllocationRequest(
        handle, generation, attributes, wanted, addresses, pools, use, namespaceLabels, records);
  }

  /** The pools of a family that are asked for; empty: any that fits. */
  List<String> pools(Family family) {
    return pools.getOrDefault(family, List.of());
  }

  /** What errors call the pools of a family. */
  public static String poolsField(Family family) {
    return switch (family) {
      case IPV4 -> "ipv4Pools";
      case IPV6 -> "ipv6Pools";
    };
  }

  /** The most addresses that it can come to. */
  int most() {
    return addresses.size()
        + switch (wanted) {
          case Count(int ipv4, int ipv6) -> ipv4 + ipv6;
          case OneOfEachFamily _ -> Family.values().length;
        };
  }
}
