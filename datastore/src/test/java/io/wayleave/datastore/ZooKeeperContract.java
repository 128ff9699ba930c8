package io.wayleave.datastore;

import io.wayleave.datastore.zookeeper.ZooKeeperHooks;

/** The contract on a ZooKeeper. */
abstract class ZooKeeperContract extends ServerContract {
  @Override
  protected void compact() {
    ZooKeeperHooks.forgetHistory(datastore);
  }
}
