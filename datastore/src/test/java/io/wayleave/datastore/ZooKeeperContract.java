package io.wayleave.datastore;

import io.wayleave.datastore.testing.MortalOwner;
import io.wayleave.datastore.zookeeper.ZooKeeperHooks;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;

/** The contract on a ZooKeeper. Each test has a prefix, and so a store, of its own. */
abstract class ZooKeeperContract extends DatastoreContractTest {
  private static final AtomicInteger PREFIX = new AtomicInteger();

  private final List<MortalOwner> owners = new ArrayList<>();
  private String url;

  /** Without a prefix. */
  protected abstract String server();

  @AfterEach
  void endOwners() {
    owners.forEach(MortalOwner::close);
  }

  @Override
  protected Datastore open() {
    url = server() + "/t" + PREFIX.incrementAndGet();
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
