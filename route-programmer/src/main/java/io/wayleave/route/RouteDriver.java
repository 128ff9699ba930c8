package io.wayleave.route;

import io.wayleave.linux.Errno;
import io.wayleave.linux.netlink.Link;
import io.wayleave.linux.netlink.Route;
import java.io.IOException;
import java.util.List;
import java.util.function.Predicate;

/**
 * The programmer's way to the kernel, so small that a twin in memory can stand in for it. Used by
 * one thread.
 */
public interface RouteDriver {
  /**
   * What the kernel has now.
   *
   * @param routes those that were asked for
   */
  record Snapshot(List<Link> links, List<Route> routes) {
    public Snapshot {
      links = List.copyOf(links);
      routes = List.copyOf(routes);
    }
  }

  /** One change. */
  sealed interface Write {
    Route route();

    /** Refused with EEXIST when anybody's route for that destination and metric is there. */
    record Add(Route route) implements Write {}

    /** Takes the place of what is there for that destination and metric, without a gap. */
    record Replace(Route route) implements Write {}

    /** Refused with ESRCH when just this route is not there. */
    record Delete(Route route) implements Write {}
  }

  /** A change that the kernel refused. */
  record Refusal(Write write, Errno errno, String reason) {}

  /** A host may carry a whole Internet table of another daemon: only what matters is kept. */
  Snapshot dump(Predicate<Route> relevant) throws IOException;

  /** Our routes that have a next hop on this interface. */
  List<Route> ownRoutesOn(int interfaceIndex) throws IOException;

  /** Executes the changes in order; one that is refused does not stop those after it. */
  List<Refusal> write(List<Write> writes) throws IOException;
}
