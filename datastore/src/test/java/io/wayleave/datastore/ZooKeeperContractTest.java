package io.wayleave.datastore;

import io.wayleave.datastore.testing.ZooKeeperProcess;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** On one real server. */
@Tag("real")
class ZooKeeperContractTest extends ZooKeeperContract {
  private static ZooKeeperProcess zooKeeper;

  @BeforeAll
  static void startZooKeeper() {
    zooKeeper = ZooKeeperProcess.start();
  }

  @AfterAll
  static void stopZooKeeper() {
    zooKeeper.close();
  }

  @Override
  protected String server() {
    return zooKeeper.url();
  }
}
