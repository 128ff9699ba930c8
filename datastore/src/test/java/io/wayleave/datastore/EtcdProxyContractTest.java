package io.wayleave.datastore;

import io.wayleave.datastore.testing.EtcdProxy;
import io.wayleave.datastore.testing.EtcdServer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** Through etcd's own proxy, as the documents advise for thousands of agents. */
@Tag("real")
@Tag("full")
class EtcdProxyContractTest extends EtcdContract {
  private static EtcdServer etcd;
  private static EtcdProxy proxy;

  @BeforeAll
  static void startEtcd() {
    etcd = EtcdServer.start();
    proxy = EtcdProxy.start(etcd);
  }

  @AfterAll
  static void stopEtcd() {
    proxy.close();
    etcd.close();
  }

  @Override
  protected String server() {
    return proxy.url();
  }

  @Override
  protected void compact(String revision) {
    etcd.control("compact", revision);
  }
}
