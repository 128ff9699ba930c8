package io.wayleave.datastore.testing;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.Datastores;
import io.wayleave.datastore.Session;
import io.wayleave.datastore.Transaction;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** A process that puts a key bound to its session and then lives until it is killed. */
public final class MortalOwner implements AutoCloseable {
  private final Process process;

  private MortalOwner(Process process) {
    this.process = process;
  }

  /** Starts it and waits until the key is there. */
  public static MortalOwner start(String url, String key, int timeToLiveSeconds) {
    try {
      Process process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-XX:+UseSerialGC",
                  "-XX:TieredStopAtLevel=1",
                  "--enable-native-access=ALL-UNNAMED",
                  "--sun-misc-unsafe-memory-access=allow",
                  "-cp",
                  System.getProperty("java.class.path"),
                  MortalOwner.class.getName(),
                  url,
                  key,
                  Integer.toString(timeToLiveSeconds))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      MortalOwner owner = new MortalOwner(process);
      BufferedReader output = process.inputReader();
      if (!"present".equals(output.readLine())) {
        owner.close();
        throw new AssertionError("the owner did not start");
      }
      return owner;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Kills it. */
  @Override
  public void close() {
    process.destroyForcibly();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        throw new AssertionError("process " + process.pid() + " does not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Arguments: URL, key, seconds to live. */
  @SuppressWarnings("SystemOut") // how it tells its parent
  public static void main(String[] arguments) throws IOException {
    Datastore datastore = Datastores.open(arguments[0], DatastoreOptions.DEFAULTS);
    Session session =
        datastore.openSession(
            Duration.ofSeconds(Integer.parseInt(arguments[2])), datastore.deadline());
    datastore.commit(
        Transaction.builder().putBound(arguments[1], new byte[0], session).build(),
        datastore.deadline());
    System.out.println("present");
    // Its parent holds the other end and never writes, so this ends with one of the processes.
    if (System.in.read() < 0) {
      return;
    }
  }
}
