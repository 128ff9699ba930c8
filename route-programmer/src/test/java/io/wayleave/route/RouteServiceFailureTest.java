package io.wayleave.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.linux.netlink.NetlinkEvent;
import io.wayleave.model.Cidr;
import io.wayleave.model.Update;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What the thread makes of the kernel's events, in whatever order they come, and when reading
 * fails.
 */
@Timeout(60)
class RouteServiceFailureTest {
  private static final Cidr POD = Cidr.parse("10.1.0.7/32");
  private static final RouteTarget WORKLOAD = new RouteTarget.Workload("wl1", Optional.empty());

  private final MemoryKernel kernel = new MemoryKernel(RouteSettings.DEFAULT);
  private final Source source = new Source();
  private final CompletableFuture<Throwable> death = new CompletableFuture<>();
  private final RouteService service;
  private final int wl1;

  RouteServiceFailureTest() {
    wl1 = kernel.addLink("wl1");
    RouteProgrammer programmer =
        new RouteProgrammer(kernel.driver(), RouteSettings.DEFAULT, System::nanoTime);
    service = RouteService.start(source, programmer, Duration.ofMillis(1), death::complete);
  }

  @AfterEach
  void close() {
    service.close();
  }

  @Test
  void eventsThatCannotBeReadAreFollowedByAComparison() throws Exception {
    assertThat(put().orElseThrow().programmed()).isTrue();
    int dumps = comparisons();

    source.results.add(
        () -> {
          throw new IOException("injected");
        });
    source.results.add(
        () -> {
          throw new IllegalStateException("injected");
        });
    source.awaitTaken();

    assertThat(put().orElseThrow().programmed()).isTrue();
    assertThat(comparisons()).isGreaterThan(dumps);
    assertThat(service.isRunning()).isTrue();
    assertThat(death).isNotDone();
  }

  @Test
  void aThreadThatEndsAllTheSameSaysSo() throws Exception {
    source.results.add(
        () -> {
          throw new AssertionError("injected");
        });

    assertThat(death.get(20, TimeUnit.SECONDS)).hasMessage("injected");
    assertThat(service.isRunning()).isFalse();
    assertThat(source.closed).isDone();
    assertThatThrownBy(this::put)
        .isInstanceOf(ExecutionException.class)
        .hasMessageContaining("the route service is closed");
  }

  @Test
  void closingIsNoDeath() {
    service.close();

    assertThat(source.closed).isDone();
    assertThat(death).isNotDone();
  }

  /** As an ADD does: it sets the interface up, then asks for the route. */
  @Test
  void whoAsksIsAnsweredByTheEventsFromBefore() throws Exception {
    assertThat(put().orElseThrow().programmed()).isTrue();
    source.results.add(
        () -> {
          kernel.setUp(wl1, false);
          return kernel.takeEvents();
        });
    source.awaitTaken();

    CompletableFuture<CompletableFuture<Optional<RouteState>>> asked = new CompletableFuture<>();
    source.results.add(
        () -> {
          // All of this happens between the last event read and the look at who asks.
          kernel.setUp(wl1, true);
          List<NetlinkEvent> events = kernel.takeEvents();
          source.results.add(() -> events);
          asked.complete(service.submit(RouteSource.WORKLOAD, new Update.Put<>(POD, WORKLOAD)));
          return List.of();
        });
    RouteState state = asked.get(20, TimeUnit.SECONDS).get(20, TimeUnit.SECONDS).orElseThrow();
    assertThat(state.problem()).isEmpty();
    assertThat(state.programmed()).isTrue();
  }

  private Optional<RouteState> put() throws Exception {
    return service
        .submit(RouteSource.WORKLOAD, new Update.Put<>(POD, WORKLOAD))
        .get(20, TimeUnit.SECONDS);
  }

  /** Read in the service's thread, which owns the kernel. */
  private int comparisons() throws Exception {
    CompletableFuture<Integer> dumps = new CompletableFuture<>();
    source.results.add(
        () -> {
          dumps.complete(kernel.dumps());
          return List.of();
        });
    return dumps.get(20, TimeUnit.SECONDS);
  }

  /** One poll's result. */
  private interface Result {
    List<NetlinkEvent> get() throws IOException;
  }

  /** Events that the test gives; nothing until then. */
  private static final class Source implements RouteService.EventSource {
    private static final Result NOTHING = List::of;

    final LinkedBlockingQueue<Result> results = new LinkedBlockingQueue<>();
    final CompletableFuture<Void> closed = new CompletableFuture<>();

    @Override
    public List<NetlinkEvent> poll(Duration timeout) throws IOException {
      try {
        Result next = results.poll(timeout.toNanos(), TimeUnit.NANOSECONDS);
        return next == null ? List.of() : next.get();
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
    }

    /** Until everything that was added before was polled. */
    void awaitTaken() throws Exception {
      CompletableFuture<Void> taken = new CompletableFuture<>();
      results.add(
          () -> {
            taken.complete(null);
            return List.of();
          });
      taken.get(20, TimeUnit.SECONDS);
    }

    @Override
    public void wakeUp() {
      results.add(NOTHING);
    }

    @Override
    public void close() {
      closed.complete(null);
    }
  }
}
