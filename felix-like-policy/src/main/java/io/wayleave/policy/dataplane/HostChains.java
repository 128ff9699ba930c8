package io.wayleave.policy.dataplane;

import io.wayleave.model.Direction;
import io.wayleave.model.Family;
import io.wayleave.model.HostEndpoint;
import io.wayleave.model.IpAddress;
import io.wayleave.policy.calc.ResolvedPolicies;
import io.wayleave.policy.dataplane.FrameRenderer.HostInterface;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way of packets for the host and of the host: from the interface to the chain of its host
 * endpoint. An endpoint that names its interface comes before one that is known by an address, and
 * both before one of all interfaces; of two alike the first id wins. Which interface has which
 * address is asked when {@link #flush} follows a change or {@link #invalidate}.
 *
 * <p>NOT thread safe.
 */
final class HostChains {
  private static final Logger log = LoggerFactory.getLogger(HostChains.class);

  private record Endpoint(HostEndpoint endpoint, ResolvedPolicies policies) {}

  private final Map<Family, TableDriver> tables;
  private final HostRules rules;
  private final InterfaceAddresses addresses;
  private final SortedMap<String, Endpoint> endpoints = new TreeMap<>();
  private final Map<Family, Set<String>> deciders = new EnumMap<>(Family.class);
  private final SortedMap<String, String> failing = new TreeMap<>();

  /** As last read. */
  private Map<IpAddress, Set<String>> known = Map.of();

  private boolean stale = true;

  HostChains(Map<Family, TableDriver> tables, HostRules rules, InterfaceAddresses addresses) {
    this.tables = tables;
    this.rules = rules;
    this.addresses = addresses;
    tables.keySet().forEach(family -> deciders.put(family, Set.of()));
  }

  void put(HostEndpoint endpoint, ResolvedPolicies policies) {
    endpoints.put(endpoint.id(), new Endpoint(endpoint, policies));
    stale = true;
  }

  void remove(String id) {
    endpoints.remove(id);
    stale = true;
  }

  /** Asks for the addresses of the interfaces again. */
  void invalidate() {
    stale = true;
  }

  /** Host endpoints that do not guard what they should, by id, and why. */
  Map<String, String> failing() {
    return failing;
  }

  void flush() {
    if (!stale) {
      return;
    }
    failing.clear();
    Map<String, Endpoint> byInterface = interfaces();
    tables.forEach((family, table) -> write(byInterface, family, table));
    stale = false;
  }

  private void write(Map<String, Endpoint> byInterface, Family family, TableDriver table) {
    List<HostInterface> interfaces = new ArrayList<>();
    Set<String> wanted = new HashSet<>();
    byInterface.forEach(
        (name, endpoint) -> {
          HostInterface each =
              new HostInterface(
                  name,
                  FrameRenderer.hostDecision(Direction.Ingress, endpoint.policies(), rules, family),
                  FrameRenderer.hostDecision(Direction.Egress, endpoint.policies(), rules, family));
          interfaces.add(each);
          for (Chain decider : List.of(each.ingress(), each.egress())) {
            table.put(decider);
            wanted.add(decider.name());
          }
        });
    FrameRenderer.hostDispatch(interfaces).forEach(table::put);
    Set<String> before = deciders.put(family, wanted);
    before.stream().filter(name -> !wanted.contains(name)).forEach(table::remove);
  }

  /** What is asked of packets, by interface, in this order. */
  private Map<String, Endpoint> interfaces() {
    Map<String, Endpoint> byInterface = new LinkedHashMap<>();
    endpoints.forEach(
        (id, endpoint) ->
            endpoint
                .endpoint()
                .spec()
                .interfaceName()
                .filter(name -> !name.equals(HostEndpoint.ALL_INTERFACES))
                .ifPresent(name -> claim(byInterface, name, id, endpoint)));
    readAddresses();
    endpoints.forEach(
        (id, endpoint) -> {
          HostEndpoint.Spec spec = endpoint.endpoint().spec();
          if (spec.interfaceName().isEmpty()) {
            SortedSet<String> names = new TreeSet<>();
            spec.expectedIPs()
                .forEach(address -> names.addAll(known.getOrDefault(address, Set.of())));
            // A host may have its address there; what it says to itself is nobody's business.
            names.remove("lo");
            if (names.isEmpty()) {
              failing.put(id, "no interface has one of the addresses " + spec.expectedIPs());
            }
            names.forEach(name -> claim(byInterface, name, id, endpoint));
          }
        });
    endpoints.forEach(
        (id, endpoint) ->
            endpoint
                .endpoint()
                .spec()
                .interfaceName()
                .filter(name -> name.equals(HostEndpoint.ALL_INTERFACES))
                .ifPresent(all -> claim(byInterface, all, id, endpoint)));
    return byInterface;
  }

  private void claim(Map<String, Endpoint> byInterface, String name, String id, Endpoint endpoint) {
    if (ChainNames.isWorkloadInterface(name)) {
      failing.put(id, "interface " + name + " is that of a container");
      return;
    }
    Optional.ofNullable(byInterface.putIfAbsent(name, endpoint))
        .map(winner -> winner.endpoint().id())
        .ifPresent(
            winner ->
                failing.put(id, "interface " + name + " is that of the host endpoint " + winner));
  }

  /** What was read before goes on to count when it cannot be read now. */
  private void readAddresses() {
    if (endpoints.values().stream()
        .allMatch(endpoint -> endpoint.endpoint().spec().interfaceName().isPresent())) {
      return;
    }
    try {
      known = addresses.read();
    } catch (DataplaneException e) {
      log.warn("host endpoints stay on their interfaces reason={}", e.getMessage());
    }
  }
}
