package io.wayleave.policy.calc;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.policy.SubjectSelector;
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
  private final Map<SetId, Map<SetMember, Integer>> counts = new HashMap<>();
  private final Map<SetId, Set<SetMember>> touched = new HashMap<>();
  private final Set<SetId> told = new HashSet<>();

  void open(SubjectSelector selector) {
    for (Family family : Family.values()) {
      counts.put(new SetId.Nets(selector, family), new HashMap<>());
    }
  }

  void close(SubjectSelector selector) {
    for (Family family : Family.values()) {
      SetId set = new SetId.Nets(selector, family);
      Map<SetMember, Integer> members = counts.remove(set);
      // It may be opened again, with other members, before anybody is told.
      touched.computeIfAbsent(set, _ -> new HashSet<>()).addAll(members.keySet());
    }
  }

  void add(SubjectSelector selector, Collection<Cidr> hosts) {
    hosts.forEach(host -> count(selector, host, 1));
  }

  void remove(SubjectSelector selector, Collection<Cidr> hosts) {
    hosts.forEach(host -> count(selector, host, -1));
  }

  private void count(SubjectSelector selector, Cidr net, int step) {
    SetId set = new SetId.Nets(selector, net.family());
    counts
        .get(set)
        .compute(
            new SetMember.Net(net),
            (_, count) -> {
              int now = (count == null ? 0 : count) + step;
              return now == 0 ? null : now;
            });
    touched.computeIfAbsent(set, _ -> new HashSet<>()).add(new SetMember.Net(net));
  }

  /** Tells the sets and members that are new. */
  void tellAdditions(CalculationSink sink) {
    for (Map.Entry<SetId, Map<SetMember, Integer>> entry : counts.entrySet()) {
      SetId set = entry.getKey();
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
          Map<SetMember, Integer> members = counts.get(set);
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
