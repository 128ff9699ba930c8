package io.wayleave.datastore;

import io.wayleave.datastore.testing.ContainedServer;
import io.wayleave.datastore.testing.ContainerEngine;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;

/** In a container. */
@Tag("real")
@Tag("full")
class ZooKeeperContainerContractTest extends ZooKeeperContract {
  @RegisterExtension static final ContainerEngine.OfTheRun PODMAN = new ContainerEngine.OfTheRun();

  private static ContainedServer zooKeeper;

  @BeforeAll
  static void startZooKeeper() {
    startZooKeeper(PODMAN.engine());
  }

  static void startZooKeeper(ContainerEngine engine) {
    zooKeeper = ContainedServer.zooKeeper(engine);
  }

  @AfterAll
  static void stopZooKeeper() {
    if (zooKeeper != null) {
      zooKeeper.close();
    }
  }

  @Override
  protected String server() {
    return zooKeeper.url();
  }
}
