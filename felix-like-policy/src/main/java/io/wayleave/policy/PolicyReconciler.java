package io.wayleave.policy;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Kind;
import io.wayleave.model.Resource;
import io.wayleave.model.Update;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.policy.PolicyDigest;
import io.wayleave.model.policy.SubjectSelector;
import io.wayleave.policy.PolicyStatus.RuleStatus;
import io.wayleave.policy.calc.CalculationSink;
import io.wayleave.policy.calc.PolicyCalculator;
import io.wayleave.policy.calc.PolicyCalculator.ActiveRules;
import io.wayleave.policy.calc.RuleBlock;
import io.wayleave.policy.dataplane.Dataplane;
import io.wayleave.policy.dataplane.DataplaneException;
import io.wayleave.policy.dataplane.Failures;
import io.wayleave.policy.dataplane.Mode;
import io.wayleave.policy.dataplane.RuleCounters;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * When what is written: takes what is told, marks that a write is due, and writes in {@link #step}.
 * Everything that was told before a step is in one write. A failed write is repeated with growing
 * pauses; what waits for it goes on waiting.
 *
 * <p>It has no thread and no clock: the owner calls {@link #step} with the time. NOT thread safe.
 */
final class PolicyReconciler {
  private static final Logger log = LoggerFactory.getLogger(PolicyReconciler.class);

  private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);

  private record Waiter(boolean needsInSync, CompletableFuture<Void> done) {}

  /** The digest of a write, and how many second looks at flows it takes until it counts. */
  private record Uncertain(String digest, long secondLooks) {}

  private final Supplier<Dataplane> openDataplane;
  private final Duration resyncInterval;
  private final PolicyCalculator calculator;
  private final EndpointSources endpoints;

  /** Empty when established flows are left alone. */
  private final Optional<EstablishedFlows> flows;

  private final List<Waiter> waiters = new ArrayList<>();
  private final List<CompletableFuture<Void>> served = new ArrayList<>();

  private Optional<Dataplane> dataplane = Optional.empty();

  /** The kinds that have not been told completely. */
  private final Set<Kind> outstanding = EnumSet.copyOf(PolicyCalculator.KINDS);

  private final PolicyDigest digest = new PolicyDigest();
  private final Deque<Uncertain> uncertain = new ArrayDeque<>();
  private String digestInForce = "";

  /** What cannot be read, and why, by kind and id. */
  private final Map<String, String> unreadable = new HashMap<>();

  /** Whether more was told since the last write than that workload endpoints came or went. */
  private boolean urgent = true;

  /** The rules that the kernel had after the last write that succeeded. */
  private Map<RuleBlock.Id, ActiveRules> written = Map.of();

  private Statuses statuses = Statuses.NONE;

  private boolean writtenInSync;
  private boolean framed;
  private boolean writeDue = true;
  private final Retry writing = new Retry(LONGEST_PAUSE);
  private final Retry looking = new Retry(LONGEST_PAUSE);

  /** Time of the next resync; the first step fixes the first. */
  private long nextResync;

  /** Time of the next clean-up. */
  private long notBefore;

  private boolean started;

  /**
   * Reconciles one host.
   *
   * @param openDataplane called in a step, again after each failure, until it returns
   * @param establishedFlows of which those end that policy forbids, by a given calculation; empty
   *     when established flows are left alone
   */
  PolicyReconciler(
      String node,
      Supplier<Dataplane> openDataplane,
      Duration resyncInterval,
      Optional<Function<PolicyCalculator, EstablishedFlows>> establishedFlows) {
    this.openDataplane = requireNonNull(openDataplane, "openDataplane is null");
    this.resyncInterval = requireNonNull(resyncInterval, "resyncInterval is null");
    this.calculator = new PolicyCalculator(node);
    this.endpoints = new EndpointSources(node, calculator);
    this.flows = establishedFlows.map(open -> open.apply(calculator));
  }

  void on(Kind kind, Update<String, ? extends Resource> update) {
    urgent |= !comesOrGoes(kind, update);
    switch (update) {
      case Update.Put<String, ? extends Resource> put -> put(kind, put.value());
      case Update.Delete<String, ? extends Resource> delete -> remove(kind, delete.key());
      case Update.InSync<String, ? extends Resource> _ -> {
        if (!PolicyCalculator.KINDS.contains(kind)) {
          throw PolicyCalculator.governsNothing(kind);
        }
        outstanding.remove(kind);
      }
    }
    writeDue = true;
  }

  private boolean comesOrGoes(Kind kind, Update<String, ? extends Resource> update) {
    return switch (update) {
      case Update.Put<String, ? extends Resource> put ->
          kind == Kind.WORKLOAD_ENDPOINT && !calculator.knows(kind, put.value().id());
      case Update.Delete<String, ? extends Resource> _ -> kind == Kind.WORKLOAD_ENDPOINT;
      case Update.InSync<String, ? extends Resource> _ -> false;
    };
  }

  void onUnreadable(Kind kind, String id, SubjectSelector closes, String why) {
    urgent |= kind != Kind.WORKLOAD_ENDPOINT;
    unreadable.put(nameOf(kind, id), why);
    if (kind == Kind.WORKLOAD_ENDPOINT) {
      endpoints.storedGone(id);
    } else {
      calculator.putUnreadable(kind, id, closes);
    }
    digest.remove(kind, id);
    writeDue = true;
  }

  private static String nameOf(Kind kind, String id) {
    return kind.title() + " " + id;
  }

  private void put(Kind kind, Resource resource) {
    if (resource.kind() != kind) {
      throw new IllegalArgumentException(resource.kind() + " is told as " + kind);
    }
    if (resource instanceof WorkloadEndpoint endpoint) {
      endpoints.stored(endpoint);
    } else {
      calculator.put(resource);
    }
    digest.put(resource);
    unreadable.remove(nameOf(kind, resource.id()));
  }

  private void remove(Kind kind, String id) {
    if (kind == Kind.WORKLOAD_ENDPOINT) {
      endpoints.storedGone(id);
    } else {
      calculator.remove(kind, id);
    }
    digest.remove(kind, id);
    unreadable.remove(nameOf(kind, id));
  }

  void program(WorkloadEndpoint endpoint, CompletableFuture<Void> done) {
    urgent |= calculator.knows(Kind.WORKLOAD_ENDPOINT, endpoint.id());
    endpoints.added(endpoint);
    await(true, done);
  }

  void forget(String endpoint, CompletableFuture<Void> done) {
    endpoints.forget(endpoint);
    // DEL must not depend on the datastore: before in-sync there is nothing of it to take back.
    await(false, done);
  }

  void settled(CompletableFuture<Void> done) {
    await(true, done);
  }

  void framed(CompletableFuture<Void> done) {
    await(false, done);
  }

  void resync(CompletableFuture<Void> done) {
    invalidate();
    await(false, done);
  }

  private void invalidate() {
    dataplane.ifPresent(Dataplane::invalidate);
    flows.ifPresent(EstablishedFlows::doubt);
  }

  /** What is to be asked for the counters of the rules that were written last. */
  RuleCounters counters() {
    return dataplane
        .filter(_ -> writtenInSync)
        .orElseThrow(
            () ->
                new DataplaneException(
                    "no policy was written yet since the agent started"
                        + lastError().map(why -> ": " + why).orElse("")))
        .counters(calculator.tiersOfActivePolicies());
  }

  /**
   * Completes what the last steps served. Apart from {@link #step} so that the owner can publish
   * the status first.
   */
  void completeServed() {
    List<CompletableFuture<Void>> completing = List.copyOf(served);
    served.clear();
    completing.forEach(done -> done.complete(null));
  }

  /** Nothing will be written any more; what is in the kernel stays. */
  void abandon(Throwable why) {
    completeServed();
    waiters.forEach(waiter -> waiter.done().completeExceptionally(why));
    waiters.clear();
    dataplane.ifPresent(Dataplane::close);
    flows.ifPresent(EstablishedFlows::close);
  }

  PolicyStatus status() {
    Failures failing = dataplane.map(Dataplane::failing).orElse(Failures.NONE);
    return new PolicyStatus(
        framed,
        inSync(),
        inSync() && !writeDue,
        digestInForce,
        calculator.localEndpoints(),
        rules(failing),
        calculator.missingTiers(),
        calculator.missingProfiles(),
        unreadable,
        failing.byName(),
        lastError());
  }

  private Optional<String> lastError() {
    return writing.why().or(looking::why);
  }

  /** They are many and seldom change, so those of the last time are used again when they can be. */
  private Map<RuleBlock.Id, RuleStatus> rules(Failures failing) {
    Map<RuleBlock.Id, ActiveRules> wanted = calculator.activeRules();
    if (!statuses.isOf(wanted, written, failing.blocks())) {
      Map<RuleBlock.Id, RuleStatus> rules = new HashMap<>();
      wanted.forEach(
          (id, active) -> {
            Optional<String> why = Optional.ofNullable(failing.blocks().get(id));
            ActiveRules before = written.get(id);
            boolean programmed =
                why.isEmpty() && before != null && before.rules().equals(active.rules());
            rules.put(id, new RuleStatus(active.endpoints(), programmed, why));
          });
      statuses = new Statuses(wanted, written, failing.blocks(), Map.copyOf(rules));
    }
    return statuses.rules();
  }

  /** What follows from what. */
  private record Statuses(
      Map<RuleBlock.Id, ActiveRules> wanted,
      Map<RuleBlock.Id, ActiveRules> written,
      Map<RuleBlock.Id, String> failing,
      Map<RuleBlock.Id, RuleStatus> rules) {
    private static final Statuses NONE = new Statuses(Map.of(), Map.of(), Map.of(), Map.of());

    /** Whether the first two are the same objects: to compare thousands of rules takes long. */
    @SuppressWarnings("ReferenceEquality")
    boolean isOf(
        Map<RuleBlock.Id, ActiveRules> nowWanted,
        Map<RuleBlock.Id, ActiveRules> nowWritten,
        Map<RuleBlock.Id, String> nowFailing) {
      return wanted == nowWanted && written == nowWritten && failing.equals(nowFailing);
    }
  }

  /**
   * Writes what is due.
   *
   * @param now monotonic time in nanoseconds
   * @return nanoseconds until the next step is wanted if nothing is told before
   */
  long step(long now) {
    if (!started) {
      started = true;
      nextResync = now + resyncInterval.toNanos();
      notBefore = now;
    }
    if (now - nextResync >= 0) {
      invalidate();
      writeDue = true;
      nextResync = now + resyncInterval.toNanos();
    }
    long wait = nextResync - now;
    if (!writing.isFailing()) {
      wait = Math.min(wait, lookAgain(now));
    }
    if (writeDue && pause(now) == 0) {
      write(now);
      confirm();
      if (flows.map(EstablishedFlows::unscheduled).orElse(false)) {
        // The write took its time: the next step knows when it was done.
        return 0;
      }
    }
    return Math.max(0, writeDue ? Math.min(wait, pause(now)) : wait);
  }

  /** Nanoseconds until what is due may be written. */
  private long pause(long now) {
    return Math.max(writing.pause(now), Math.max(0, notBefore - now));
  }

  /** Nanoseconds until flows are to be looked at again. */
  private long lookAgain(long now) {
    if (flows.isEmpty()) {
      return Long.MAX_VALUE;
    }
    if (looking.pause(now) > 0) {
      return looking.pause(now);
    }
    try {
      long wait = flows.get().step(now);
      looking.succeeded();
      confirm();
      return wait;
    } catch (RuntimeException e) {
      return tryLater(looking, now, "established flows not looked at", e).toNanos();
    }
  }

  private void confirm() {
    long secondLooks = flows.map(EstablishedFlows::secondLooks).orElse(0L);
    while (!uncertain.isEmpty() && uncertain.peek().secondLooks() <= secondLooks) {
      digestInForce = uncertain.remove().digest();
    }
  }

  private void write(long now) {
    try {
      Dataplane target = dataplane.orElseGet(openDataplane);
      dataplane = Optional.of(target);
      if (inSync()) {
        calculator.flush(flows.<CalculationSink>map(each -> each.watching(target)).orElse(target));
        target.apply(Mode.FULL);
        long secondLooks = flows.map(each -> each.written(urgent)).orElse(0L);
        urgent = false;
        writtenInSync = true;
        uncertain.add(new Uncertain(digest.toString(), secondLooks));
      } else {
        target.apply(Mode.ADOPT);
      }
      framed = true;
      writing.succeeded();
      if (inSync()) {
        written = calculator.activeRules();
      }
      // What the kernel did not let go of yet is deleted a little later; nobody waits for it.
      writeDue = target.cleanupPending();
      notBefore = writeDue ? now + Retry.FIRST.toNanos() : now;
      waiters.stream()
          .filter(waiter -> inSync() || !waiter.needsInSync())
          .map(Waiter::done)
          .forEach(served::add);
      waiters.removeIf(waiter -> inSync() || !waiter.needsInSync());
    } catch (RuntimeException e) {
      tryLater(writing, now, "policy not written", e);
    }
  }

  /** A defect of ours is shown and retried like a failing command; it must not end the thread. */
  private static Duration tryLater(Retry retry, long now, String what, RuntimeException failure) {
    boolean expected = failure instanceof DataplaneException;
    String why = expected ? String.valueOf(failure.getMessage()) : failure.toString();
    if (!expected) {
      log.error("defect: {}", what, failure);
    }
    Duration pause = retry.failed(now, why);
    log.error(
        "{}, trying again attempt={} pause={}ms reason={}",
        what,
        retry.failures(),
        pause.toMillis(),
        why);
    return pause;
  }

  private void await(boolean needsInSync, CompletableFuture<Void> done) {
    waiters.add(new Waiter(needsInSync, done));
    writeDue = true;
  }

  private boolean inSync() {
    return outstanding.isEmpty();
  }
}
