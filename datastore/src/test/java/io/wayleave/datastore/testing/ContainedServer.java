package io.wayleave.datastore.testing;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreException;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.Datastores;
import io.wayleave.datastore.Deadline;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.testcontainers.containers.BindMode;
import org.testcontainers.containers.GenericContainer;

/**
 * A real etcd or ZooKeeper in a container, on a free loopback port. {@link #close} removes it.
 *
 * @param url of a datastore with the default prefix
 */
public record ContainedServer(GenericContainer<?> container, int port, String url)
    implements AutoCloseable {
  private static final Duration START = Duration.ofSeconds(30);

  /** What of the tests' class path a ZooKeeper server needs. */
  private static final List<String> ZOOKEEPER_JARS =
      List.of("zookeeper", "slf4j", "metrics-core", "snappy-java");

  /** Starts an etcd of one member and waits until it answers. */
  public static ContainedServer etcd(ContainerEngine engine) {
    int port = EtcdServer.freePort();
    String client = "http://127.0.0.1:" + port;
    String peer = "http://127.0.0.1:" + EtcdServer.freePort();
    return start(
        engine.container(
            "/usr/bin/etcd",
            "--data-dir=/tmp/data",
            "--listen-client-urls=" + client,
            "--advertise-client-urls=" + client,
            "--listen-peer-urls=" + peer,
            "--initial-advertise-peer-urls=" + peer,
            "--initial-cluster=default=" + peer),
        port,
        "etcd");
  }

  /** Starts a ZooKeeper server and waits until it answers. */
  public static ContainedServer zooKeeper(ContainerEngine engine) {
    int port = EtcdServer.freePort();
    try {
      Path files = engine.newDirectory("zookeeper");
      for (String element : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
        Path jar = Path.of(element);
        if (element.endsWith(".jar")
            && ZOOKEEPER_JARS.stream().anyMatch(jar.getFileName().toString()::startsWith)) {
          Files.copy(jar, files.resolve(jar.getFileName()));
        }
      }
      Files.writeString(
          files.resolve("zoo.cfg"),
          """
          dataDir=/tmp/data
          clientPortAddress=127.0.0.1
          clientPort=%d
          tickTime=500
          admin.enableServer=false
          """
              .formatted(port));
      return start(
          engine
              .container(
                  System.getProperty("java.home") + "/bin/java",
                  "-XX:+UseSerialGC",
                  "-XX:TieredStopAtLevel=1",
                  "-Xmx256m",
                  "-cp",
                  "/zookeeper/*",
                  "org.apache.zookeeper.server.ZooKeeperServerMain",
                  "/zookeeper/zoo.cfg")
              .withFileSystemBind(files.toString(), "/zookeeper", BindMode.READ_ONLY),
          port,
          "zookeeper");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ContainedServer start(GenericContainer<?> container, int port, String scheme) {
    container.start();
    ContainedServer server = new ContainedServer(container, port, scheme + "://127.0.0.1:" + port);
    try (Datastore datastore = Datastores.open(server.url, DatastoreOptions.DEFAULTS)) {
      Await.until(
          server.url + " answers",
          START,
          () -> {
            if (!container.isRunning()) {
              throw new AssertionError("the container ended: " + container.getLogs());
            }
            try {
              return datastore.get("wlt-start", Deadline.after(Duration.ofSeconds(1))).isEmpty();
            } catch (DatastoreException _) {
              return false;
            }
          });
      return server;
    } catch (RuntimeException | Error e) {
      server.close();
      throw e;
    }
  }

  @Override
  public void close() {
    container.stop();
  }
}
