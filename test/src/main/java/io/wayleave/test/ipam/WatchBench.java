package io.wayleave.test.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.Datastores;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Revision;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.Watch;
import io.wayleave.datastore.WatchEvent;
import io.wayleave.datastore.testing.EtcdProxy;
import io.wayleave.datastore.testing.EtcdServer;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.Kind;
import io.wayleave.test.bench.BenchCommand;
import io.wayleave.test.bench.Machine;
import io.wayleave.test.lab.LabException;
import io.wayleave.test.lab.OnInterrupt;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code ./dev bench watch}: what the watches of many agents cost an etcd, with and without its
 * proxy between. An agent is a connection of its own with a watch for each of ten kinds; blocks and
 * endpoints change, the others do not. Exit status: 0 done, whatever the figures are, 1 failed, 2
 * wrong usage.
 */
@Command(
    name = "bench watch",
    description = "Measures what the watches of many agents cost etcd.",
    mixinStandardHelpOptions = true)
public final class WatchBench implements Callable<Integer> {
  /** What each agent watches; the first two change. */
  private static final List<String> PREFIXES =
      List.of(
          Keys.BLOCKS,
          ResourceStore.prefix(Kind.WORKLOAD_ENDPOINT),
          ResourceStore.prefix(Kind.NODE),
          ResourceStore.prefix(Kind.BGP_PEER),
          ResourceStore.prefix(Kind.BGP_FILTER),
          ResourceStore.prefix(Kind.BGP_CONFIGURATION),
          ResourceStore.prefix(Kind.IP_POOL),
          ResourceStore.prefix(Kind.GLOBAL_NETWORK_POLICY),
          ResourceStore.prefix(Kind.NETWORK_POLICY),
          ResourceStore.prefix(Kind.PROFILE));

  private static final int CHANGING = 2;

  /** About what a block has, or an endpoint. */
  private static final int VALUE_BYTES = 500;

  private static final int CONNECTING = 16;
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final double NANOS_PER_SECOND = 1e9;

  private final PrintStream out;

  @Option(
      names = "--watchers",
      split = ",",
      defaultValue = "1000,3000",
      description = "Watches in all, ten of each agent (${DEFAULT-VALUE})")
  private List<Integer> watchers = List.of();

  @Option(
      names = "--changes",
      defaultValue = "500",
      description = "Changes of blocks and endpoints, one transaction each (${DEFAULT-VALUE})")
  private int changes;

  private WatchBench(PrintStream out) {
    this.out = out;
  }

  public static void main(String[] args) {
    System.exit(run(new PrintStream(System.out, true, StandardCharsets.UTF_8), System.err, args));
  }

  static int run(PrintStream out, PrintStream err, String... args) {
    return BenchCommand.run(new WatchBench(out), err, args);
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    for (int number : watchers) {
      if (number < PREFIXES.size()) {
        throw new InvalidInputException(
            "--watchers", Integer.toString(number), PREFIXES.size() + " or more");
      }
    }
    if (changes < CHANGING) {
      throw new InvalidInputException(
          "--changes", Integer.toString(changes), CHANGING + " or more");
    }
    try (OnInterrupt _ = new OnInterrupt(() -> {})) {
      out.printf(
          "Load average %s. %d changes of %d octets as fast as etcd takes them; half of them"
              + " blocks, half endpoints%n%n",
          Machine.loadAverage(), changes, VALUE_BYTES);
      out.println(
          "| watches | agents | through | watchers in etcd | told, events | s | events/s | etcd,"
              + " CPU s | etcd, MiB | proxy, CPU s | proxy, MiB | load tool, CPU s |");
      out.println("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
      for (int number : watchers) {
        try (EtcdServer etcd = EtcdServer.start()) {
          measure(number / PREFIXES.size(), etcd, Optional.empty());
        }
        try (EtcdServer etcd = EtcdServer.start();
            EtcdProxy proxy = EtcdProxy.start(etcd)) {
          measure(number / PREFIXES.size(), etcd, Optional.of(proxy));
        }
      }
    }
    return 0;
  }

  private void measure(int agents, EtcdServer etcd, Optional<EtcdProxy> proxy)
      throws IOException, InterruptedException {
    AtomicLong told = new AtomicLong();
    List<Datastore> open = new ArrayList<>();
    try (Datastore writer = etcd.connect();
        ExecutorService readers = Executors.newVirtualThreadPerTaskExecutor()) {
      try {
        open.addAll(connect(agents, proxy.map(EtcdProxy::url).orElse(etcd.url()), readers, told));
        // One change of each kind, which every watch must tell before the clock starts.
        for (String prefix : PREFIXES) {
          put(writer, prefix, 0);
        }
        await(told, (long) agents * PREFIXES.size());
        told.set(0);
        double etcdBefore = Machine.cpuSeconds(etcd.pid());
        double proxyBefore = proxyCpu(proxy);
        double toolBefore = Machine.cpuSeconds(ProcessHandle.current().pid());
        long began = System.nanoTime();
        for (int i = 0; i < changes; i++) {
          put(writer, PREFIXES.get(i % CHANGING), 1 + i);
        }
        long events = (long) agents * changes;
        await(told, events);
        double seconds = (System.nanoTime() - began) / NANOS_PER_SECOND;
        out.printf(
            "| %d | %d | %s | %.0f | %d | %.2f | %.0f | %.2f | %.0f | %s | %s | %.2f |%n",
            agents * PREFIXES.size(),
            agents,
            proxy.isPresent() ? "a proxy" : "nothing",
            metric(etcd.clientPort(), "etcd_debugging_mvcc_watcher_total"),
            events,
            seconds,
            events / seconds,
            Machine.cpuSeconds(etcd.pid()) - etcdBefore,
            Machine.peakMebibytes(etcd.pid()),
            proxy.isPresent() ? "%.2f".formatted(proxyCpu(proxy) - proxyBefore) : "",
            proxy.map(it -> "%.0f".formatted(Machine.peakMebibytes(it.pid()))).orElse(""),
            Machine.cpuSeconds(ProcessHandle.current().pid()) - toolBefore);
      } finally {
        readers.shutdownNow();
        open.forEach(Datastore::close);
      }
    }
  }

  /** Agents that list and then follow, as a syncer does. */
  private static List<Datastore> connect(
      int agents, String url, ExecutorService readers, AtomicLong told)
      throws InterruptedException {
    List<Datastore> open = new ArrayList<>();
    try (ExecutorService starting = Executors.newFixedThreadPool(CONNECTING)) {
      List<Future<?>> started = new ArrayList<>();
      for (int i = 0; i < agents; i++) {
        Datastore store = Datastores.open(url, DatastoreOptions.DEFAULTS);
        open.add(store);
        started.add(
            starting.submit(
                () -> {
                  for (String prefix : PREFIXES) {
                    Revision revision =
                        store
                            .list(prefix, Optional.empty(), 1, Deadline.after(PATIENCE))
                            .revision();
                    Watch watch = store.watch(prefix, revision);
                    readers.execute(() -> read(watch, told));
                  }
                }));
      }
      for (Future<?> each : started) {
        var _ = each.get();
      }
      return open;
    } catch (ExecutionException e) {
      open.forEach(Datastore::close);
      throw new LabException("an agent cannot start: " + e.getCause().getMessage(), e.getCause());
    }
  }

  private static void read(Watch watch, AtomicLong told) {
    try (watch) {
      while (!watch.isEnded()) {
        for (WatchEvent event : watch.take(Deadline.after(PATIENCE))) {
          if (event instanceof WatchEvent.Put) {
            told.incrementAndGet();
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void put(Datastore writer, String prefix, int number) {
    byte[] value = new byte[VALUE_BYTES];
    var _ =
        writer.commit(
            Transaction.builder().put(prefix + "bench-" + number, value).build(),
            Deadline.after(PATIENCE));
  }

  private static void await(AtomicLong told, long wanted) throws InterruptedException {
    Deadline deadline = Deadline.after(PATIENCE);
    while (told.get() < wanted) {
      if (deadline.hasPassed()) {
        throw new LabException(
            "watches have told " + told + " events of " + wanted + " after " + deadline);
      }
      Thread.sleep(1);
    }
  }

  private static double proxyCpu(Optional<EtcdProxy> proxy) {
    return proxy.map(it -> Machine.cpuSeconds(it.pid())).orElse(0.0);
  }

  private static double metric(int port, String name) throws IOException, InterruptedException {
    try (HttpClient client = HttpClient.newHttpClient()) {
      String all =
          client
              .send(
                  HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics"))
                      .build(),
                  HttpResponse.BodyHandlers.ofString())
              .body();
      return all.lines()
          .filter(line -> line.startsWith(name + " "))
          .mapToDouble(line -> Double.parseDouble(line.substring(name.length() + 1)))
          .sum();
    }
  }
}
