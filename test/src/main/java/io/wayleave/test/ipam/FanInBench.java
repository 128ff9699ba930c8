package io.wayleave.test.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.testing.EtcdServer;
import io.wayleave.ipam.AllocationRequest;
import io.wayleave.ipam.Ipam;
import io.wayleave.test.bench.Machine;
import io.wayleave.test.lab.LabException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * A fabric with many addresses in use, each by a container of its own, and a host that has just
 * started: how long until it knows all blocks, and what that takes of memory. The host is a process
 * with the JVM's settings of the agent, without its start-up cache.
 */
final class FanInBench {
  private static final int HOSTS = 100;
  private static final int PER_HOST = 1_000;

  /** So many containers of a host start at the same time; IPAM writes them together. */
  private static final int AT_ONCE = 60;

  private static final double GOAL_SECONDS = 5;
  private static final double GOAL_MEBIBYTES = 200;
  private static final double NANOS_PER_SECOND = 1e9;

  private FanInBench() {}

  private record Start(double seconds, double following, double mebibytes, long known) {}

  static void run(EtcdServer etcd, double scale, PrintStream out)
      throws IOException, InterruptedException {
    int hosts = BenchPart.scaled(HOSTS, scale);
    double filling;
    try (Datastore store = etcd.connect()) {
      BenchPool pool = BenchPool.create(store, 15);
      long began = System.nanoTime();
      for (int i = 0; i < hosts; i++) {
        fill(pool.holder(i), i);
      }
      filling = (System.nanoTime() - began) / NANOS_PER_SECOND;
    }
    out.printf(
        "Fan-in: %d addresses of %d hosts (allocated in %.1f s); a host that has just started%n%n",
        hosts * PER_HOST, hosts, filling);
    out.printf(
        "| follows | told of | in sync after start of the process, s | goal | of that following, s"
            + " | most resident memory, MiB | goal |%n| --- | --- | --- | --- | --- | --- | ---"
            + " |%n");
    row(out, "all blocks", start(etcd, false), true);
    row(out, "all blocks and all endpoints", start(etcd, true), false);
  }

  private static void row(PrintStream out, String follows, Start start, boolean goal) {
    out.printf(
        "| %s | %d | %.2f | %s | %.2f | %.0f | %s |%n",
        follows,
        start.known(),
        start.seconds(),
        goal ? "< %.0f".formatted(GOAL_SECONDS) : "",
        start.following(),
        start.mebibytes(),
        goal ? "< %.0f".formatted(GOAL_MEBIBYTES) : "");
  }

  private static void fill(Ipam holder, int number) throws InterruptedException {
    try (ExecutorService threads = Executors.newFixedThreadPool(AT_ONCE)) {
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < PER_HOST; i++) {
        AllocationRequest request = BenchPool.container("holder-" + number, i);
        running.add(threads.submit(() -> holder.allocate(request, BenchPool.deadline())));
      }
      for (Future<?> each : running) {
        var _ = each.get();
      }
    } catch (ExecutionException e) {
      throw new LabException("an allocation failed: " + e.getCause().getMessage(), e.getCause());
    }
  }

  private static Start start(EtcdServer etcd, boolean endpoints) throws IOException {
    long began = System.nanoTime();
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-Xmx512m",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                FreshHost.class.getName(),
                etcd.url(),
                Boolean.toString(endpoints))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try {
      BufferedReader output = process.inputReader();
      String line = output.readLine();
      double seconds = (System.nanoTime() - began) / NANOS_PER_SECOND;
      if (line == null || !line.startsWith(FreshHost.IN_SYNC)) {
        throw new LabException("the host did not come in sync: " + line);
      }
      String[] words = line.substring(FreshHost.IN_SYNC.length()).split(" ", -1);
      return new Start(
          seconds,
          Long.parseLong(words[0]) / 1000.0,
          Machine.peakMebibytes(process.pid()),
          Long.parseLong(words[1]));
    } finally {
      process.destroyForcibly();
    }
  }
}
