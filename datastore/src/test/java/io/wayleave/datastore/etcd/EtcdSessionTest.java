package io.wayleave.datastore.etcd;

import static org.assertj.core.api.Assertions.assertThat;

import io.etcd.jetcd.api.LeaseKeepAliveRequest;
import io.etcd.jetcd.api.LeaseKeepAliveResponse;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.DatastoreUrl;
import io.wayleave.datastore.Session;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Renewals whose answers a test gives. */
@Timeout(60)
class EtcdSessionTest {
  private static final long LEASE = 0x77;

  private final FakeEtcd etcd = new FakeEtcd();
  private final EtcdDatastore datastore =
      EtcdDatastore.open(DatastoreUrl.parse(etcd.url()), DatastoreOptions.DEFAULTS);
  private final EtcdConnection connection =
      new EtcdConnection(DatastoreUrl.parse(etcd.url()), DatastoreOptions.DEFAULTS);

  @AfterEach
  void close() {
    connection.close();
    datastore.close();
    etcd.close();
  }

  @Test
  void aDefectInARenewalCostsThatRenewalOnly() throws Exception {
    AtomicInteger renewals = new AtomicInteger();
    EtcdSession session =
        new EtcdSession(
            connection,
            () -> {
              if (renewals.incrementAndGet() < 3) {
                throw new IllegalStateException("injected");
              }
              return new Expired();
            },
            datastore,
            LEASE,
            Duration.ofMillis(300));
    session.start();

    assertThat(session.ended().get(20, TimeUnit.SECONDS)).isEqualTo(Session.End.EXPIRED);
    assertThat(renewals).hasValue(3);
  }

  @Test
  void aSessionWhoseThreadEndsHasEnded() throws Exception {
    CountDownLatch renewing = new CountDownLatch(1);
    EtcdSession session =
        new EtcdSession(
            connection,
            () -> {
              renewing.countDown();
              Thread.currentThread().interrupt();
              throw new IllegalStateException("injected");
            },
            datastore,
            LEASE,
            Duration.ofMillis(30));
    session.start();

    assertThat(renewing.await(20, TimeUnit.SECONDS)).isTrue();
    assertThat(session.ended().get(20, TimeUnit.SECONDS)).isEqualTo(Session.End.EXPIRED);
  }

  /** An exchange in which the store says that it no longer has the lease. */
  private static final class Expired
      extends ClientCall<LeaseKeepAliveRequest, LeaseKeepAliveResponse> {
    @Override
    public void start(Listener<LeaseKeepAliveResponse> listener, Metadata headers) {
      listener.onMessage(LeaseKeepAliveResponse.newBuilder().setID(LEASE).setTTL(0).build());
    }

    @Override
    public void request(int messages) {}

    @Override
    public void cancel(String message, Throwable cause) {}

    @Override
    public void halfClose() {}

    @Override
    public void sendMessage(LeaseKeepAliveRequest message) {}
  }
}
