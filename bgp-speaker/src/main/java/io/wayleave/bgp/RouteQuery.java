package io.wayleave.bgp;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import java.util.List;
import java.util.Optional;

/**
 * Which routes are asked for.
 *
 * @param prefix this prefix alone; a single address stands for every prefix that it lies in
 */
public record RouteQuery(View view, Optional<Cidr> prefix) {
  public RouteQuery {
    requireNonNull(view, "view is null");
    requireNonNull(prefix, "prefix is null");
  }

  /** Which paths of a prefix. */
  public sealed interface View {}

  /** Every path. */
  public record All() implements View {}

  /** The paths in use. */
  public record Best() implements View {}

  /** Those of one peer, whatever became of them. */
  public record Received(String peer) implements View {}

  /** What one peer has been told. */
  public record Advertised(String peer) implements View {}

  /** Whether a route to that prefix is asked for. */
  public boolean wants(Cidr candidate) {
    return prefix.isEmpty()
        || candidate.equals(prefix.get())
        || (prefix.get().isHost() && candidate.contains(prefix.get()));
  }

  /**
   * Where a slice of the table begins. A route that is added or removed between two slices may be
   * missed, as in any look at a table that changes.
   */
  public record Cursor(Family family, int at) {
    /** The whole table. */
    public static final Cursor START = new Cursor(Family.IPV4, 0);
  }

  /**
   * A part of the answer.
   *
   * @param next where the next slice begins; empty when there is none
   */
  public record Slice(List<RouteStatus> routes, Optional<Cursor> next) {
    public Slice {
      routes = List.copyOf(routes);
    }
  }
}
