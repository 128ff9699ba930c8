package io.wayleave.policy;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * Something for each of some networks, found by the addresses in them. A search costs one look for
 * each length that networks have had.
 *
 * <p>NOT thread safe.
 */
final class CidrTable<V> {
  private static final BitSet NO_LENGTHS = new BitSet();

  private final Map<Cidr, V> entries = new HashMap<>();
  private final Map<Family, BitSet> lengths = new EnumMap<>(Family.class);

  void put(Cidr net, V value) {
    entries.put(net, value);
    know(net);
  }

  /** What is there for exactly this network, made first if there is nothing. */
  V computeIfAbsent(Cidr net, Supplier<V> first) {
    know(net);
    return entries.computeIfAbsent(net, _ -> first.get());
  }

  /** Replaces what is there for exactly this network, if there is something; null takes it out. */
  void computeIfPresent(Cidr net, UnaryOperator<V> change) {
    entries.computeIfPresent(net, (_, value) -> change.apply(value));
  }

  private void know(Cidr net) {
    lengths.computeIfAbsent(net.family(), _ -> new BitSet()).set(net.prefixLength());
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

  /** Whether one of the networks has the address; asked of each flow of a host, so by a loop. */
  boolean covers(IpAddress address) {
    BitSet possible = lengths(address);
    for (int length = entries.isEmpty() ? -1 : possible.nextSetBit(0);
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
    return lengths(address).stream()
        .mapToObj(length -> entries.get(Cidr.around(address, length)))
        .filter(Objects::nonNull)
        .toList();
  }

  private BitSet lengths(IpAddress address) {
    return lengths.getOrDefault(address.family(), NO_LENGTHS);
  }
}
