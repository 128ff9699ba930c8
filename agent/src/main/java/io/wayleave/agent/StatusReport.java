package io.wayleave.agent;

import io.wayleave.bgp.BgpSpeaker;
import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Syncer;
import io.wayleave.model.Cidr;
import io.wayleave.model.status.AgentStatus;
import io.wayleave.model.status.AgentStatus.BgpStatus;
import io.wayleave.model.status.AgentStatus.DatastoreStatus;
import io.wayleave.model.status.AgentStatus.Failure;
import io.wayleave.model.status.AgentStatus.GarbageStatus;
import io.wayleave.model.status.AgentStatus.NodeAddress;
import io.wayleave.model.status.AgentStatus.RouteCounts;
import io.wayleave.model.status.RouteStatus;
import io.wayleave.policy.PolicyEngine;
import io.wayleave.policy.PolicyStatus;
import io.wayleave.route.RouteService;
import io.wayleave.route.RouteSource;
import io.wayleave.route.RouteState;
import io.wayleave.route.RouteTarget;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/** Puts the answers of the admin API together from the parts' own. Blocks, briefly. */
final class StatusReport {
  private static final int ANSWER_SECONDS = 5;

  private final Supplier<CompletableFuture<CorePart>> core;
  private final RouteService routes;
  private final PolicyEngine policy;
  private final Datastore datastore;
  private final Syncer<?, ?> syncer;
  private final Supplier<Optional<GarbageStatus>> garbage;

  /** What the core thread knows. */
  record CorePart(
      String node,
      String version,
      String since,
      String notReady,
      List<NodeAddress> addresses,
      boolean inSync,
      Optional<BgpControl.View> bgp,
      Map<String, String> invalid,
      int endpoints) {}

  StatusReport(
      Supplier<CompletableFuture<CorePart>> core,
      RouteService routes,
      PolicyEngine policy,
      Datastore datastore,
      Syncer<?, ?> syncer,
      Supplier<Optional<GarbageStatus>> garbage) {
    this.core = core;
    this.routes = routes;
    this.policy = policy;
    this.datastore = datastore;
    this.syncer = syncer;
    this.garbage = garbage;
  }

  AgentStatus status() {
    CorePart part = get(core.get());
    io.wayleave.route.RouteStatus routing = get(routes.status());
    PolicyStatus filter = policy.status();
    Syncer.Status connection = syncer.status();
    BgpControl.Shown bgp =
        part.bgp()
            .map(BgpControl.View::describe)
            .orElseGet(
                () ->
                    new BgpControl.Shown(
                        new BgpStatus("", 0, "not started", List.of()), List.of()));
    List<Failure> failing = new ArrayList<>(bgp.failures());
    routing
        .failing()
        .forEach(state -> failing.add(new Failure("route " + state.destination(), reason(state))));
    if (routing.failingCount() > routing.failing().size()) {
      failing.add(
          new Failure(
              "routes", (routing.failingCount() - routing.failing().size()) + " more are failing"));
    }
    filter.failing().forEach((what, why) -> failing.add(new Failure("policy " + what, why)));
    filter.lastError().ifPresent(error -> failing.add(new Failure("policy", error)));
    part.invalid().forEach((key, why) -> failing.add(new Failure("datastore " + key, why)));
    return new AgentStatus(
        part.node(),
        part.version(),
        part.since(),
        part.notReady().isEmpty(),
        part.notReady().isEmpty() ? List.of() : List.of(part.notReady()),
        part.addresses(),
        new DatastoreStatus(
            datastore.description(),
            connection.connected(),
            connection.since().truncatedTo(ChronoUnit.SECONDS).toString(),
            part.inSync(),
            Optional.of(connection.reason()).filter(reason -> !reason.isEmpty())),
        bgp.status(),
        new RouteCounts(
            routing.programmed().getOrDefault(RouteSource.WORKLOAD, 0),
            routing.programmed().getOrDefault(RouteSource.LEARNED, 0),
            routing.programmed().getOrDefault(RouteSource.BLOCK, 0)),
        part.endpoints(),
        garbage.get(),
        failing);
  }

  /** The speaker, once it has started. */
  Optional<BgpSpeaker> speaker() {
    return get(core.get()).bgp().map(BgpControl.View::speaker);
  }

  List<RouteStatus> routes() {
    return get(routes.routes()).stream().map(StatusReport::describe).toList();
  }

  private static RouteStatus describe(RouteState state) {
    Cidr destination = state.destination();
    String programmed = state.programmed() ? "programmed" : reason(state);
    return switch (state.target()) {
      case RouteTarget.Workload local ->
          new RouteStatus(
              destination.toString(), List.of(), local.interfaceName(), "local", programmed);
      case RouteTarget.Blackhole _ ->
          new RouteStatus(destination.toString(), List.of(), "", "blackhole", programmed);
      case RouteTarget.Learned learned ->
          new RouteStatus(
              destination.toString(),
              learned.gateways().stream().map(Object::toString).toList(),
              "",
              "learned",
              programmed);
    };
  }

  private static String reason(RouteState state) {
    return state.problem().map(RouteState.Problem::reason).orElse("not written yet");
  }

  private static <T> T get(CompletableFuture<T> answer) {
    try {
      return answer.get(ANSWER_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause().getMessage(), e.getCause());
    } catch (TimeoutException e) {
      throw new IllegalStateException("no answer within " + ANSWER_SECONDS + " s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
