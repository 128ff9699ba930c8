package io.wayleave.bgp;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Puts the slices of an answer together. */
public final class SlicedRoutes {
  private static final int MOST = 100;

  private SlicedRoutes() {}

  /** Who answers, as {@link BgpSpeaker#routes}. */
  @FunctionalInterface
  public interface Reader {
    RouteQuery.Slice slice(RouteQuery query, RouteQuery.Cursor from, int most);
  }

  /** All of them, in the order of the prefixes. */
  public static List<RouteStatus> of(RouteQuery query, Reader reader) {
    List<RouteStatus> routes = new ArrayList<>();
    Optional<RouteQuery.Cursor> from = Optional.of(RouteQuery.Cursor.START);
    while (from.isPresent()) {
      RouteQuery.Slice slice = reader.slice(query, from.get(), MOST);
      routes.addAll(slice.routes());
      from = slice.next();
    }
    routes.sort(Comparator.comparing(RouteStatus::prefix));
    return routes;
  }

  static List<RouteStatus> all(BgpSpeaker speaker) {
    return of(new RouteQuery(new RouteQuery.All(), Optional.empty()), speaker::routes);
  }

  static List<RouteStatus> received(BgpSpeaker speaker, String peer) {
    return of(new RouteQuery(new RouteQuery.Received(peer), Optional.empty()), speaker::routes);
  }

  static List<RouteStatus> advertised(BgpSpeaker speaker, String peer) {
    return of(new RouteQuery(new RouteQuery.Advertised(peer), Optional.empty()), speaker::routes);
  }
}
