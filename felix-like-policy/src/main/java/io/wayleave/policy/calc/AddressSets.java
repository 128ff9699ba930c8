package io.wayleave.policy.calc;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.selector.Selector;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Members of the address sets in use, counted: two endpoints with one address (an old record and
 * its successor) are one member until both are gone.
 *
 * <p>NOT thread safe.
 */
final class AddressSets {
  private final Map<AddressSetId, Map<IpAddress, Integer>> counts = new HashMap<>();
  private final Map<AddressSetId, Set<IpAddress>> touched = new HashMap<>();
  private final Set<AddressSetId> told = new HashSet<>();

  void open(Selector selector) {
    for (Family family : Family.values()) {
      counts.put(new AddressSetId(selector, family), new HashMap<>());
    }
  }

  void close(Selector selector) {
    for (Family family : Family.values()) {
      AddressSetId set = new AddressSetId(selector, family);
      Map<IpAddress, Integer> members = counts.remove(set);
      // It may be opened again, with other members, before anybody is told.
      touched.computeIfAbsent(set, _ -> new HashSet<>()).addAll(members.keySet());
    }
  }

  void add(Selector selector, Collection<Cidr> hosts) {
    hosts.forEach(host -> count(selector, host.address(), 1));
  }

  void remove(Selector selector, Collection<Cidr> hosts) {
    hosts.forEach(host -> count(selector, host.address(), -1));
  }

  private void count(Selector selector, IpAddress address, int step) {
    AddressSetId set = new AddressSetId(selector, address.family());
    counts
        .get(set)
        .compute(
            address,
            (_, count) -> {
              int now = (count == null ? 0 : count) + step;
              return now == 0 ? null : now;
            });
    touched.computeIfAbsent(set, _ -> new HashSet<>()).add(address);
  }

  /** Tells the sets and members that are new. */
  void tellAdditions(CalculationSink sink) {
    for (Map.Entry<AddressSetId, Map<IpAddress, Integer>> entry : counts.entrySet()) {
      AddressSetId set = entry.getKey();
      if (told.add(set)) {
        sink.putSet(set);
        entry.getValue().keySet().forEach(member -> sink.addMember(set, member));
      } else {
        touched.getOrDefault(set, Set.of()).stream()
            .filter(entry.getValue()::containsKey)
            .forEach(member -> sink.addMember(set, member));
      }
    }
  }

  /** Tells what is gone; to be called after {@link #tellAdditions}. */
  void tellRemovals(CalculationSink sink) {
    touched.forEach(
        (set, addresses) -> {
          Map<IpAddress, Integer> members = counts.get(set);
          if (members != null) {
            addresses.stream()
                .filter(address -> !members.containsKey(address))
                .forEach(address -> sink.removeMember(set, address));
          }
        });
    touched.clear();
    told.removeIf(
        set -> {
          boolean gone = !counts.containsKey(set);
          if (gone) {
            sink.removeSet(set);
          }
          return gone;
        });
  }
}
