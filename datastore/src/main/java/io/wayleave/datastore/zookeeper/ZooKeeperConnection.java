package io.wayleave.datastore.zookeeper;

import io.wayleave.datastore.DatastoreException;
import io.wayleave.datastore.DatastoreRefusedException;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.OutcomeUnknownException;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.apache.curator.utils.ZookeeperFactory;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.AsyncCallback;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.client.ZKClientConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connection to an ensemble. Curator keeps it: it makes a new client when a session has
 * expired. The calls go to ZooKeeper's client itself, so that a deadline is one, a call is repeated
 * only where that is safe, and each answer has its place in the {@link ChangeLog}. Thread safe.
 */
final class ZooKeeperConnection implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ZooKeeperConnection.class);

  /** A dead server is noticed after two thirds of it. ZooKeeper's default least is 4 s. */
  private static final Duration SESSION_TIMEOUT = Duration.ofSeconds(6);

  /** A part of a listing; servers limit requests, not answers. */
  private static final int MAX_ANSWER_BYTES = 256 << 20;

  private static final Duration FIRST_PAUSE = Duration.ofMillis(20);
  private static final Duration LONGEST_PAUSE = Duration.ofMillis(500);

  /** How often Curator is given the chance to mend a connection that does not come. */
  private static final Duration TEND = Duration.ofMillis(250);

  private final Ensemble ensemble;
  private final Credentials credentials;
  private final ChangeLog changes = new ChangeLog();
  private final Layout layout;
  private final CuratorFramework curator;
  private volatile Client current;
  private volatile boolean closed;

  /** One ZooKeeper client and the watcher of all its recursive watches. */
  record Client(ZooKeeper zooKeeper, Watcher watcher) {}

  /** An answer, and its place among the changes. */
  record Reply<T>(T value, ChangeLog.Position position) {}

  /** A piece of work with one client; it may be done again with another. */
  interface Work<T> {
    T run(Client client) throws KeeperException, TimeoutException;
  }

  ZooKeeperConnection(Ensemble ensemble, Credentials credentials, Layout layout) {
    this.ensemble = ensemble;
    this.credentials = credentials;
    this.layout = layout;
    this.curator =
        CuratorFrameworkFactory.builder()
            .connectString(ensemble.hosts())
            .sessionTimeoutMs((int) SESSION_TIMEOUT.toMillis())
            .connectionTimeoutMs((int) SESSION_TIMEOUT.toMillis())
            // Where the hosts are is the ensemble's to say.
            .ensembleTracker(false)
            .retryPolicy(new RetryOneTime(1))
            .zookeeperFactory(new Factory())
            .build();
    curator.start();
  }

  String description() {
    return ensemble.description();
  }

  ChangeLog changes() {
    return changes;
  }

  boolean isClosed() {
    return closed;
  }

  /** A client with a session of its own. */
  ZooKeeper open(Duration sessionTimeout, Watcher watcher) {
    try {
      ZooKeeper client =
          new ZooKeeper(
              ensemble.hosts(),
              (int) sessionTimeout.toMillis(),
              watcher,
              false,
              ensemble.addresses().get(),
              configuration());
      credentials.giveTo(client);
      return client;
    } catch (IOException e) {
      throw new DatastoreUnavailableException(
          "session at " + ensemble.description() + " failed: " + e, e);
    }
  }

  private static ZKClientConfig configuration() {
    ZKClientConfig config = new ZKClientConfig();
    // What was missed meanwhile is not told, so each epoch sets its watches anew.
    config.setProperty(ZKClientConfig.DISABLE_AUTO_WATCH_RESET, "true");
    config.setProperty("jute.maxbuffer", Integer.toString(MAX_ANSWER_BYTES));
    return config;
  }

  private final class Factory implements ZookeeperFactory {
    @Override
    public ZooKeeper newZooKeeper(
        String connectString, int timeout, Watcher curatorWatcher, boolean canBeReadOnly) {
      Watcher keys = new KeyWatcher();
      changes.opened(keys);
      ZooKeeper client =
          open(
              Duration.ofMillis(timeout),
              event -> {
                stateChanged(keys, event);
                curatorWatcher.process(event);
              });
      current = new Client(client, keys);
      return client;
    }

    @Override
    public ZooKeeper newZooKeeper(
        String connectString,
        int timeout,
        Watcher curatorWatcher,
        boolean canBeReadOnly,
        ZKClientConfig config) {
      return newZooKeeper(connectString, timeout, curatorWatcher, canBeReadOnly);
    }
  }

  private void stateChanged(Object handle, WatchedEvent event) {
    if (event.getType() != Watcher.Event.EventType.None) {
      return;
    }
    if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
      changes.connected(handle);
    } else {
      changes.disconnected(handle, "connection state " + event.getState());
    }
  }

  /** Notes changed keys. Called by ZooKeeper's event thread. */
  private final class KeyWatcher implements Watcher {
    @Override
    public void process(WatchedEvent event) {
      if (event.getType() != Event.EventType.None && event.getPath() != null) {
        layout.key(event.getPath()).ifPresent(key -> changes.append(this, key));
      }
    }
  }

  /** A connected client. */
  private Client connected(String what, Deadline deadline) {
    try {
      while (true) {
        if (closed) {
          throw new DatastoreUnavailableException(what + " on a closed datastore", null);
        }
        if (changes.awaitConnected(deadline.within(TEND))) {
          Client client = current;
          if (client != null) {
            return client;
          }
        }
        if (client() == ZooKeeper.States.AUTH_FAILED) {
          throw new DatastoreRefusedException(
              what + " at " + ensemble.description() + " refused: wrong user or password", null);
        }
        if (deadline.hasPassed()) {
          throw new DatastoreUnavailableException(
              what
                  + " at "
                  + ensemble.description()
                  + " failed: no connection within "
                  + deadline
                  + ", "
                  + changes.state().reason(),
              null);
        }
        tend();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DatastoreUnavailableException(what + " was interrupted", e);
    }
  }

  private ZooKeeper.States client() {
    Client client = current;
    return client == null ? ZooKeeper.States.NOT_CONNECTED : client.zooKeeper().getState();
  }

  private void tend() {
    try {
      // Curator makes a client anew, here, when it could not; it is in current then.
      if (curator.getZookeeperClient().getZooKeeper() == null) {
        log.debug("curator has no client");
      }
    } catch (Exception e) { // Curator's signature
      log.debug("curator's client is not connected: {}", e.toString());
    }
  }

  /** Does the work, again and again while the connection breaks. For what changes nothing more. */
  <T> T repeat(String what, Deadline deadline, Work<T> work) {
    Duration pause = FIRST_PAUSE;
    while (true) {
      try {
        return work.run(connected(what, deadline));
      } catch (KeeperException e) {
        if (!isPassing(e.code())
            || closed
            || Thread.currentThread().isInterrupted()
            || deadline.remaining().compareTo(pause) <= 0) {
          throw translate(what, e);
        }
        LockSupport.parkNanos(pause.toNanos());
        pause =
            pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0
                ? LONGEST_PAUSE
                : pause.multipliedBy(2);
      } catch (TimeoutException e) {
        throw new DatastoreUnavailableException(
            what + " at " + ensemble.description() + " failed: no answer within " + deadline, e);
      }
    }
  }

  /**
   * Sends a transaction once.
   *
   * @throws KeeperException when nothing was done because of the state of a node
   */
  Reply<List<OpResult>> write(String what, ZooKeeper client, List<Op> ops, Deadline deadline)
      throws KeeperException {
    try {
      return await(multi(client, ops), deadline);
    } catch (KeeperException e) {
      if (isPassing(e.code())) {
        throw new OutcomeUnknownException(
            what + " at " + ensemble.description() + ": outcome unknown, " + e.getMessage(), e);
      }
      throw e;
    } catch (TimeoutException e) {
      throw new OutcomeUnknownException(
          what
              + " at "
              + ensemble.description()
              + ": outcome unknown, no answer within "
              + deadline,
          e);
    }
  }

  /** A connected client for a {@link #write}. */
  ZooKeeper writer(String what, Deadline deadline) {
    return connected(what, deadline).zooKeeper();
  }

  <T> T await(CompletableFuture<T> answer, Deadline deadline)
      throws KeeperException, TimeoutException {
    try {
      return answer.get(deadline.remaining().toNanos(), TimeUnit.NANOSECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof KeeperException failure) {
        throw KeeperException.create(failure.code(), failure.getPath());
      }
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      TimeoutException timeout = new TimeoutException("interrupted");
      timeout.initCause(e);
      throw timeout;
    }
  }

  // Each of the following sends a request and returns at once. The answers come from ZooKeeper's
  // event thread, on which nobody may wait for another.

  /** After its answer, this client's server has what was committed before the call. */
  CompletableFuture<Reply<Void>> sync(Client client) {
    CompletableFuture<Reply<Void>> answer = new CompletableFuture<>();
    client.zooKeeper().sync(layout.root(), (rc, path, _) -> complete(answer, rc, path, null), null);
    return answer;
  }

  /** Its answer stands behind every change that the server has told. */
  CompletableFuture<Reply<Void>> barrier(Client client) {
    CompletableFuture<Reply<Void>> answer = new CompletableFuture<>();
    client
        .zooKeeper()
        .exists(
            layout.root(),
            false,
            (AsyncCallback.StatCallback)
                (rc, path, _, _) ->
                    complete(answer, rc == Code.NONODE.intValue() ? 0 : rc, path, null),
            null);
    return answer;
  }

  /** Several nodes at one moment; a node that is not there is an {@link OpResult.ErrorResult}. */
  CompletableFuture<Reply<List<OpResult>>> read(Client client, List<Op> ops) {
    CompletableFuture<Reply<List<OpResult>>> answer = new CompletableFuture<>();
    client
        .zooKeeper()
        .multi(
            ops,
            (rc, path, _, results) ->
                complete(answer, results == null || results.isEmpty() ? rc : 0, path, results),
            null);
    return answer;
  }

  private CompletableFuture<Reply<List<OpResult>>> multi(ZooKeeper client, List<Op> ops) {
    CompletableFuture<Reply<List<OpResult>>> answer = new CompletableFuture<>();
    client.multi(ops, (rc, path, _, results) -> complete(answer, rc, path, results), null);
    return answer;
  }

  /** Names of a node's children; none when there is no such node. */
  CompletableFuture<Reply<List<String>>> children(Client client, String path) {
    CompletableFuture<Reply<List<String>>> answer = new CompletableFuture<>();
    client
        .zooKeeper()
        .getChildren(
            path,
            false,
            (AsyncCallback.ChildrenCallback)
                (rc, where, _, children) -> {
                  boolean none = rc == Code.NONODE.intValue();
                  complete(answer, none ? 0 : rc, where, none ? List.of() : children);
                },
            null);
    return answer;
  }

  CompletableFuture<Reply<Void>> watch(Client client, String path) {
    CompletableFuture<Reply<Void>> answer = new CompletableFuture<>();
    client
        .zooKeeper()
        .addWatch(
            path,
            client.watcher(),
            AddWatchMode.PERSISTENT_RECURSIVE,
            (rc, where, _) -> complete(answer, rc, where, null),
            null);
    return answer;
  }

  /** Makes a node; that it is there already, or its parent is not, is no failure. */
  CompletableFuture<Reply<Void>> create(Client client, String path, byte[] data, CreateMode mode) {
    CompletableFuture<Reply<Void>> answer = new CompletableFuture<>();
    client
        .zooKeeper()
        .create(
            path,
            data,
            credentials.acl(),
            mode,
            (AsyncCallback.StringCallback)
                (rc, where, _, _) -> {
                  boolean fine = rc == Code.NODEEXISTS.intValue() || rc == Code.NONODE.intValue();
                  complete(answer, fine ? 0 : rc, where, null);
                },
            null);
    return answer;
  }

  /** Writes to a node that nobody has written to since it was made; to another, nothing. */
  CompletableFuture<Reply<Void>> fill(Client client, String path, byte[] data) {
    CompletableFuture<Reply<Void>> answer = new CompletableFuture<>();
    client
        .zooKeeper()
        .setData(
            path,
            data,
            0,
            (rc, where, _, _) ->
                complete(answer, rc == Code.BADVERSION.intValue() ? 0 : rc, where, null),
            null);
    return answer;
  }

  private <T> void complete(CompletableFuture<Reply<T>> answer, int rc, String path, T value) {
    if (rc == Code.OK.intValue()) {
      answer.complete(new Reply<>(value, changes.state().end()));
    } else {
      answer.completeExceptionally(KeeperException.create(Code.get(rc), path));
    }
  }

  static boolean isPassing(Code code) {
    return code == Code.CONNECTIONLOSS
        || code == Code.OPERATIONTIMEOUT
        || code == Code.SESSIONEXPIRED
        || code == Code.SESSIONMOVED
        || code == Code.REQUESTTIMEOUT;
  }

  /** Whether the state of a node was not as expected, and so nothing was done. */
  static boolean isConflict(Code code) {
    return code == Code.NONODE || code == Code.NODEEXISTS || code == Code.BADVERSION;
  }

  DatastoreException translate(String what, KeeperException e) {
    String where = what + " at " + ensemble.description();
    if (isPassing(e.code())) {
      return new DatastoreUnavailableException(where + " failed: " + e.getMessage(), e);
    }
    if (e.code() == Code.UNIMPLEMENTED) {
      return new DatastoreRefusedException(
          where + " refused: the server is too old; allowed: ZooKeeper 3.6 or newer", e);
    }
    if (e.code() == Code.NOAUTH || e.code() == Code.AUTHFAILED) {
      return new DatastoreRefusedException(
          where + " refused: no permission for " + e.getPath() + ", or wrong user or password", e);
    }
    return new DatastoreRefusedException(where + " refused: " + e.getMessage(), e);
  }

  @Override
  public void close() {
    closed = true;
    changes.wake();
    Farewell.say(curator::close);
  }
}
