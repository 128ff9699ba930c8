package io.wayleave.policy;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * Something for each of some networks, found by the addresses in them. A search costs one look for
 * each length that networks have had.
 *
 * <p>NOT thread safe.
 */
final class CidrTable<V> {
  private final Map<Cidr, V> entries = new HashMap<>();
  private final Map<Family, BitSet> lengths = new EnumMap<>(Family.class);

  void put(Cidr net, V value) {
    entries.put(net, value);
    lengths.computeIfAbsent(net.family(), _ -> new BitSet()).set(net.prefixLength());
  }

  /** Replaces what is there for exactly this network, if there is something. */
  void replace(Cidr net, UnaryOperator<V> change) {
    entries.computeIfPresent(net, (_, value) -> change.apply(value));
  }

  boolean has(Cidr net) {
    return entries.containsKey(net);
  }

  int size() {
    return entries.size();
  }

  Set<Cidr> nets() {
    return entries.keySet();
  }

  /** Whether one of the networks has the address. */
  boolean covers(IpAddress address) {
    BitSet possible = lengths.get(address.family());
    if (possible == null || entries.isEmpty()) {
      return false;
    }
    for (int length = possible.nextSetBit(0);
        length >= 0;
        length = possible.nextSetBit(length + 1)) {
      if (entries.containsKey(Cidr.around(address, length))) {
        return true;
      }
    }
    return false;
  }

  /** What is there for the networks that have the address. */
  List<V> at(IpAddress address) {
    List<V> found = new ArrayList<>();
    BitSet possible = lengths.getOrDefault(address.family(), new BitSet());
    for (int length = possible.nextSetBit(0);
        length >= 0;
        length = possible.nextSetBit(length + 1)) {
      Optional.ofNullable(entries.get(Cidr.around(address, length))).ifPresent(found::add);
    }
    return found;
  }
}
