package io.wayleave.policy.dataplane;

import io.wayleave.linux.netlink.IpsetMember;
import io.wayleave.linux.netlink.IpsetType;
import io.wayleave.model.Direction;
import io.wayleave.model.Family;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.calc.ResolvedPolicies;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The way of packets from and to containers: from the interface, and for what it sends from its own
 * addresses only, to the chain that decides; and the sets of these addresses, by which established
 * flows need not go that way.
 *
 * <p>NOT thread safe.
 */
final class WorkloadChains {
  /** An endpoint and how it decides. */
  private record Endpoint(WorkloadEndpoint endpoint, Chain ingress, Chain egress) {}

  private final Map<Family, TableDriver> tables;
  private final IpsetDriver ipsets;
  private final Map<Family, DispatchTree> to = new EnumMap<>(Family.class);
  private final Map<Family, DispatchTree> from = new EnumMap<>(Family.class);

  /** The families whose rules ask whether an address is that of an endpoint. */
  private final Set<Family> knowing = EnumSet.noneOf(Family.class);

  /** Endpoints by interface; more than one only while an old record has not gone yet. */
  private final Map<String, SortedMap<String, Endpoint>> byInterface = new HashMap<>();

  private final Map<String, String> interfaceOf = new HashMap<>();

  /** What the sets of addresses shall have of each interface. */
  private final Map<String, Set<IpsetMember.NetInterface>> members = new HashMap<>();

  /** How many endpoints decide by each chain. */
  private final Map<String, Integer> deciders = new HashMap<>();

  private final SortedMap<String, String> refused = new TreeMap<>();

  WorkloadChains(Map<Family, TableDriver> tables, IpsetDriver ipsets) {
    this.tables = tables;
    this.ipsets = ipsets;
    for (Family family : tables.keySet()) {
      to.put(family, new DispatchTree(ChainNames.TO_TREE, "-o"));
      from.put(family, new DispatchTree(ChainNames.FROM_TREE, "-i"));
      ipsets.putOpeningSet(ChainNames.endpoints(family), IpsetType.NET_INTERFACE, family);
    }
  }

  void put(WorkloadEndpoint endpoint, ResolvedPolicies policies) {
    String id = endpoint.id();
    String interfaceName = endpoint.spec().interfaceName();
    if (!ChainNames.isWorkloadInterface(interfaceName)) {
      remove(id);
      refused.put(
          id, "interface '" + interfaceName + "' is none of ours: wl and hexadecimal digits");
      return;
    }
    Endpoint now =
        new Endpoint(
            endpoint,
            FrameRenderer.decision(Direction.Ingress, policies),
            FrameRenderer.decision(Direction.Egress, policies));
    // What the old and the new one share must not go in between.
    use(now.ingress());
    use(now.egress());
    remove(id);
    interfaceOf.put(id, interfaceName);
    byInterface.computeIfAbsent(interfaceName, _ -> new TreeMap<>()).put(id, now);
    dispatch(interfaceName);
  }

  void remove(String id) {
    refused.remove(id);
    String interfaceName = interfaceOf.remove(id);
    if (interfaceName == null) {
      return;
    }
    SortedMap<String, Endpoint> claims = byInterface.get(interfaceName);
    Endpoint gone = claims.remove(id);
    if (claims.isEmpty()) {
      byInterface.remove(interfaceName);
    }
    dispatch(interfaceName);
    leave(gone.ingress());
    leave(gone.egress());
  }

  /**
   * Takes established flows out of the trees of a family whose set of addresses can be asked, or
   * into them again.
   *
   * @return whether it was otherwise before; at first none is asked
   */
  boolean setKnowing(Family family, boolean knows) {
    boolean changed = knows ? knowing.add(family) : knowing.remove(family);
    if (changed) {
      List.copyOf(byInterface.keySet()).forEach(this::dispatch);
    }
    return changed;
  }

  /** Writes the ways that have changed. */
  void flush() {
    tables.forEach(
        (family, table) -> {
          to.get(family).flush(table::put, table::remove);
          from.get(family).flush(table::put, table::remove);
        });
  }

  /** Endpoints that pass nothing, by id, and why. */
  Map<String, String> failing() {
    return refused;
  }

  /** The first id wins an interface that two endpoints claim: any rule will do, but one. */
  private void dispatch(String interfaceName) {
    Optional<Endpoint> winner =
        Optional.ofNullable(byInterface.get(interfaceName))
            .map(claims -> claims.firstEntry().getValue());
    know(interfaceName, winner.map(Endpoint::endpoint));
    for (Family family : tables.keySet()) {
      DispatchTree in = to.get(family);
      DispatchTree out = from.get(family);
      if (winner.isEmpty()) {
        in.remove(interfaceName);
        out.remove(interfaceName);
        continue;
      }
      Endpoint endpoint = winner.get();
      in.put(interfaceName, ways(family, "", endpoint.ingress()));
      out.put(
          interfaceName,
          endpoint.endpoint().spec().ipNetworks().stream()
              .filter(net -> net.family() == family)
              .sorted()
              .flatMap(net -> ways(family, "-s " + net + " ", endpoint.egress()).stream())
              .toList());
    }
  }

  private List<String> ways(Family family, String match, Chain decider) {
    String way = match + "-g " + decider.name();
    return knowing.contains(family)
        ? List.of(way)
        : List.of(match + FrameRenderer.ESTABLISHED_PASSES, way);
  }

  private void know(String interfaceName, Optional<WorkloadEndpoint> endpoint) {
    Set<IpsetMember.NetInterface> now = new LinkedHashSet<>();
    endpoint.ifPresent(
        it ->
            it.spec().ipNetworks().stream()
                .filter(net -> tables.containsKey(net.family()))
                .forEach(net -> now.add(new IpsetMember.NetInterface(net, interfaceName))));
    Set<IpsetMember.NetInterface> before =
        now.isEmpty() ? members.remove(interfaceName) : members.put(interfaceName, now);
    if (before != null) {
      before.stream()
          .filter(member -> !now.contains(member))
          .forEach(member -> ipsets.removeMember(ChainNames.endpoints(member.family()), member));
    }
    now.forEach(member -> ipsets.addMember(ChainNames.endpoints(member.family()), member));
  }

  private void use(Chain decider) {
    if (deciders.merge(decider.name(), 1, Integer::sum) == 1) {
      tables.values().forEach(table -> table.put(decider));
    }
  }

  private void leave(Chain decider) {
    if (deciders.computeIfPresent(decider.name(), (_, users) -> users == 1 ? null : users - 1)
        == null) {
      tables.values().forEach(table -> table.remove(decider.name()));
    }
  }
}
