package io.wayleave.policy;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Kind;
import io.wayleave.model.Resource;
import io.wayleave.model.Update;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.model.policy.SubjectSelector;
import io.wayleave.model.status.CounterReport;
import io.wayleave.policy.calc.PolicyCalculator;
import io.wayleave.policy.dataplane.CommandRunner;
import io.wayleave.policy.dataplane.Dataplane;
import io.wayleave.policy.dataplane.DataplaneException;
import io.wayleave.policy.dataplane.FlowKernel;
import io.wayleave.policy.dataplane.InterfaceAddresses;
import io.wayleave.policy.dataplane.IpsetKernel;
import io.wayleave.policy.dataplane.IptablesBackend;
import io.wayleave.policy.dataplane.NetlinkAddresses;
import io.wayleave.policy.dataplane.NetlinkFlows;
import io.wayleave.policy.dataplane.NetlinkIpsets;
import io.wayleave.policy.dataplane.ProcessRunner;
import io.wayleave.policy.dataplane.RuleCounters;
import io.wayleave.policy.dataplane.TableWatch;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Enforces policy on this host. It is told the endpoints, policies and sets of the whole fleet and
 * keeps ipsets and iptables so that each endpoint of this node passes what its policies allow and
 * no more.
 *
 * <p>What it promises:
 *
 * <ul>
 *   <li>At start it adopts what an earlier agent left and adds what is missing of the frame: an
 *       interface with our prefix that is not known passes nothing. It changes and sweeps nothing
 *       else before everything is in-sync, so there is no moment without policy.
 *   <li>{@link #program} completes when the endpoint's policy is in force. Before in-sync it waits:
 *       until then nobody knows the policies, the interface counts as unknown and is dropped, and
 *       the caller's own deadline decides when ADD gives up.
 *   <li>{@link #close} leaves everything in force.
 * </ul>
 *
 * <p>Any thread may call; the work is done on one thread of its own, {@code wayleave-policy}, in
 * the order of the calls, and everything that has come in while it wrote goes into the next write
 * together. Stages complete on that thread: what depends on them must not block it.
 */
public final class PolicyEngine implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(PolicyEngine.class);

  private static final long CLOSE_SECONDS = 60;
  private static final long COUNTERS_SECONDS = 10;
  private static final int COUNTERS_ATTEMPTS = 3;

  private final String node;
  private final PolicyReconciler reconciler;
  private final Consumer<Throwable> onDeath;
  private final BlockingQueue<Message> mailbox = new LinkedBlockingQueue<>();
  private final Thread thread;
  private volatile PolicyStatus status = PolicyStatus.unknown();
  private volatile boolean ended;

  // Owned by the policy thread.
  private Consumer<PolicyStatus> listener = _ -> {};
  private boolean closed;

  /**
   * Something to do on the policy thread.
   *
   * @param done fails when the work does; empty when nobody waits
   */
  private record Message(Runnable work, Optional<CompletableFuture<Void>> done) {}

  private PolicyEngine(String node, PolicyReconciler reconciler, Consumer<Throwable> onDeath) {
    this.node = node;
    this.reconciler = reconciler;
    this.onDeath = requireNonNull(onDeath, "onDeath is null");
    this.thread = Thread.ofPlatform().name("wayleave-policy").daemon().unstarted(this::run);
  }

  /** Starts to work; the first thing written is the frame. */
  public static PolicyEngine start(PolicyConfig config) {
    return start(config, _ -> {});
  }

  /**
   * Starts to work; the first thing written is the frame.
   *
   * @param onDeath called once, on the policy thread and as its last act, if it ends without being
   *     closed; policy then stays as it is and nothing new is enforced, so the owner should end the
   *     process
   */
  public static PolicyEngine start(PolicyConfig config, Consumer<Throwable> onDeath) {
    requireNonNull(config, "config is null");
    ProcessRunner runner = ProcessRunner.in(config.namespace(), config.commandDeadline());
    return start(
        config,
        runner,
        new NetlinkIpsets(config.namespace()),
        new NetlinkAddresses(config.namespace()),
        new NetlinkFlows(config.namespace()),
        (backend, onChange) ->
            TableWatch.start(config.namespace(), backend, config.families(), runner::ran, onChange),
        onDeath);
  }

  /** Begins to look for what others do to what is written by a back end. */
  @FunctionalInterface
  interface WatchStart {
    TableWatch start(IptablesBackend backend, Runnable onChange);
  }

  static PolicyEngine start(
      PolicyConfig config,
      CommandRunner runner,
      IpsetKernel ipsets,
      InterfaceAddresses addresses,
      FlowKernel flows,
      WatchStart watch,
      Consumer<Throwable> onDeath) {
    AtomicReference<Runnable> lookAgain = new AtomicReference<>(() -> {});
    Supplier<Dataplane> open =
        () -> {
          IptablesBackend backend =
              config.backend().orElseGet(() -> IptablesBackend.detect(runner));
          log.info(
              "policy dataplane opened backend={} given={} families={}",
              backend,
              config.backend().isPresent(),
              config.families());
          return new Dataplane(
              config.families(),
              backend,
              config.host(),
              runner,
              ipsets,
              addresses,
              watch.start(backend, () -> lookAgain.get().run()));
        };
    PolicyEngine engine =
        new PolicyEngine(
            config.node(),
            new PolicyReconciler(
                config.node(),
                open,
                config.resyncInterval(),
                config.host().removeEstablished()
                    ? Optional.of(calculator -> new EstablishedFlows(flows, addresses, calculator))
                    : Optional.empty()),
            onDeath);
    lookAgain.set(engine::resync);
    engine.thread.start();
    return engine;
  }

  /**
   * The datastore tells something that policy depends on, of the whole fleet. The engine is in-sync
   * when each of the {@link PolicyCalculator#KINDS} is.
   *
   * @param update by {@link Resource#id}
   */
  public void on(Kind kind, Update<String, ? extends Resource> update) {
    tell(() -> reconciler.on(kind, update));
  }

  /**
   * The datastore has something that cannot be read: what it may forbid is closed, see {@link
   * PolicyCalculator#putUnreadable}. It ends with the next update of the same key.
   *
   * @param closes of policies, the endpoints that it may govern; else of no meaning
   * @param why for the status
   */
  public void onUnreadable(Kind kind, String id, SubjectSelector closes, String why) {
    tell(() -> reconciler.onUnreadable(kind, id, closes, why));
  }

  /** Completes when unknown interfaces of ours are dropped. Does not wait for in-sync. */
  public CompletionStage<Void> framed() {
    return ask(reconciler::framed);
  }

  /**
   * CNI ADD tells an endpoint of this node, before or after the datastore does. Completes when its
   * policy is in force, and not before the engine is in-sync.
   */
  public CompletionStage<Void> program(WorkloadEndpoint endpoint) {
    if (!endpoint.spec().node().equals(node)) {
      throw new IllegalArgumentException(
          endpoint.name() + " is of node " + endpoint.spec().node() + ", not of this node " + node);
    }
    return ask(done -> reconciler.program(endpoint, done));
  }

  /**
   * CNI DEL, or the undoing of a failed ADD: what {@link #program} said of the endpoint no longer
   * counts. If the datastore still has it, its chains stay until the datastore tells that it is
   * gone. Does not wait for in-sync.
   */
  public CompletionStage<Void> forget(String endpoint) {
    requireNonNull(endpoint, "endpoint is null");
    return ask(done -> reconciler.forget(endpoint, done));
  }

  /** Completes when everything that was told before this call is in force. Waits for in-sync. */
  public CompletionStage<Void> settled() {
    return ask(reconciler::settled);
  }

  /** Compares the kernel with what should be there now; completes when it is repaired. */
  public CompletionStage<Void> resync() {
    return ask(reconciler::resync);
  }

  /**
   * Tells the present status, and from then on each other one before what waits for it completes;
   * in place of an earlier listener.
   *
   * @param newListener called on the policy thread; must not block or throw
   */
  public void listen(Consumer<PolicyStatus> newListener) {
    tell(
        () -> {
          listener = newListener;
          newListener.accept(status);
        });
  }

  /**
   * Asks the kernel how many packets each rule took. Blocks while the tables are read, and must not
   * be called on the policy thread, which goes on meanwhile.
   *
   * @throws DataplaneException when the tables cannot be read, or the rules change all the time
   */
  public CounterReport counters() {
    RuleCounters question = countersQuestion();
    for (int attempt = 0; attempt < COUNTERS_ATTEMPTS; attempt++) {
      CounterReport report = question.read(node);
      RuleCounters then = question;
      question = countersQuestion();
      if (question.equals(then)) {
        return report;
      }
    }
    throw new DataplaneException("the rules changed each time while their counters were read");
  }

  private RuleCounters countersQuestion() {
    CompletableFuture<RuleCounters> question = new CompletableFuture<>();
    try {
      return ask(done -> {
            try {
              question.complete(reconciler.counters());
              done.complete(null);
            } catch (DataplaneException e) {
              done.completeExceptionally(e);
            }
          })
          .thenCompose(_ -> question)
          .toCompletableFuture()
          .get(COUNTERS_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof DataplaneException why
          ? why
          : new DataplaneException(String.valueOf(e.getCause().getMessage()), e.getCause());
    } catch (TimeoutException e) {
      throw new DataplaneException(
          "the policy thread did not answer within " + COUNTERS_SECONDS + " s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DataplaneException("interrupted while waiting for the policy thread", e);
    }
  }

  /** As of the last write. */
  public PolicyStatus status() {
    return status;
  }

  /**
   * Ends the thread after the write it is in, at most 60 s. Everything stays in force; stages that
   * have not completed fail.
   */
  @Override
  public void close() {
    tell(() -> closed = true);
    try {
      if (!thread.join(Duration.ofSeconds(CLOSE_SECONDS))) {
        log.warn("policy thread did not end within {} s", CLOSE_SECONDS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void tell(Runnable work) {
    mailbox.add(new Message(work, Optional.empty()));
  }

  /** Asks on the policy thread; a question that throws fails its stage and no other. */
  CompletionStage<Void> ask(Consumer<CompletableFuture<Void>> question) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    mailbox.add(new Message(() -> question.accept(done), Optional.of(done)));
    if (ended) {
      // Nobody reads the mailbox any more; if the last reading did see this, both fail it alike.
      done.completeExceptionally(closedError());
    }
    return done;
  }

  private static IllegalStateException closedError() {
    return new IllegalStateException("the policy engine was closed");
  }

  private void run() {
    Optional<Throwable> death = Optional.empty();
    try {
      while (!closed) {
        long wait = reconciler.step(System.nanoTime());
        PolicyStatus before = status;
        status = reconciler.status();
        reconciler.completeServed();
        // After those who wait, such as an ADD: a report of a thousand policies takes its time.
        if (!status.equals(before)) {
          listener.accept(status);
        }
        Message first = mailbox.poll(wait, TimeUnit.NANOSECONDS);
        if (first != null) {
          perform(first);
          // What is there now; what comes meanwhile waits for the next write.
          for (int left = mailbox.size(); left > 0; left--) {
            perform(mailbox.remove());
          }
        }
      }
    } catch (Throwable e) {
      // Whatever it is, also an Error: somebody must hear of it.
      log.error("policy thread ends: policy is no longer enforced anew", e);
      death = Optional.of(e);
    } finally {
      ended = true;
      reconciler.abandon(closedError());
      for (Message left = mailbox.poll(); left != null; left = mailbox.poll()) {
        left.done().ifPresent(done -> done.completeExceptionally(closedError()));
      }
    }
    death.ifPresent(onDeath);
  }

  /** What is wrong with one message must not keep the others from being heard. */
  private static void perform(Message message) {
    try {
      message.work().run();
    } catch (RuntimeException e) {
      log.error("defect while taking what was told to the policy engine", e);
      message.done().ifPresent(done -> done.completeExceptionally(e));
    } catch (Error e) {
      message.done().ifPresent(done -> done.completeExceptionally(e));
      throw e;
    }
  }
}
