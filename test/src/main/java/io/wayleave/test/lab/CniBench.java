package io.wayleave.test.lab;

import io.wayleave.linux.NetworkNamespace;
import io.wayleave.linux.netlink.NetlinkEvent;
import io.wayleave.linux.netlink.NetlinkMonitor;
import io.wayleave.model.Cidr;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code ./dev bench cni}: how long ADD and DEL take, beside the reference ptp and host-local
 * plugins in the same namespace and run, and how long after ADD's return on one host the route is
 * in the kernel of a host in another rack. On a lab of its own, with the fabric's real sessions and
 * datastore.
 */
final class CniBench {
  private static final int ROUNDS = 50;
  private static final int PROPAGATION_ROUNDS = 20;
  private static final Path REFERENCE_PLUGINS = Path.of("/usr/lib/cni");
  private static final Duration ROUTE_DEADLINE = Duration.ofSeconds(10);
  private static final Pattern ADDRESS = Pattern.compile("\"address\":\"([0-9.]+/32)\"");

  private final PrintStream out;

  CniBench(PrintStream out) {
    this.out = out;
  }

  void run(String labName, Progress progress) {
    LabSpec spec = LabSpec.named(labName);
    try (OnInterrupt _ = new OnInterrupt(() -> Lab.down(spec.name()))) {
      Lab lab = Lab.up(spec, progress);
      try {
        latency(lab.host("r1h1"));
        propagation(lab.host("r1h1"), lab.host("r2h1"));
      } catch (IOException e) {
        throw new UncheckedIOException("the bench could not be run", e);
      } finally {
        lab.close();
      }
    }
  }

  private void latency(LabHost host) throws IOException {
    Map<String, Object> wayleave = new LinkedHashMap<>(host.wayleaveConf());
    wayleave.put("cniVersion", CniConf.VERSION);
    wayleave.put("name", "bench");
    Map<String, Object> reference =
        Map.of(
            "cniVersion",
            CniConf.VERSION,
            "name",
            "bench",
            "type",
            "ptp",
            "ipam",
            Map.of(
                "type", "host-local",
                "subnet", "198.18.0.0/16",
                "dataDir", host.file("bench-host-local").toString()));
    Path script = host.file("bench-cni.sh");
    Path ours = host.file("bench-wayleave.json");
    Path theirs = host.file("bench-reference.json");
    Files.writeString(script, script());
    Files.writeString(ours, Json.write(wayleave));
    Files.writeString(theirs, Json.write(reference));
    String printed =
        Command.of(
                "bash",
                script.toString(),
                Integer.toString(ROUNDS),
                host.namespace(),
                "/opt/cni/bin",
                ours.toString(),
                REFERENCE_PLUGINS.toString(),
                theirs.toString())
            .at(host.inside())
            .within(Duration.ofMinutes(3))
            .check();
    Map<String, List<Long>> samples = new LinkedHashMap<>();
    printed
        .lines()
        .map(line -> line.split(" "))
        .forEach(
            words ->
                samples
                    .computeIfAbsent(words[0] + " " + words[1], _ -> new ArrayList<>())
                    .add(Long.parseLong(words[2])));
    out.printf("%nCNI plugin as a whole process, %d rounds in turns, milliseconds%n", ROUNDS);
    out.printf("  %-18s %8s %8s %8s%n", "", "median", "p95", "max");
    for (String verb : List.of("ADD", "DEL")) {
      for (String plugin : List.of("wayleave", "reference")) {
        List<Long> sorted = samples.get(plugin + " " + verb).stream().sorted().toList();
        out.printf(
            "  %-18s %8.1f %8.1f %8.1f%n",
            verb + " " + (plugin.equals("wayleave") ? "Wayleave" : "ptp+host-local"),
            sorted.get(sorted.size() / 2) / 1000.0,
            sorted.get(sorted.size() * 95 / 100) / 1000.0,
            sorted.getLast() / 1000.0);
      }
      out.printf(
          "  %-18s %8.2f%n",
          verb + " ratio",
          median(samples.get("wayleave " + verb)) / median(samples.get("reference " + verb)));
    }
  }

  private void propagation(LabHost from, LabHost to) throws IOException {
    Map<Cidr, CompletableFuture<Long>> arrivals = new ConcurrentHashMap<>();
    List<Long> microseconds = new ArrayList<>();
    try (NetworkNamespace namespace = NetworkNamespace.ofName(to.namespace());
        NetlinkMonitor monitor =
            NetlinkMonitor.open(namespace, Set.of(NetlinkMonitor.Group.IPV4_ROUTES))) {
      Thread watcher =
          Thread.ofPlatform().daemon().name("bench-routes").start(() -> watch(monitor, arrivals));
      String netns = from.namespace() + "-bench";
      for (int round = 0; round < PROPAGATION_ROUNDS; round++) {
        Command.of("ip", "netns", "add", netns).at(from.inside()).check();
        Command.Result added = from.cni("ADD", "propagation", "/run/netns/" + netns, Map.of());
        long returned = System.nanoTime();
        Matcher address = ADDRESS.matcher(added.out());
        if (!added.succeeded() || !address.find()) {
          throw new LabException("ADD failed: " + added.text());
        }
        CompletableFuture<Long> arrival =
            arrivals.computeIfAbsent(Cidr.parse(address.group(1)), _ -> new CompletableFuture<>());
        microseconds.add(
            (arrival.get(ROUTE_DEADLINE.toMillis(), TimeUnit.MILLISECONDS) - returned) / 1000);
        from.cni("DEL", "propagation", "/run/netns/" + netns, Map.of());
        Command.of("ip", "netns", "delete", netns).at(from.inside()).check();
        arrivals.clear();
      }
      monitor.wakeUp();
      watcher.interrupt();
    } catch (TimeoutException e) {
      throw new LabException(
          "the route did not reach " + to.name() + " within " + ROUTE_DEADLINE.toSeconds() + " s",
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LabException("interrupted", e);
    } catch (java.util.concurrent.ExecutionException e) {
      throw new LabException("the watch of routes failed", e.getCause());
    }
    List<Long> sorted = microseconds.stream().sorted().toList();
    out.printf(
        "%nFrom ADD's return on %s to the route in the kernel of %s, %d rounds, milliseconds%n "
            + " median %.1f, max %.1f (below zero: before ADD returned)%n",
        from.name(),
        to.name(),
        PROPAGATION_ROUNDS,
        sorted.get(sorted.size() / 2) / 1000.0,
        sorted.getLast() / 1000.0);
  }

  private static void watch(NetlinkMonitor monitor, Map<Cidr, CompletableFuture<Long>> arrivals) {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        for (NetlinkEvent event : monitor.poll(Duration.ofSeconds(1))) {
          if (event instanceof NetlinkEvent.RouteChanged(var route, boolean _)) {
            arrivals
                .computeIfAbsent(route.destination(), _ -> new CompletableFuture<>())
                .complete(System.nanoTime());
          }
        }
      }
    } catch (IOException e) {
      arrivals.values().forEach(waiting -> waiting.completeExceptionally(e));
    }
  }

  private static double median(List<Long> samples) {
    return samples.stream().sorted().toList().get(samples.size() / 2);
  }

  private static String script() throws IOException {
    try (InputStream stream =
        Objects.requireNonNull(
            CniBench.class.getResourceAsStream("bench-cni.sh"), "bench-cni.sh is missing")) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
