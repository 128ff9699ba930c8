package io.wayleave.datastore.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** {@code etcd grpc-proxy} before a server, on a free loopback port. NOT thread safe. */
public final class EtcdProxy implements AutoCloseable {
  private final Path log;
  private final Process process;
  private final String url;

  private EtcdProxy(Path log, Process process, String url) {
    this.log = log;
    this.process = process;
    this.url = url;
  }

  /** Starts one; the first call of a client waits for it. */
  public static EtcdProxy start(EtcdServer etcd) {
    int port = EtcdServer.freePort();
    try {
      Path log = Files.createTempFile("wlt-proxy-" + ProcessHandle.current().pid() + "-", ".log");
      Process process =
          new ProcessBuilder(
                  "etcd",
                  "grpc-proxy",
                  "start",
                  "--endpoints=127.0.0.1:" + etcd.clientPort(),
                  "--listen-addr=127.0.0.1:" + port,
                  "--data-dir=" + log + ".data")
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start();
      return new EtcdProxy(log, process, "etcd://127.0.0.1:" + port);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Of a datastore with the default prefix. */
  public String url() {
    return url;
  }

  public long pid() {
    return process.pid();
  }

  @Override
  public void close() {
    process.destroyForcibly();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        throw new AssertionError("the proxy with pid " + process.pid() + " does not end");
      }
      Files.delete(log);
      Files.deleteIfExists(Path.of(log + ".data"));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
