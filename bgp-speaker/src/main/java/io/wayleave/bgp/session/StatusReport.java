package io.wayleave.bgp.session;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.PeerStatus;
import io.wayleave.bgp.RouteStatus;
import io.wayleave.bgp.SpeakerStatus;
import io.wayleave.bgp.rib.BestPath.Verdict;
import io.wayleave.bgp.rib.Candidates;
import io.wayleave.bgp.rib.Path;
import io.wayleave.bgp.rib.PathSource;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Copies a speaker's state into records for people and other threads. Reads only; walks the tables,
 * so it is for a person's question and not for a loop. Runs on the {@link Loop} thread.
 */
public final class StatusReport {
  private final SpeakerCore core;

  public StatusReport(SpeakerCore core) {
    this.core = requireNonNull(core, "core is null");
  }

  public SpeakerStatus speaker() {
    Map<String, Map<Family, int[]>> counts = countPaths();
    List<PeerStatus> peers =
        core.peers().stream()
            .map(peer -> peer.status(counts.getOrDefault(peer.config().name(), Map.of())))
            .toList();
    return new SpeakerStatus(
        core.config().routerId(),
        core.config().asNumber(),
        core.converged(),
        core.convergence().waitingFor(),
        core.listeners().bound(),
        core.listeners().errors(),
        core.originated(),
        peers);
  }

  /** Every known prefix with every path, in the order of the prefixes. */
  public List<RouteStatus> routes() {
    return routes(_ -> true);
  }

  /** What one peer has told us and what became of it. */
  public List<RouteStatus> received(String peer) {
    core.peer(peer);
    return routes(
        path -> path.source() instanceof PathSource.Peer source && source.peer().equals(peer));
  }

  /** What one peer has been told. */
  public List<RouteStatus.Advertised> advertised(String peer) {
    List<RouteStatus.Advertised> routes = new ArrayList<>();
    for (Family family : Family.values()) {
      core.peer(peer)
          .forEachAdvertised(
              family,
              0,
              Integer.MAX_VALUE,
              (prefix, nextHop, attributes) ->
                  routes.add(new RouteStatus.Advertised(prefix, nextHop, attributes)));
    }
    routes.sort(Comparator.comparing(RouteStatus.Advertised::prefix));
    return routes;
  }

  private List<RouteStatus> routes(Predicate<Path> wanted) {
    List<RouteStatus> routes = new ArrayList<>();
    for (Family family : Family.values()) {
      core.rib()
          .forEachCandidates(
              family,
              (id, candidates) -> {
                Cidr prefix = core.rib().prefixes(family).prefix(id);
                List<RouteStatus.PathStatus> paths = paths(prefix, candidates, wanted);
                if (!paths.isEmpty()) {
                  routes.add(new RouteStatus(prefix, paths));
                }
              });
    }
    routes.sort(Comparator.comparing(RouteStatus::prefix));
    return routes;
  }

  /** The paths to one prefix that the test accepts, the used ones first. */
  List<RouteStatus.PathStatus> paths(Cidr prefix, Candidates candidates, Predicate<Path> wanted) {
    List<Verdict> verdicts = core.rib().bestPath().explain(candidates);
    List<RouteStatus.PathStatus> paths = new ArrayList<>();
    for (int i = 0; i < candidates.count(); i++) {
      Path path = candidates.get(i);
      if (wanted.test(path)) {
        paths.add(pathStatus(prefix, path, verdicts.get(i)));
      }
    }
    paths.sort(
        Comparator.comparing((RouteStatus.PathStatus path) -> !path.best())
            .thenComparing(path -> !path.used())
            .thenComparing(path -> path.peer().orElse("")));
    return paths;
  }

  private RouteStatus.PathStatus pathStatus(Cidr prefix, Path path, Verdict verdict) {
    boolean waiting = core.rib().selected(prefix).count() == 0 && core.rib().deferring();
    boolean best = !waiting && verdict instanceof Verdict.Best;
    boolean used = best || (!waiting && verdict instanceof Verdict.Multipath);
    return switch (path.source()) {
      case PathSource.Local() ->
          new RouteStatus.PathStatus(
              Optional.empty(),
              Optional.empty(),
              path.attributes(),
              best,
              used,
              false,
              verdict.toString());
      case PathSource.Peer source ->
          new RouteStatus.PathStatus(
              Optional.of(source.peer()),
              Optional.of(path.nextHop()),
              path.attributes(),
              best,
              used,
              core.peer(source.peer()).isStale(prefix.family(), source),
              waiting ? "waiting for all peers after a restart" : verdict.toString());
    };
  }

  /** Received and usable paths by peer and family, in one walk. */
  private Map<String, Map<Family, int[]>> countPaths() {
    Map<String, Map<Family, int[]>> counts = new HashMap<>();
    for (Family family : Family.values()) {
      core.rib()
          .forEachCandidates(
              family,
              (_, candidates) -> {
                for (int i = 0; i < candidates.count(); i++) {
                  Path path = candidates.get(i);
                  if (path.source() instanceof PathSource.Peer source) {
                    int[] of =
                        counts
                            .computeIfAbsent(source.peer(), _ -> new EnumMap<>(Family.class))
                            .computeIfAbsent(family, _ -> new int[2]);
                    of[0]++;
                    of[1] += path.usable() ? 1 : 0;
                  }
                }
              });
    }
    return counts;
  }
}
