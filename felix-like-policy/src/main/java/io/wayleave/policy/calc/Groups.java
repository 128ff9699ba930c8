package io.wayleave.policy.calc;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/** Who belongs to a name, such as the endpoints that name a profile. NOT thread safe. */
final class Groups<V> {
  private final Map<String, Set<V>> groups = new HashMap<>();

  void join(String name, V member) {
    groups.computeIfAbsent(name, _ -> new LinkedHashSet<>()).add(member);
  }

  /** Of no effect when it is not in it: a list of names may have one twice. */
  void leave(String name, V member) {
    Set<V> group = groups.get(name);
    if (group != null && group.remove(member) && group.isEmpty()) {
      groups.remove(name);
    }
  }

  /** The members in the order in which they joined; empty when there are none. */
  Set<V> of(String name) {
    return groups.getOrDefault(name, Set.of());
  }

  /** The names that have members, in no order. */
  Set<String> names() {
    return groups.keySet();
  }

  boolean isEmpty() {
    return groups.isEmpty();
  }
}
