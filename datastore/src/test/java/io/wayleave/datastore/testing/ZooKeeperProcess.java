package io.wayleave.datastore.testing;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreException;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.Datastores;
import io.wayleave.datastore.Deadline;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A real ZooKeeper server in a process of its own, on a free loopback port and a data directory of
 * its own. {@link #close} ends the process and removes the directory. NOT thread safe.
 */
public final class ZooKeeperProcess implements AutoCloseable {
  private static final Duration START = Duration.ofSeconds(15);

  private final Path directory;
  private final int port;
  private Process process;

  private ZooKeeperProcess(Path directory, int port) {
    this.directory = directory;
    this.port = port;
  }

  /** Starts one and waits until it answers. */
  public static ZooKeeperProcess start() {
    AssertionError failure = null;
    // Between finding a free port and listening on it, another process can take it.
    for (int attempt = 0; attempt < 3; attempt++) {
      ZooKeeperProcess server = create();
      try {
        server.restart();
        return server;
      } catch (AssertionError e) {
        failure = e;
        server.close();
      }
    }
    throw failure;
  }

  private static ZooKeeperProcess create() {
    try {
      Path directory =
          Files.createTempDirectory("wlt-zookeeper-" + ProcessHandle.current().pid() + "-");
      int port = EtcdServer.freePort();
      Files.writeString(
          directory.resolve("zoo.cfg"),
          """
          dataDir=%s
          clientPortAddress=127.0.0.1
          clientPort=%d
          tickTime=500
          admin.enableServer=false
          """
              .formatted(directory.resolve("data"), port));
      return new ZooKeeperProcess(directory, port);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Starts it on its data and waits until it answers. */
  public void restart() {
    try {
      process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-XX:+UseSerialGC",
                  "-XX:TieredStopAtLevel=1",
                  "-Xmx256m",
                  "-cp",
                  System.getProperty("java.class.path"),
                  "org.apache.zookeeper.server.ZooKeeperServerMain",
                  directory.resolve("zoo.cfg").toString())
              .redirectErrorStream(true)
              .redirectOutput(
                  ProcessBuilder.Redirect.appendTo(directory.resolve("output").toFile()))
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    try (Datastore datastore = Datastores.open(url(), DatastoreOptions.DEFAULTS)) {
      Await.until(
          "ZooKeeper answers",
          START,
          () -> {
            if (!process.isAlive()) {
              throw new AssertionError("ZooKeeper ended: " + log());
            }
            try {
              return datastore.get("wlt-start", Deadline.after(Duration.ofSeconds(1))).isEmpty();
            } catch (DatastoreException _) {
              return false;
            }
          });
    }
  }

  private String log() {
    try {
      return Files.readString(directory.resolve("output"), StandardCharsets.UTF_8);
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** Of a datastore with the default prefix. */
  public String url() {
    return "zookeeper://" + hosts();
  }

  /** What ZooKeeper's own client connects to. */
  public String hosts() {
    return "127.0.0.1:" + port;
  }

  /** Ends the process at once, as a crash does; the data stays. */
  public void kill() {
    process.destroyForcibly();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        throw new AssertionError("ZooKeeper with pid " + process.pid() + " does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  /** Stops and continues the process: connections stay and nothing is answered. */
  public void freeze(boolean frozen) {
    Commands.run(
        directory, List.of("kill", frozen ? "-STOP" : "-CONT", Long.toString(process.pid())));
  }

  @Override
  public void close() {
    kill();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
