package io.wayleave.datastore;

import io.wayleave.datastore.testing.EtcdServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** On one real member. */
@Tag("real")
class EtcdContractTest extends EtcdContract {
  private static EtcdServer etcd;

  @BeforeAll
  static void startEtcd() {
    etcd = EtcdServer.start();
  }

  @AfterAll
  static void stopEtcd() {
    etcd.close();
  }

  @Override
  protected String server() {
    return etcd.url();
  }

  @Override
  protected void compact(String revision) {
    etcd.control("compact", revision);
  }
}
