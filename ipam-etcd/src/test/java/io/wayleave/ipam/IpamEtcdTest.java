package io.wayleave.ipam;

import static io.wayleave.ipam.Fixture.deadline;
import static io.wayleave.ipam.Fixture.endpoint;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreException;
import io.wayleave.datastore.testing.Await;
import io.wayleave.datastore.testing.EtcdServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** IPAM on a real etcd, with real clients that race, and with real deaths. */
@Tag("real")
@Timeout(180)
class IpamEtcdTest {
  private EtcdServer etcd;
  private Datastore datastore;
  private Fixture fixture;

  @TempDir private Path directory;

  @BeforeEach
  void start() {
    etcd = EtcdServer.start();
    datastore = etcd.connect();
    fixture = new Fixture(datastore);
  }

  @AfterEach
  void stop() {
    datastore.close();
    etcd.close();
  }

  @Test
  void thirtyTwoHostsRaceForOneAddressEachInSixteenBlocks() throws Exception {
    fixture.pool("a", "10.0.0.0/22", 26);
    Set<String> given = ConcurrentHashMap.newKeySet();
    inParallel(
        32,
        (host, store) ->
            given.add(
                new Fixture(store)
                    .host(host)
                    .allocate(endpoint(host + ".c"), deadline())
                    .addresses()
                    .toString()));
    assertThat(given).hasSize(32);
    assertThat(fixture.affinities())
        .hasSize(16)
        .allMatch(affinity -> affinity.state() == Affinity.State.CONFIRMED);
    Invariants.check(datastore);
  }

  @Test
  void aKilledEtcdLosesNoAcknowledgedAllocation() throws Exception {
    fixture.pool("a", "10.0.0.0/22", 26);
    Map<String, String> acknowledged = new ConcurrentHashMap<>();
    Set<String> unknown = ConcurrentHashMap.newKeySet();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> outage =
          threads.submit(
              () -> {
                Await.until("under way", Duration.ofSeconds(60), () -> acknowledged.size() > 60);
                etcd.kill();
                etcd.startAgain();
              });
      inParallel(
          8,
          (host, store) -> {
            Ipam ipam = new Fixture(store).host(host);
            for (int i = 0; i < 30; i++) {
              String id = host + ".c" + i;
              unknown.add(id);
              try {
                acknowledged.put(
                    id, ipam.allocate(endpoint(id), deadline()).addresses().toString());
                unknown.remove(id);
              } catch (DatastoreException _) {
                // What became of it is looked at below.
              }
            }
          });
      outage.get(60, TimeUnit.SECONDS);
    }
    Invariants.check(datastore);
    Map<String, String> stored = stored();
    assertThat(stored).containsAllEntriesOf(acknowledged);
    Set<String> unexplained = new HashSet<>(stored.keySet());
    unexplained.removeAll(acknowledged.keySet());
    unexplained.removeAll(unknown);
    assertThat(unexplained).isEmpty();
    assertThat(acknowledged).hasSizeGreaterThan(200);
  }

  @Test
  void aKilledHostLosesNoAcknowledgedAllocationAndLeavesNothingHalf() throws Exception {
    fixture.pool("a", "10.0.0.0/22", 28);
    List<Process> hosts = new ArrayList<>();
    List<Path> files = new ArrayList<>();
    try {
      for (int i = 0; i < 3; i++) {
        Path file = directory.resolve("h" + i);
        files.add(file);
        hosts.add(startHost("h" + i, file));
      }
      Await.until(
          "all hosts allocate",
          Duration.ofSeconds(60),
          () -> files.stream().allMatch(file -> lines(file).size() > 20));
      hosts.getFirst().destroyForcibly();
      for (Process host : hosts) {
        assertThat(host.waitFor(90, TimeUnit.SECONDS)).isTrue();
      }
      assertThat(hosts.get(1).exitValue()).isZero();
    } finally {
      hosts.forEach(Process::destroyForcibly);
    }
    Invariants.check(datastore);
    Map<String, String> stored = stored();
    for (Path file : files) {
      acknowledged(file)
          .forEach((id, addresses) -> assertThat(stored).containsEntry(id, addresses));
    }
    // The host comes back and goes on where it was; its unfinished claims are gone.
    Ipam again = fixture.host("h0");
    again.allocate(endpoint("h0.again"), deadline());
    Invariants.check(datastore);
    assertThat(fixture.affinities())
        .filteredOn(affinity -> affinity.node().equals("h0"))
        .allMatch(affinity -> affinity.state() == Affinity.State.CONFIRMED);
    for (String id : stored().keySet()) {
      again.release(id, Optional.empty(), deadline());
    }
    assertThat(fixture.blocks()).allMatch(block -> block.usedCount() == 0);
    Invariants.check(datastore);
  }

  private Process startHost(String name, Path file) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-cp",
            System.getProperty("java.class.path"),
            StressClient.class.getName(),
            etcd.url(),
            name,
            "150",
            file.toString())
        .redirectErrorStream(true)
        .redirectOutput(directory.resolve(name + ".out").toFile())
        .start();
  }

  /** What the host was told and did not begin to release. */
  private static Map<String, String> acknowledged(Path file) {
    Map<String, String> held = new HashMap<>();
    for (String line : lines(file)) {
      String rest = line.substring(1);
      if (line.startsWith("+")) {
        held.put(rest.substring(0, rest.indexOf(' ')), rest.substring(rest.indexOf(' ') + 1));
      } else {
        held.remove(rest);
      }
    }
    return held;
  }

  private static List<String> lines(Path file) {
    try {
      return Files.exists(file) ? Files.readAllLines(file) : List.of();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Map<String, String> stored() {
    Map<String, String> stored = new HashMap<>();
    new IpamInspector(datastore)
        .handles(deadline())
        .handles()
        .forEach(handle -> stored.put(handle.id(), handle.addresses().toString()));
    return stored;
  }

  private interface Work {
    void run(String host, Datastore store);
  }

  /** Each host in a thread of its own, with a client of its own. */
  private void inParallel(int hosts, Work work) throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < hosts; i++) {
        String host = "host-" + i;
        running.add(
            threads.submit(
                () -> {
                  try (Datastore store = etcd.connect()) {
                    work.run(host, store);
                  }
                }));
      }
      for (Future<?> each : running) {
        each.get(120, TimeUnit.SECONDS);
      }
    }
  }
}
