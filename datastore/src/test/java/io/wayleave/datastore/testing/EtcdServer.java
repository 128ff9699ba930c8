package io.wayleave.datastore.testing;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreException;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.Datastores;
import io.wayleave.datastore.Deadline;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A real etcd of one member on free loopback ports, with a data directory of its own. {@link
 * #close} ends the process and removes the directory. NOT thread safe.
 */
public final class EtcdServer implements AutoCloseable {
  private static final Duration START = Duration.ofSeconds(30);

  /** The files for a server that speaks TLS and asks for client certificates. */
  public record Tls(Path caFile, Path certificateFile, Path keyFile) {}

  private final Path directory;
  private final List<String> command;
  private final int clientPort;
  private final String url;
  private final DatastoreOptions options;
  private Process process;

  private EtcdServer(
      Path directory, List<String> command, int clientPort, String url, DatastoreOptions options) {
    this.directory = directory;
    this.command = command;
    this.clientPort = clientPort;
    this.url = url;
    this.options = options;
  }

  /** Starts one without TLS and waits until it answers. */
  public static EtcdServer start() {
    return start("http://127.0.0.1:", List.of(), "etcd://127.0.0.1:", DatastoreOptions.DEFAULTS);
  }

  /** Starts one with TLS and waits until it answers a client with these options. */
  public static EtcdServer startTls(Tls tls, DatastoreOptions options) {
    return startTls("127.0.0.1", tls, options);
  }

  /** Like {@link #startTls}, with a URL that names it {@code localhost}. */
  public static EtcdServer startTlsByName(Tls tls, DatastoreOptions options) {
    return startTls("localhost", tls, options);
  }

  private static EtcdServer startTls(String host, Tls tls, DatastoreOptions options) {
    return start(
        "https://127.0.0.1:",
        List.of(
            "--client-cert-auth",
            "--trusted-ca-file",
            tls.caFile().toString(),
            "--cert-file",
            tls.certificateFile().toString(),
            "--key-file",
            tls.keyFile().toString()),
        "etcds://" + host + ":",
        options);
  }

  private static EtcdServer start(
      String listen, List<String> arguments, String url, DatastoreOptions options) {
    AssertionError failure = null;
    // Between finding a free port and listening on it, another process can take it.
    for (int attempt = 0; attempt < 3; attempt++) {
      EtcdServer server = create(listen, arguments, url, options);
      server.startProcess();
      try {
        server.awaitAnswer();
        return server;
      } catch (AssertionError e) {
        failure = e;
        server.close();
      }
    }
    throw failure;
  }

  private static EtcdServer create(
      String listen, List<String> arguments, String url, DatastoreOptions options) {
    try {
      Path directory = Files.createTempDirectory("wlt-etcd-" + ProcessHandle.current().pid() + "-");
      int clientPort = freePort();
      String client = listen + clientPort;
      String peer = "http://127.0.0.1:" + freePort();
      List<String> command =
          new ArrayList<>(
              List.of(
                  "etcd",
                  "--data-dir",
                  directory.resolve("data").toString(),
                  "--listen-client-urls",
                  client,
                  "--advertise-client-urls",
                  client,
                  "--listen-peer-urls",
                  peer,
                  "--initial-advertise-peer-urls",
                  peer,
                  "--initial-cluster",
                  "default=" + peer,
                  "--logger",
                  "zap",
                  "--log-outputs",
                  directory.resolve("log").toString()));
      command.addAll(arguments);
      return new EtcdServer(directory, command, clientPort, url + clientPort, options);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Of a datastore with the default prefix. */
  public String url() {
    return url;
  }

  public int clientPort() {
    return clientPort;
  }

  /** Of the process that runs now. */
  public long pid() {
    return process.pid();
  }

  /** A new client of this server; the caller closes it. */
  public Datastore connect() {
    return Datastores.open(url, options);
  }

  /** Ends the process at once, as a crash does; the data stays. */
  public void kill() {
    process.destroyForcibly();
    awaitEnd();
  }

  /** Stops and continues the process: connections stay and nothing is answered. */
  public void freeze(boolean frozen) {
    Commands.freeze(process, frozen);
  }

  /** Starts it again on the same data and ports, and waits until it answers. */
  public void startAgain() {
    startProcess();
    awaitAnswer();
  }

  /** Starts it again and does not wait: for one that would refuse the waiting client. */
  public void startProcessAgain() {
    startProcess();
  }

  /** Runs etcdctl with these arguments against this server and returns its output. */
  public String control(String... arguments) {
    List<String> line =
        new ArrayList<>(List.of("etcdctl", "--endpoints", "127.0.0.1:" + clientPort));
    line.addAll(List.of(arguments));
    return Commands.run(directory, line);
  }

  private void startProcess() {
    try {
      process =
          new ProcessBuilder(command)
              .directory(directory.toFile())
              .redirectErrorStream(true)
              .redirectOutput(directory.resolve("output").toFile())
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void awaitAnswer() {
    try (Datastore datastore = connect()) {
      Await.until(
          "etcd answers, its log is " + log(),
          START,
          () -> {
            if (!process.isAlive()) {
              throw new AssertionError("etcd ended: " + log());
            }
            try {
              datastore.get("wlt-start", Deadline.after(Duration.ofSeconds(1)));
              return true;
            } catch (DatastoreException _) {
              return false;
            }
          });
    }
  }

  private String log() {
    StringBuilder text = new StringBuilder();
    for (String name : List.of("output", "log")) {
      Path file = directory.resolve(name);
      try {
        text.append(Files.exists(file) ? Files.readString(file, StandardCharsets.UTF_8) : "");
      } catch (IOException e) {
        text.append(e);
      }
    }
    return text.toString();
  }

  private void awaitEnd() {
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        throw new AssertionError("etcd with pid " + process.pid() + " does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
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

  /** A loopback port that nobody listens on. */
  public static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
