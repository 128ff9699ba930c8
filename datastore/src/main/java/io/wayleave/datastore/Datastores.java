package io.wayleave.datastore;

import io.wayleave.datastore.etcd.EtcdDatastore;
import io.wayleave.datastore.zookeeper.ZooKeeperDatastore;
import io.wayleave.model.InvalidInputException;

/** Opens the datastore that a URL names. */
public final class Datastores {
  private Datastores() {}

  /**
   * Opens without connecting: a store that is away is found by the first call.
   *
   * @throws InvalidInputException that names the part of the URL or the option that is wrong
   */
  public static Datastore open(String url, DatastoreOptions options) {
    DatastoreUrl parsed = DatastoreUrl.parse(url);
    if (!parsed.tls() && options.hasTlsFiles()) {
      // Whoever names certificates believes that the connection is encrypted.
      throw new InvalidInputException(
          "datastore.scheme",
          parsed.scheme().toString(),
          "etcds when a CA or a certificate is given");
    }
    // The classes of a store that is not used are not loaded: programs start in a fraction of a
    // second.
    return switch (parsed.scheme()) {
      case ETCD, ETCDS -> EtcdDatastore.open(parsed, options);
      case ZOOKEEPER -> ZooKeeperDatastore.open(parsed, options);
    };
  }
}
