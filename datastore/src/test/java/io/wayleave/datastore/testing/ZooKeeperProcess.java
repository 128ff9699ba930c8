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
  private final String mainClass;
  private Process process;

  private ZooKeeperProcess(Path directory, int port, String mainClass) {
    this.directory = directory;
    this.port = port;
    this.mainClass = mainClass;
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
    return create(EtcdServer.freePort(), "", "org.apache.zookeeper.server.ZooKeeperServerMain");
  }

  /** A member of an ensemble, not started yet. */
  static ZooKeeperProcess member(int id, int port, String servers) {
    ZooKeeperProcess member =
        create(port, servers, "org.apache.zookeeper.server.quorum.QuorumPeerMain");
    try {
      Files.createDirectories(member.directory.resolve("data"));
      Files.writeString(member.directory.resolve("data/myid"), id + "\n");
      return member;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ZooKeeperProcess create(int port, String more, String mainClass) {
    try {
      Path directory =
          Files.createTempDirectory("wlt-zookeeper-" + ProcessHandle.current().pid() + "-");
      Files.writeString(
          directory.resolve("zoo.cfg"),
          """
          dataDir=%s
          clientPortAddress=127.0.0.1
          clientPort=%d
          tickTime=500
          admin.enableServer=false
          4lw.commands.whitelist=srvr
          """
                  .formatted(directory.resolve("data"), port)
              + more);
      return new ZooKeeperProcess(directory, port, mainClass);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Starts it on its data and waits until it answers. */
  public void restart() {
    startProcess();
    awaitAnswer();
  }

  /** Starts it on its data. */
  void startProcess() {
    try {
      process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-XX:+UseSerialGC",
                  "-XX:TieredStopAtLevel=1",
                  "-Xmx256m",
                  "-cp",
                  System.getProperty("java.class.path"),
                  mainClass,
                  directory.resolve("zoo.cfg").toString())
              .redirectErrorStream(true)
              .redirectOutput(
                  ProcessBuilder.Redirect.appendTo(directory.resolve("output").toFile()))
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits until it answers. */
  void awaitAnswer() {
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

  int port() {
    return port;
  }

  boolean isAlive() {
    return process.isAlive();
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
    Commands.freeze(process, frozen);
  }

  @Override
  public void close() {
    if (process != null) {
      kill();
    }
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
