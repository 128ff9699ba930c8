package io.wayleave.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.OutcomeUnknownException;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.testing.Await;
import io.wayleave.datastore.testing.DelegatingDatastore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Holds the first commit of handles back until as many callers wait as it is told to, and counts
 * the handles in each.
 */
final class GatedDatastore extends DelegatingDatastore {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  final CountDownLatch gate = new CountDownLatch(1);
  final AtomicInteger arrived = new AtomicInteger();
  final ConcurrentLinkedQueue<Integer> handles = new ConcurrentLinkedQueue<>();

  /** What happens to the next commit after the one that is held back. */
  volatile Optional<FaultyDatastore.Fault> fault = Optional.empty();

  volatile boolean gated;

  GatedDatastore(Datastore delegate) {
    super(delegate);
  }

  /** The first call is held back until all others wait for their turn. */
  <T> List<Future<T>> together(List<Callable<T>> calls) throws InterruptedException {
    gated = true;
    List<Future<T>> results = new ArrayList<>();
    for (Callable<T> call : calls) {
      var future = new FutureTask<>(call);
      Thread caller = Thread.ofPlatform().daemon().start(future);
      if (results.isEmpty()) {
        Await.until("first", PATIENCE, () -> arrived.get() == 1);
      } else {
        Await.until(
            "waiting",
            PATIENCE,
            () ->
                caller.getState() == Thread.State.TIMED_WAITING
                    || caller.getState() == Thread.State.TERMINATED);
      }
      results.add(future);
    }
    gate.countDown();
    return results;
  }

  @Override
  public TransactionResult commit(Transaction transaction, Deadline deadline) {
    long written =
        transaction.operations().stream()
            .filter(operation -> operation.key().startsWith(Keys.HANDLES))
            .count();
    if (written > 0) {
      handles.add((int) written);
      if (gated && arrived.incrementAndGet() == 1) {
        try {
          gate.await();
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
      } else if (fault.isPresent()) {
        FaultyDatastore.Fault now = fault.get();
        fault = Optional.empty();
        if (now == FaultyDatastore.Fault.LOST_ANSWER) {
          super.commit(transaction, deadline);
        }
        throw now == FaultyDatastore.Fault.UNAVAILABLE
            ? new DatastoreUnavailableException("injected", null)
            : new OutcomeUnknownException("injected", null);
      }
    }
    return super.commit(transaction, deadline);
  }
}
