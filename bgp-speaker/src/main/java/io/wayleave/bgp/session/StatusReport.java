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
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Copies a speaker's state into records for people and other threads. Reads only, and costs what
 * there are peers or paths to one prefix. Runs on the {@link Loop} thread.
 */
public final class StatusReport {
  private final SpeakerCore core;

  public StatusReport(SpeakerCore core) {
    this.core = requireNonNull(core, "core is null");
  }

  public SpeakerStatus speaker() {
    List<PeerStatus> peers = core.peers().stream().map(Peer::status).toList();
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
              Optional.of(path.nextHop()).filter(hop -> !hop.address().isUnspecified()),
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
}
