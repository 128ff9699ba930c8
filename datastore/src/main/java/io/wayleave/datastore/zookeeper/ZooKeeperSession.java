package io.wayleave.datastore.zookeeper;

import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Session;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;

/**
 * A session of ZooKeeper's with a client of its own, since a session has one time to live and its
 * nodes go with it. ZooKeeper's client gives the life signs and goes on to another server when one
 * is lost.
 */
final class ZooKeeperSession implements Session, Watcher {
  private final ZooKeeperDatastore datastore;
  private final CompletableFuture<End> ended = new CompletableFuture<>();
  private final CountDownLatch connected = new CountDownLatch(1);
  private final ZooKeeper client;

  ZooKeeperSession(
      ZooKeeperConnection connection, ZooKeeperDatastore datastore, Duration timeToLive) {
    this.datastore = datastore;
    this.client = connection.open(timeToLive, this);
  }

  /** Waits until the server knows it. */
  void awaitConnected(Deadline deadline) {
    try {
      if (connected.await(deadline.remaining().toNanos(), TimeUnit.NANOSECONDS)) {
        return;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    close();
    throw new DatastoreUnavailableException(
        "session at " + datastore.description() + " failed: no connection within " + deadline,
        null);
  }

  ZooKeeper client() {
    return client;
  }

  @Override
  public String id() {
    return Long.toHexString(client.getSessionId());
  }

  @Override
  public CompletableFuture<End> ended() {
    return ended.copy();
  }

  /** ZooKeeper's event thread tells the state. */
  @Override
  public void process(WatchedEvent event) {
    switch (event.getState()) {
      case SyncConnected -> connected.countDown();
      case Expired, AuthFailed -> end(End.EXPIRED);
      default -> {} // it tries on by itself
    }
  }

  private void end(End why) {
    datastore.forget(this);
    ended.complete(why);
  }

  @Override
  public void close() {
    if (ended.isDone()) {
      return;
    }
    end(End.CLOSED);
    Farewell.say(
        () -> {
          try {
            client.close();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
  }
}
