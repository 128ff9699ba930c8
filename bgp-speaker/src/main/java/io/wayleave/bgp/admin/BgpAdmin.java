package io.wayleave.bgp.admin;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.BgpSpeaker;
import io.wayleave.bgp.RouteQuery;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.status.BgpReport;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * The paths of the admin API that are about BGP: the same in the agent and in the speaker alone.
 * Blocks for the speaker's answers; thread safe.
 */
public final class BgpAdmin {
  private static final int DEFAULT_PAGE = 1_000;
  private static final int MAX_PAGE = 10_000;

  private final Supplier<Optional<BgpSpeaker>> speaker;

  /**
   * @param speaker empty while there is none yet
   */
  public BgpAdmin(Supplier<Optional<BgpSpeaker>> speaker) {
    this.speaker = requireNonNull(speaker, "speaker is null");
  }

  public Map<String, Endpoint> endpoints() {
    return Map.of(
        "/v1/bgp/neighbors", Endpoint.get(this::neighbors),
        "/v1/bgp/routes", Endpoint.get(this::routes),
        "/v1/bgp/refresh", Endpoint.post(this::refresh),
        "/v1/bgp/clear", Endpoint.post(this::clear),
        "/metrics", Endpoint.get(this::metrics));
  }

  private BgpSpeaker running() {
    return speaker
        .get()
        .orElseThrow(
            () -> new IllegalStateException("BGP has not started yet; see the agent's status"));
  }

  private Object metrics() {
    String text = speaker.get().map(running -> Metrics.of(running.status())).orElse("");
    return new Endpoint.Text("text/plain; version=0.0.4; charset=utf-8", text);
  }

  private Object neighbors(Map<String, String> parameters) {
    allow(parameters, "name");
    BgpReport report = Reports.of(running().status());
    String name = parameters.get("name");
    if (name == null) {
      return report;
    }
    List<BgpReport.Neighbor> named =
        report.neighbors().stream().filter(peer -> peer.name().equals(name)).toList();
    if (named.isEmpty()) {
      throw new InvalidInputException(
          "name",
          name,
          "the name of a peer: "
              + report.neighbors().stream()
                  .map(BgpReport.Neighbor::name)
                  .collect(Collectors.joining(", ")));
    }
    return new BgpReport(
        report.routerId(),
        report.asNumber(),
        report.converged(),
        report.waitingFor(),
        report.listening(),
        report.listenErrors(),
        report.originated(),
        named);
  }

  private Object routes(Map<String, String> parameters) {
    allow(parameters, "view", "peer", "prefix", "cursor", "limit");
    RouteQuery query = new RouteQuery(view(parameters), prefix(parameters));
    int limit = limit(parameters);
    Optional<RouteQuery.Cursor> cursor = Optional.of(cursor(parameters));
    BgpSpeaker running = running();
    List<BgpReport.Route> routes = new ArrayList<>();
    // Between two slices the speaker does what else it has to do.
    while (cursor.isPresent() && routes.size() < limit) {
      RouteQuery.Slice slice = running.routes(query, cursor.get(), limit - routes.size());
      slice.routes().forEach(route -> routes.add(Reports.of(route)));
      cursor = slice.next();
    }
    return new BgpReport.Page(
        routes,
        cursor.map(next -> next.family().name().toLowerCase(Locale.ROOT) + ":" + next.at()));
  }

  private static RouteQuery.View view(Map<String, String> parameters) {
    String view = parameters.getOrDefault("view", "all");
    Optional<String> peer = Optional.ofNullable(parameters.get("peer"));
    if (peer.isPresent() && !view.equals("received") && !view.equals("advertised")) {
      throw new InvalidInputException("peer", peer.get(), "nothing with view " + view);
    }
    return switch (view) {
      case "all" -> new RouteQuery.All();
      case "best" -> new RouteQuery.Best();
      case "received" -> new RouteQuery.Received(named(peer));
      case "advertised" -> new RouteQuery.Advertised(named(peer));
      default -> throw new InvalidInputException("view", view, "all, best, received, advertised");
    };
  }

  private static String named(Optional<String> peer) {
    return peer.orElseThrow(() -> new InvalidInputException("peer", "", "the name of a peer"));
  }

  private static Optional<Cidr> prefix(Map<String, String> parameters) {
    try {
      return Optional.ofNullable(parameters.get("prefix")).map(Cidr::parse);
    } catch (InvalidInputException e) {
      throw e.within("prefix");
    }
  }

  private static int limit(Map<String, String> parameters) {
    String limit = parameters.getOrDefault("limit", Integer.toString(DEFAULT_PAGE));
    if (!limit.matches("[1-9][0-9]{0,5}") || Integer.parseInt(limit) > MAX_PAGE) {
      throw new InvalidInputException("limit", limit, "1 to " + MAX_PAGE);
    }
    return Integer.parseInt(limit);
  }

  private static RouteQuery.Cursor cursor(Map<String, String> parameters) {
    String cursor = parameters.get("cursor");
    if (cursor == null) {
      return RouteQuery.Cursor.START;
    }
    if (!cursor.matches("ipv[46]:[0-9]{1,9}")) {
      throw new InvalidInputException("cursor", cursor, "what the page before named as next");
    }
    return new RouteQuery.Cursor(
        cursor.charAt(3) == '4' ? Family.IPV4 : Family.IPV6, Integer.parseInt(cursor.substring(5)));
  }

  private Object refresh(Map<String, String> parameters) {
    allow(parameters, "peer");
    String peer = named(Optional.ofNullable(parameters.get("peer")));
    running().refresh(peer);
    return new BgpReport.Done("asked " + peer + " for its routes again");
  }

  private Object clear(Map<String, String> parameters) {
    allow(parameters, "peer", "message");
    String peer = named(Optional.ofNullable(parameters.get("peer")));
    running().clear(peer, parameters.getOrDefault("message", ""));
    return new BgpReport.Done("ended the session with " + peer + "; it comes back by itself");
  }

  private static void allow(Map<String, String> parameters, String... names) {
    for (String given : parameters.keySet()) {
      if (!Arrays.asList(names).contains(given)) {
        throw new InvalidInputException(
            given, parameters.get(given), "the parameters " + String.join(", ", names));
      }
    }
  }
}
