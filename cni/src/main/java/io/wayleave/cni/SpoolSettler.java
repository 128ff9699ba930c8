package io.wayleave.cni;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Settles what was left: at the start everything that is spooled and every ADD that never finished,
 * and until that is done no ADD is let in; from then on what is spooled later, at intervals. Runs
 * on a platform thread of its own; {@link #awaitFirst} may be called from any.
 */
final class SpoolSettler implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(SpoolSettler.class);
  private static final Duration JOIN_TIME = Duration.ofSeconds(3);

  private final CniOptions options;
  private final AttachmentRecords records;
  private final DelSpool spool;
  private final Teardown teardown;
  private final KeyedLock<AttachmentKey> keys;
  private final Thread thread = Thread.ofPlatform().name("cni-settle").unstarted(this::loop);

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  // Both guarded by lock.
  private boolean firstDone;
  private String obstacle = "they are being looked at";

  SpoolSettler(
      CniOptions options,
      AttachmentRecords records,
      DelSpool spool,
      Teardown teardown,
      KeyedLock<AttachmentKey> keys) {
    this.options = options;
    this.records = records;
    this.spool = spool;
    this.teardown = teardown;
    this.keys = keys;
  }

  void start() {
    thread.start();
  }

  /** Waits until an ADD may be let in; not empty when it may not yet, and then says why. */
  Optional<String> awaitFirst(Duration timeout) throws InterruptedException {
    long left = timeout.toNanos();
    lock.lockInterruptibly();
    try {
      while (!firstDone && left > 0) {
        left = changed.awaitNanos(left);
      }
      return firstDone
          ? Optional.empty()
          : Optional.of("earlier DELs are not settled: " + obstacle);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    thread.interrupt();
    try {
      if (thread.isAlive() && !thread.join(JOIN_TIME)) {
        log.warn("cni settling does not end, leaving it");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void loop() {
    boolean first = true;
    while (!Thread.currentThread().isInterrupted()) {
      Optional<String> left;
      try {
        left = settleAll(first);
      } catch (IOException | RuntimeException e) {
        log.error("cni spool cannot be settled directory={}", spool.directory(), e);
        left = Optional.of("the spool cannot be read: " + e.getMessage());
      }
      first = first && left.isPresent();
      if (!pause(left)) {
        return;
      }
    }
  }

  /** Reports, and waits for the next turn; false when it is time to end. */
  private boolean pause(Optional<String> left) {
    lock.lock();
    try {
      if (left.isEmpty()) {
        firstDone = true;
      } else {
        obstacle = left.get();
      }
      changed.signalAll();
      long nanos = options.settleInterval().toNanos();
      while (nanos > 0) {
        nanos = changed.awaitNanos(nanos);
      }
      return true;
    } catch (InterruptedException e) {
      return false;
    } finally {
      lock.unlock();
    }
  }

  /**
   * One turn over everything. What is in the way of one attachment keeps back no other, but while
   * the datastore is away the turn ends, as it would only wait for each of them.
   *
   * @return the first thing in the way; empty when all is settled
   */
  private Optional<String> settleAll(boolean withUnfinished) throws IOException {
    Optional<String> first = Optional.empty();
    for (Job job : jobs(withUnfinished)) {
      Outcome outcome = attempt(job);
      first = first.isPresent() ? first : outcome.obstacle();
      if (outcome.endsTurn()) {
        break;
      }
    }
    return first;
  }

  private List<Job> jobs(boolean withUnfinished) throws IOException {
    List<Job> jobs = new ArrayList<>();
    for (DelSpool.Entry entry : spool.entries()) {
      jobs.add(new Job(entry.key(), limit -> settle(entry, limit)));
    }
    if (withUnfinished) {
      for (Attachment attachment : records.all()) {
        if (!attachment.isFinished()) {
          jobs.add(new Job(attachment.key(), limit -> sweep(attachment, limit)));
        }
      }
    }
    return jobs;
  }

  private void settle(DelSpool.Entry entry, TimeLimit limit)
      throws CniException, IOException, InterruptedException {
    teardown.del(entry.key(), entry.generation(), Teardown.WhenStoreIsAway.FAIL, limit);
    spool.remove(entry);
    log.info(
        "cni del settled key={} generation={}", entry.key(), entry.generation().orElse("none"));
  }

  /** An ADD that a crash ended. */
  private void sweep(Attachment attachment, TimeLimit limit)
      throws CniException, IOException, InterruptedException {
    if (records.read(attachment.key()).equals(Optional.of(attachment))) {
      teardown.undo(attachment, Teardown.WhenStoreIsAway.FAIL, limit);
      log.info(
          "cni add that never finished is undone key={} generation={}",
          attachment.key(),
          attachment.generation());
    }
  }

  @FunctionalInterface
  private interface Work {
    void run(TimeLimit limit) throws CniException, IOException, InterruptedException;
  }

  private record Job(AttachmentKey key, Work work) {}

  /** What is in the way, if anything, and whether it is in the way of all. */
  private record Outcome(Optional<String> obstacle, boolean endsTurn) {}

  private Outcome attempt(Job job) {
    TimeLimit limit = TimeLimit.of(options.delTimeout());
    try {
      Optional<KeyedLock.Held> acquired = keys.acquire(job.key(), limit.remaining());
      if (acquired.isEmpty()) {
        return new Outcome(Optional.of("container " + job.key() + " is busy"), false);
      }
      try (KeyedLock.Held _ = acquired.get()) {
        job.work().run(limit);
      }
      return new Outcome(Optional.empty(), false);
    } catch (CniException e) {
      log.warn("cni del not settled yet key={} why={}", job.key(), e.details());
      boolean storeAway = e.code() == CniException.Code.TRY_AGAIN_LATER;
      return new Outcome(Optional.of(e.details()), storeAway);
    } catch (IOException | RuntimeException e) {
      log.error("cni del not settled key={}", job.key(), e);
      return new Outcome(Optional.of("container " + job.key() + ": " + e.getMessage()), false);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Outcome(Optional.of("the agent is stopping"), true);
    }
  }
}
