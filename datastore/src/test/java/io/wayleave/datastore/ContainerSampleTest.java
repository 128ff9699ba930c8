package io.wayleave.datastore;

import io.wayleave.datastore.testing.ContainerEngine;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Some points of the contract on stores in containers; all of them run in the full tests. */
@Tag("real")
@Timeout(120)
class ContainerSampleTest {
  @RegisterExtension static final ContainerEngine.OfTheRun PODMAN = new ContainerEngine.OfTheRun();

  private interface Point {
    void check(DatastoreContractTest contract) throws Exception;
  }

  @Test
  void onEtcd() throws Exception {
    EtcdContainerContractTest.startEtcd(PODMAN.engine());
    try {
      check(new EtcdContainerContractTest());
    } finally {
      EtcdContainerContractTest.stopEtcd();
    }
  }

  @Test
  void onZooKeeper() throws Exception {
    ZooKeeperContainerContractTest.startZooKeeper(PODMAN.engine());
    try {
      check(new ZooKeeperContainerContractTest());
    } finally {
      ZooKeeperContainerContractTest.stopZooKeeper();
    }
  }

  private static void check(DatastoreContractTest contract) throws Exception {
    check(contract, DatastoreContractTest::aTransactionWhoseConditionFailsChangesNothing);
    check(contract, DatastoreContractTest::theVersionOfADeletedKeyIsNotValidForItsSuccessor);
    check(
        contract,
        DatastoreContractTest::aListingHasEveryKeyInOrderAndTheWatchAfterItWhatItDoesNotShow);
    check(contract, DatastoreContractTest::aWatchOfHistoryThatIsGoneTellsToResync);
    check(contract, DatastoreContractTest::aBoundKeyGoesWithItsSession);
  }

  private static void check(DatastoreContractTest contract, Point point) throws Exception {
    contract.openStore();
    try {
      point.check(contract);
    } finally {
      contract.closeStore();
    }
  }
}
