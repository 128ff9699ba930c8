package io.wayleave.datastore.etcd;

import io.etcd.jetcd.api.LeaseGrpc;
import io.etcd.jetcd.api.LeaseKeepAliveRequest;
import io.etcd.jetcd.api.LeaseKeepAliveResponse;
import io.etcd.jetcd.api.LeaseRevokeRequest;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.wayleave.datastore.DatastoreException;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Session;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An etcd lease. A daemon thread of its own, {@code etcd-session-ID}, renews it three times per
 * time to live, each time by one exchange with a deadline, so that a stream that hangs costs one
 * renewal and not the session. Only the store's word ends it: without a connection it may well be
 * alive, since etcd prolongs all leases when it elects a leader.
 */
final class EtcdSession implements Session {
  private static final Logger log = LoggerFactory.getLogger(EtcdSession.class);

  private final EtcdConnection connection;
  private final Supplier<ClientCall<LeaseKeepAliveRequest, LeaseKeepAliveResponse>> exchange;
  private final EtcdDatastore datastore;
  private final long lease;
  private final Duration timeToLive;
  private final CompletableFuture<End> ended = new CompletableFuture<>();
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread thread;

  EtcdSession(EtcdConnection connection, EtcdDatastore datastore, long lease, Duration timeToLive) {
    this(
        connection,
        () -> connection.open(LeaseGrpc.getLeaseKeepAliveMethod()),
        datastore,
        lease,
        timeToLive);
  }

  /**
   * @param exchange opens the stream of one renewal
   */
  EtcdSession(
      EtcdConnection connection,
      Supplier<ClientCall<LeaseKeepAliveRequest, LeaseKeepAliveResponse>> exchange,
      EtcdDatastore datastore,
      long lease,
      Duration timeToLive) {
    this.connection = connection;
    this.exchange = exchange;
    this.datastore = datastore;
    this.lease = lease;
    this.timeToLive = timeToLive;
    this.thread = Thread.ofPlatform().daemon().name("etcd-session-" + id()).unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  long lease() {
    return lease;
  }

  @Override
  public String id() {
    return Long.toHexString(lease);
  }

  @Override
  public CompletableFuture<End> ended() {
    return ended.copy();
  }

  private void run() {
    Duration interval = timeToLive.dividedBy(3);
    Duration retry = interval.dividedBy(4);
    Duration wait = interval;
    try {
      while (!closing.await(wait.toNanos(), TimeUnit.NANOSECONDS)) {
        wait = tryToRenew(Deadline.after(interval)) ? interval : retry;
        if (ended.isDone()) {
          return;
        }
      }
    } catch (InterruptedException e) {
      log.warn("session no longer renewed, its thread was interrupted id={}", id());
    } finally {
      if (closing.getCount() > 0) {
        // Nobody renews it any more, so the store will end it: the owner must not go on waiting.
        end(End.EXPIRED);
      }
    }
  }

  /** A defect in here costs one renewal, like an answer that is lost. */
  private boolean tryToRenew(Deadline deadline) throws InterruptedException {
    try {
      return renew(deadline);
    } catch (RuntimeException e) {
      log.error("session not renewed id={}", id(), e);
      return false;
    }
  }

  /** One exchange. False: it has to be tried again soon. */
  private boolean renew(Deadline deadline) throws InterruptedException {
    CompletableFuture<LeaseKeepAliveResponse> answer = new CompletableFuture<>();
    ClientCall<LeaseKeepAliveRequest, LeaseKeepAliveResponse> call = exchange.get();
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onMessage(LeaseKeepAliveResponse message) {
            answer.complete(message);
          }

          @Override
          public void onClose(Status status, Metadata trailers) {
            answer.completeExceptionally(status.asRuntimeException());
          }
        },
        new Metadata());
    try {
      call.request(1);
      call.sendMessage(LeaseKeepAliveRequest.newBuilder().setID(lease).build());
      LeaseKeepAliveResponse renewed =
          answer.get(deadline.remaining().toNanos(), TimeUnit.NANOSECONDS);
      if (renewed.getTTL() <= 0) {
        end(End.EXPIRED);
      }
      return true;
    } catch (ExecutionException e) {
      Status status = Status.fromThrowable(e.getCause());
      log.warn("session not renewed id={}: {}", id(), EtcdConnection.reason(status));
      connection.hurry();
      if (EtcdConnection.isTokenRefused(status)) {
        authenticate(deadline);
      }
      return false;
    } catch (TimeoutException e) {
      log.warn("session not renewed id={}: no answer within {}", id(), deadline);
      return false;
    } finally {
      call.cancel("one exchange is enough", null);
    }
  }

  private void authenticate(Deadline deadline) {
    try {
      connection.authenticate(deadline);
    } catch (DatastoreException e) {
      log.warn("session not renewed id={}: {}", id(), e.getMessage());
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
    closing.countDown();
    try {
      connection.call(
          "end of session " + id(),
          LeaseGrpc.getLeaseRevokeMethod(),
          LeaseRevokeRequest.newBuilder().setID(lease).build(),
          EtcdConnection.Repetition.SAFE,
          Deadline.after(datastore.requestTimeout()).within(Duration.ofSeconds(1)));
    } catch (DatastoreException e) {
      log.info(
          "session left to expire id={} ttl={}s: {}", id(), timeToLive.toSeconds(), e.getMessage());
    } finally {
      end(End.CLOSED);
    }
  }
}
