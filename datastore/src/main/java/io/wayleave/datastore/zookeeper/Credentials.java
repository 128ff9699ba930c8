package io.wayleave.datastore.zookeeper;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.wayleave.datastore.DatastoreOptions;
import java.util.List;
import java.util.Optional;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;

/** Who this client is to ZooKeeper, and so who may use the nodes that it makes. */
record Credentials(String scheme, Optional<byte[]> secret) {

  /** ZooKeeper's digest of user and password, or nobody in particular. */
  static Credentials of(DatastoreOptions options) {
    return new Credentials(
        "digest",
        options
            .user()
            .map(user -> (user + ":" + options.password().orElseThrow()).getBytes(UTF_8)));
  }

  /** With credentials, nodes are the creator's alone. */
  List<ACL> acl() {
    return secret.isPresent() ? ZooDefs.Ids.CREATOR_ALL_ACL : ZooDefs.Ids.OPEN_ACL_UNSAFE;
  }

  void giveTo(ZooKeeper client) {
    secret.ifPresent(bytes -> client.addAuthInfo(scheme, bytes));
  }

  /** Without the secret. */
  @Override
  public String toString() {
    return "Credentials[" + scheme + "]";
  }
}
