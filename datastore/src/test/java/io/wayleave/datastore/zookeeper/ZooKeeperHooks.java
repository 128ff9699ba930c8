package io.wayleave.datastore.zookeeper;

import io.wayleave.datastore.Datastore;

/** What tests in other packages need of the inside. */
public final class ZooKeeperHooks {
  private ZooKeeperHooks() {}

  /** Does to watches and listings what the loss of a connection does. */
  public static void forgetHistory(Datastore datastore) {
    ((ZooKeeperDatastore) datastore).forgetHistory();
  }
}
