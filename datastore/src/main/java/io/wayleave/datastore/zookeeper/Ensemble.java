package io.wayleave.datastore.zookeeper;

import io.wayleave.datastore.DatastoreUrl;
import java.util.function.Supplier;
import org.apache.zookeeper.client.ConnectStringParser;
import org.apache.zookeeper.client.HostProvider;
import org.apache.zookeeper.client.StaticHostProvider;

/**
 * The servers of one store.
 *
 * @param description of the store in logs and error messages, without credentials
 * @param hosts as ZooKeeper's connect strings name servers
 * @param addresses makes what a client asks before each try where to connect to; each client has
 *     one of its own
 */
record Ensemble(String description, String hosts, Supplier<HostProvider> addresses) {

  /** Those that a URL names. */
  static Ensemble of(DatastoreUrl url) {
    String hosts = String.join(",", url.endpoints().stream().map(Object::toString).toList());
    return new Ensemble(
        url.toString(),
        hosts,
        () -> new StaticHostProvider(new ConnectStringParser(hosts).getServerAddresses()));
  }
}
