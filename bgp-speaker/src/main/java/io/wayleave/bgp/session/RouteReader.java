package io.wayleave.bgp.session;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.RouteQuery;
import io.wayleave.bgp.RouteStatus;
import io.wayleave.bgp.rib.Path;
import io.wayleave.bgp.rib.PathSource;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Reads the tables a slice at a time, so that a question about a million routes holds up the
 * speaker for a millisecond at a time and nobody copies the whole table. Runs on the {@link Loop}
 * thread.
 */
public final class RouteReader {
  /** Numbers of prefixes that one slice looks at: well below a millisecond when none is wanted. */
  private static final int NUMBERS_PER_SLICE = 20_000;

  private static final int STEP = 128;

  private final SpeakerCore core;
  private final StatusReport report;

  public RouteReader(SpeakerCore core, StatusReport report) {
    this.core = requireNonNull(core, "core is null");
    this.report = requireNonNull(report, "report is null");
  }

  /**
   * The routes from there on.
   *
   * @param most after so many routes the slice ends, give or take a few
   * @throws io.wayleave.model.InvalidInputException when there is no such peer
   */
  public RouteQuery.Slice slice(RouteQuery query, RouteQuery.Cursor from, int most) {
    List<RouteStatus> routes = new ArrayList<>();
    Family family = from.family();
    int at = from.at();
    for (int looked = 0; looked < NUMBERS_PER_SLICE && routes.size() < most; looked += STEP) {
      if (at >= core.rib().prefixes(family).limit()) {
        if (family == Family.IPV6) {
          return new RouteQuery.Slice(routes, Optional.empty());
        }
        family = Family.IPV6;
        at = 0;
      }
      read(query, family, at, at + STEP, routes);
      at += STEP;
    }
    return new RouteQuery.Slice(routes, Optional.of(new RouteQuery.Cursor(family, at)));
  }

  private void read(RouteQuery query, Family family, int from, int to, List<RouteStatus> routes) {
    switch (query.view()) {
      case RouteQuery.All _, RouteQuery.Best _ ->
          readPaths(query, family, from, to, _ -> true, routes);
      case RouteQuery.Received(String peer) -> {
        core.peer(peer);
        readPaths(query, family, from, to, path -> isOf(path, peer), routes);
      }
      case RouteQuery.Advertised(String peer) ->
          core.peer(peer)
              .forEachAdvertised(
                  family,
                  from,
                  to,
                  (prefix, nextHop, attributes) -> {
                    if (query.wants(prefix)) {
                      routes.add(
                          new RouteStatus(
                              prefix,
                              List.of(
                                  new RouteStatus.PathStatus(
                                      Optional.empty(),
                                      Optional.of(nextHop),
                                      attributes,
                                      false,
                                      false,
                                      false,
                                      "advertised"))));
                    }
                  });
    }
  }

  private static boolean isOf(Path path, String peer) {
    return path.source() instanceof PathSource.Peer source && source.peer().equals(peer);
  }

  private void readPaths(
      RouteQuery query,
      Family family,
      int from,
      int to,
      Predicate<Path> wanted,
      List<RouteStatus> routes) {
    boolean usedOnly = query.view() instanceof RouteQuery.Best;
    core.rib()
        .forEachCandidates(
            family,
            from,
            to,
            (id, candidates) -> {
              Cidr prefix = core.rib().prefixes(family).prefix(id);
              if (!query.wants(prefix)) {
                return;
              }
              List<RouteStatus.PathStatus> paths =
                  report.paths(prefix, candidates, wanted).stream()
                      .filter(path -> !usedOnly || path.used())
                      .toList();
              if (!paths.isEmpty()) {
                routes.add(new RouteStatus(prefix, paths));
              }
            });
  }
}
