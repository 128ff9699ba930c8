package io.wayleave.bgp;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.util.Collections;
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
    Cidr prefix,
    SequencedSet<IpAddress> nextHops,
    OptionalInt priority,
    SequencedSet<String> peers) {
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
