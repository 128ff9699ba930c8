package io.wayleave.cni;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Settles what was left: at the start everything that is spooled and every ADD that never finished,
 * and until that was tried with the datastore there no ADD is let in; from then on what is spooled
 * later, at intervals. What cannot be settled for a reason of its own stays on the disk, is
 * reported once and tried again at each interval; it keeps out ADDs of its own key only, which meet
 * it there. Runs on a platform thread of its own; {@link #awaitFirst} may be called from any.
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

  // Owned by the thread.
  private final Set<AttachmentKey> reported = new HashSet<>();
  private final Set<Attachment> unfinished = new HashSet<>();

  /** When each late entry was first seen: after a restart its time begins anew. */
  private final Map<Path, Long> lateSince = new HashMap<>();

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
   * @return what is in the way of all; empty when each was tried
   */
  private Optional<String> settleAll(boolean withUnfinished) throws IOException {
    if (withUnfinished) {
      unfinished.clear();
      records.all().stream().filter(each -> !each.isFinished()).forEach(unfinished::add);
    }
    for (Job job : jobs()) {
      Optional<String> obstacle = attempt(job);
      if (obstacle.isPresent()) {
        return obstacle;
      }
    }
    return Optional.empty();
  }

  private List<Job> jobs() throws IOException {
    List<Job> jobs = new ArrayList<>();
    for (DelSpool.Entry entry : spool.entries()) {
      jobs.add(new Job(entry.key(), limit -> settle(entry, limit)));
    }
    for (Attachment attachment : unfinished) {
      jobs.add(new Job(attachment.key(), limit -> sweep(attachment, limit)));
    }
    return jobs;
  }

  private void settle(DelSpool.Entry entry, TimeLimit limit)
      throws CniException, IOException, InterruptedException {
    boolean last = !mayBeDoneLater(entry);
    teardown.del(entry.key(), entry.generation(), Teardown.WhenStoreIsAway.FAIL, limit);
    if (!last) {
      return;
    }
    spool.remove(entry);
    lateSince.remove(entry.file());
    log.info(
        "cni del settled key={} generation={}", entry.key(), entry.generation().orElse("none"));
  }

  /** Whether what this entry undoes may be done once more after it was undone. */
  private boolean mayBeDoneLater(DelSpool.Entry entry) {
    if (!entry.late()) {
      return false;
    }
    long now = System.nanoTime();
    long since = lateSince.computeIfAbsent(entry.file(), _ -> now);
    return now - since < options.lateWriteTime().toNanos();
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
    unfinished.remove(attachment);
  }

  @FunctionalInterface
  private interface Work {
    void run(TimeLimit limit) throws CniException, IOException, InterruptedException;
  }

  private record Job(AttachmentKey key, Work work) {}

  /** Returns what is in the way of this and of all others, if something is. */
  private Optional<String> attempt(Job job) {
    TimeLimit limit = TimeLimit.of(options.delTimeout());
    try {
      Optional<KeyedLock.Held> acquired = keys.acquire(job.key(), limit.remaining());
      if (acquired.isEmpty()) {
        log.info("cni del not settled yet, its container is busy key={}", job.key());
        return Optional.empty();
      }
      try (KeyedLock.Held _ = acquired.get()) {
        job.work().run(limit);
      }
      reported.remove(job.key());
      return Optional.empty();
    } catch (CniException e) {
      if (e.code() == CniException.Code.TRY_AGAIN_LATER) {
        log.warn("cni del not settled yet key={} why={}", job.key(), e.details());
        return Optional.of(e.details());
      }
      setAside(job.key(), e);
      return Optional.empty();
    } catch (IOException | RuntimeException e) {
      setAside(job.key(), e);
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return Optional.of("the agent is stopping");
    }
  }

  /** It stays where it is, and is tried again quietly: something else has to change first. */
  private void setAside(AttachmentKey key, Exception why) {
    if (reported.add(key)) {
      log.error("cni del cannot be settled, ADDs of its container are refused key={}", key, why);
    }
  }
}
