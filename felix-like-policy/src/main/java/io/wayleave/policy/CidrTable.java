package io.wayleave.policy;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

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
    return at(address).findAny().isPresent();
  }

  /** What is there for the networks that have the address. */
  Stream<V> at(IpAddress address) {
    BitSet possible = lengths.get(address.family());
    return possible == null
        ? Stream.empty()
        : possible.stream()
            .mapToObj(length -> entries.get(Cidr.around(address, length)))
            .filter(value -> value != null);
  }
}
