package io.wayleave.cni;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Mutual exclusion per key, first come first served. Keeps nothing for a key that nobody holds or
 * waits for. Safe from any thread; the thread that acquires must release.
 */
final class KeyedLock<K> {
  private final Map<K, Lock> locks = new HashMap<>();

  /** Held until {@link #close}. */
  interface Held extends AutoCloseable {
    @Override
    void close();
  }

  private static final class Lock {
    private final ReentrantLock lock = new ReentrantLock(true);
    private int users;
  }

  /** Empty when the key is not free within the timeout. */
  Optional<Held> acquire(K key, Duration timeout) throws InterruptedException {
    Lock lock;
    synchronized (locks) {
      lock = locks.computeIfAbsent(key, k -> new Lock());
      lock.users++;
    }
    boolean acquired = false;
    try {
      acquired = lock.lock.tryLock(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } finally {
      if (!acquired) {
        leave(key, lock);
      }
    }
    return acquired ? Optional.of(() -> release(key, lock)) : Optional.empty();
  }

  private void release(K key, Lock lock) {
    lock.lock.unlock();
    leave(key, lock);
  }

  private void leave(K key, Lock lock) {
    synchronized (locks) {
      if (--lock.users == 0) {
        locks.remove(key);
      }
    }
  }
}
