package io.wayleave.bgp;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.util.Collections;
import java.util.Comparator;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SequencedSet;
import java.util.TreeSet;

/**
 * Where packets to a prefix go.
 *
 * @param nextHops at least one, sorted; several are to be used with equal weight
 * @param priority metric of the kernel route, where the import policy of the best path sets one
 * @param peers names of the peers that the chosen paths come from, sorted
 */
public record LearnedRoute(
    Cidr prefix, SequencedSet<NextHop> nextHops, OptionalInt priority, SequencedSet<String> peers) {

  /**
   * A router.
   *
   * @param interfaceName present for an IPv6 link-local address, which means nothing without; other
   *     addresses are found by the host's routes
   */
  public record NextHop(IpAddress address, Optional<String> interfaceName)
      implements Comparable<NextHop> {
    private static final Comparator<NextHop> ORDER =
        Comparator.comparing(NextHop::address).thenComparing(hop -> hop.interfaceName().orElse(""));

    public NextHop {
      requireNonNull(address, "address is null");
      requireNonNull(interfaceName, "interfaceName is null");
    }

    public static NextHop of(IpAddress address) {
      return new NextHop(address, Optional.empty());
    }

    @Override
    public int compareTo(NextHop other) {
      return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
      return address + interfaceName.map(name -> "%" + name).orElse("");
    }
  }

  public LearnedRoute {
    requireNonNull(prefix, "prefix is null");
    requireNonNull(priority, "priority is null");
    nextHops = Collections.unmodifiableSequencedSet(new TreeSet<>(nextHops));
    peers = Collections.unmodifiableSequencedSet(new TreeSet<>(peers));
    if (nextHops.isEmpty()) {
      throw new InvalidInputException("nextHops", "[]", "at least one address");
    }
  }
}
