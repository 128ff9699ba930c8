package io.wayleave.datastore;

import io.wayleave.datastore.testing.ZooKeeperEnsemble;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** On three real servers, of which each client takes one. */
@Tag("real")
@Tag("full")
class ZooKeeperEnsembleContractTest extends ZooKeeperContract {
  private static ZooKeeperEnsemble ensemble;

  @BeforeAll
  static void startEnsemble() {
    ensemble = ZooKeeperEnsemble.start();
  }

  @AfterAll
  static void stopEnsemble() {
    ensemble.close();
  }

  @Override
  protected String server() {
    return ensemble.url();
  }
}
