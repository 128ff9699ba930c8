package io.wayleave.datastore;

import io.wayleave.datastore.testing.MortalOwner;
import io.wayleave.datastore.testing.ZooKeeperProcess;
import io.wayleave.datastore.zookeeper.ZooKeeperHooks;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;

/** The contract on a real ZooKeeper. Each test has a prefix, and so a store, of its own. */
@Tag("real")
class ZooKeeperContractTest extends DatastoreContractTest {
  private static final AtomicInteger PREFIX = new AtomicInteger();
  private static ZooKeeperProcess zooKeeper;

  private final List<MortalOwner> owners = new ArrayList<>();
  private String url;

  @BeforeAll
  static void startZooKeeper() {
    zooKeeper = ZooKeeperProcess.start();
  }

  @AfterAll
  static void stopZooKeeper() {
    zooKeeper.close();
  }

  @AfterEach
  void endOwners() {
    owners.forEach(MortalOwner::close);
  }

  @Override
  protected Datastore open() {
    url = zooKeeper.url() + "/t" + PREFIX.incrementAndGet();
    return another();
  }

  @Override
  protected Datastore another() {
    return Datastores.open(url, DatastoreOptions.DEFAULTS);
  }

  @Override
  protected void compact() {
    ZooKeeperHooks.forgetHistory(datastore);
  }

  @Override
  protected Runnable mortalOwnerOf(String key) {
    MortalOwner owner = MortalOwner.start(url, key, 1);
    owners.add(owner);
    return owner::close;
  }
}
