package io.wayleave.datastore;

import io.wayleave.datastore.etcd.EtcdDatastore;
import io.wayleave.datastore.zookeeper.EmbeddedServer;
import io.wayleave.datastore.zookeeper.ZooKeeperDatastore;
import io.wayleave.model.InvalidInputException;
import java.nio.file.Path;
import java.util.Optional;

/** Opens the datastore that a URL names. */
public final class Datastores {
  private static final String EMBEDDED = "embedded:";

  private Datastores() {}

  /**
   * The directory of an {@code embedded:DIR} URL; empty for every other URL. The agent of the host
   * serves it; {@link #open} makes a client.
   *
   * @throws InvalidInputException when it names no absolute directory
   */
  public static Optional<Path> embeddedDirectory(String url) {
    if (!url.startsWith(EMBEDDED)) {
      return Optional.empty();
    }
    String directory = url.substring(EMBEDDED.length());
    if (!directory.startsWith("/") || directory.startsWith("//") || directory.indexOf('\0') >= 0) {
      throw new InvalidInputException(
          "datastore",
          url,
          "embedded: and an absolute directory, such as embedded:/var/lib/wayleave/datastore");
    }
    return Optional.of(Path.of(directory));
  }

  /**
   * Opens without connecting: a store that is away is found by the first call.
   *
   * @throws InvalidInputException that names the part of the URL or the option that is wrong
   */
  public static Datastore open(String url, DatastoreOptions options) {
    Optional<Path> embedded = embeddedDirectory(url);
    if (embedded.isPresent()) {
      if (options.hasTlsFiles()) {
        throw new InvalidInputException(
            "datastore", url, "etcds when a CA or a certificate is given");
      }
      return EmbeddedServer.connect(embedded.get(), options);
    }
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
