package io.wayleave.test.ipam;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.Transaction;
import io.wayleave.ipam.AllocationRequest;
import io.wayleave.ipam.Handle;
import io.wayleave.ipam.Ipam;
import io.wayleave.ipam.IpamOptions;
import io.wayleave.ipam.OwnerRecord;
import io.wayleave.test.ipam.StressHost.Defect;
import io.wayleave.test.ipam.StressLog.Event;
import io.wayleave.test.ipam.StressLog.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The check of {@link IpamStressTest} finds what it is for, and nothing where nothing is. */
@Timeout(60)
class StressCheckTest {
  private static final int HOSTS = 4;
  private static final int STEPS = 150;

  @TempDir private Path folder;
  private final MemoryDatastore memory = new MemoryDatastore();

  @ParameterizedTest
  @CsvSource({
    "WRITES_WITHOUT_COMPARING, has two owners|at once",
    "NOTES_BEFORE_COMMIT, and the store has",
    "WRITES_NO_OWNER, has no owner record",
    "LEAVES_HANDLES, was released|is free in its block"
  })
  void aDefectIsCaught(Defect defect, String symptoms) throws Exception {
    List<String> violations = race(defect).violations();
    assertThat(violations)
        .anyMatch(
            violation -> List.of(symptoms.split("\\|", -1)).stream().anyMatch(violation::contains));
  }

  @Test
  void hostsWithoutADefectPass() throws Exception {
    StressCheck check = race(Defect.NONE);
    assertThat(check.violations()).isEmpty();
    assertThat(check.count(Kind.ALLOCATED)).isGreaterThan(STEPS / 4);
    assertThat(check.count(Kind.RELEASED)).isGreaterThan(STEPS / 4);
    assertThat(check.count(Kind.REFUSED)).isPositive();
  }

  /** Hosts as threads, on the store in memory. */
  private StressCheck race(Defect defect) throws Exception {
    StressPools pools = StressPools.forHosts(HOSTS);
    pools.create(memory, deadline());
    Instant now = Instant.now();
    try (ExecutorService threads = Executors.newFixedThreadPool(HOSTS)) {
      List<Future<?>> running = new ArrayList<>();
      for (int i = 0; i < HOSTS; i++) {
        int number = i;
        running.add(threads.submit(() -> host(memory, pools, number, defect, now)));
      }
      for (Future<?> each : running) {
        each.get(50, TimeUnit.SECONDS);
      }
    }
    List<List<Event>> logs = new ArrayList<>();
    for (int i = 0; i < HOSTS; i++) {
      logs.add(StressLog.read(file(i)));
    }
    return StressCheck.of(StoredAddresses.read(memory, deadline()), logs);
  }

  private void host(Datastore store, StressPools pools, int number, Defect defect, Instant began) {
    AtomicInteger steps = new AtomicInteger();
    try (StressLog log = StressLog.append(file(number))) {
      new StressHost(
              store,
              pools,
              "host-" + number,
              "1",
              number,
              log,
              List.of(),
              defect,
              number,
              StressHost.clock(began))
          .run(() -> steps.incrementAndGet() > STEPS);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path file(int number) {
    return folder.resolve("host-" + number + ".log");
  }

  @Test
  void anAcknowledgedAllocationThatIsMissing() {
    assertFound(
        "c was given [10.0.0.1], and the store has it not", event(1, Kind.ALLOCATED, "10.0.0.1"));
  }

  @Test
  void anAcknowledgedReleaseThatWasNotDone() {
    put("c", "10.0.0.1");
    assertFound(
        "c was released, and the store has it",
        event(1, Kind.ALLOCATED, "10.0.0.1"),
        event(2, Kind.RELEASES),
        event(3, Kind.RELEASED));
  }

  @Test
  void aRefusedAllocationThatIsThere() {
    put("c", "10.0.0.1");
    assertFound("c was refused, and the store has it", event(1, Kind.REFUSED, "Exhausted"));
  }

  @Test
  void anotherAddressThanWasAcknowledged() {
    put("c", "10.0.0.2");
    assertFound(
        "c was given [10.0.0.1], and the store has [10.0.0.2]",
        event(1, Kind.ALLOCATED, "10.0.0.1"));
  }

  @Test
  void anAllocationThatItsFirstReleaseDoesNotFind() {
    assertFound(
        "c was given and is not found by its first release",
        event(1, Kind.ALLOCATED, "10.0.0.1"),
        event(2, Kind.RELEASES),
        event(3, Kind.NOT_FOUND));
  }

  @Test
  void anAllocationThatNobodyAskedFor() {
    put("d", "10.0.0.1");
    assertFound("d is in the store and nobody asked for it");
  }

  @Test
  void oneAddressOfTwoHostsAtOnceAlsoWhenBothHaveReleasedIt() {
    List<Event> one =
        List.of(
            event(1, Kind.ALLOCATED, "10.0.0.1"), event(5, Kind.RELEASES), event(6, Kind.RELEASED));
    List<Event> other =
        List.of(
            new Event(4, Kind.ALLOCATED, "d", List.of("10.0.0.1")),
            new Event(8, Kind.RELEASES, "d", List.of()),
            new Event(9, Kind.RELEASED, "d", List.of()));
    assertThat(check(List.of(one, other)).violations())
        .containsExactly("10.0.0.1 was c's and d's at once");
    List<Event> later =
        List.of(
            new Event(6, Kind.ALLOCATED, "d", List.of("10.0.0.1")),
            new Event(8, Kind.RELEASES, "d", List.of()),
            new Event(9, Kind.RELEASED, "d", List.of()));
    assertThat(check(List.of(one, later)).violations()).isEmpty();
  }

  @Test
  void outcomesThatNobodyKnowsAreWhatTheStoreSays() {
    put("c", "10.0.0.1");
    assertThat(onlyOfHosts(check(List.of(List.of(event(1, Kind.ALLOCATION_UNKNOWN)))))).isEmpty();
    assertThat(
            onlyOfHosts(
                check(
                    List.of(
                        List.of(
                            event(1, Kind.ALLOCATED, "10.0.0.1"),
                            event(2, Kind.RELEASES),
                            event(3, Kind.RELEASE_UNKNOWN))))))
        .isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "ipam/blocks/, is in no block",
    "ipam/handles/, is in use and has no handle: nobody can release it",
    "ipam/affinities/, affinities are of []",
    "resources/workloadendpoints/, has no owner record"
  })
  void aRecordThatIsMissing(String prefix, String symptom) {
    StressPools.forHosts(HOSTS).create(memory, deadline());
    Handle handle =
        new Ipam(memory, "h", Map::of, IpamOptions.defaults())
            .allocate(
                AllocationRequest.count("c", 1, 0)
                    .withOwner(
                        addresses ->
                            OwnerRecord.of(
                                "resources/workloadendpoints/c",
                                "{\"addresses\":[\"%s\"]}"
                                    .formatted(addresses.getFirst())
                                    .getBytes(StandardCharsets.UTF_8))),
                deadline());
    Event told = event(1, Kind.ALLOCATED, handle.addresses().getFirst().toString());
    assertThat(check(List.of(List.of(told))).violations()).isEmpty();
    for (Entry entry : memory.listAll(prefix, deadline()).entries()) {
      memory.commit(Transaction.builder().delete(entry.key()).build(), deadline());
    }
    assertFound(symptom, told);
  }

  /** A handle without its block and owner record, which is a violation of its own. */
  private void put(String handle, String address) {
    memory.commit(
        Transaction.builder()
            .put(
                "ipam/handles/" + handle,
                "{\"schema\":1,\"id\":\"%s\",\"node\":\"h\",\"owners\":[],\"addresses\":[{\"address\":\"%s\",\"block\":\"10.0.0.0/30\",\"incarnation\":\"1\"}]}"
                    .formatted(handle, address))
            .build(),
        deadline());
  }

  private static Event event(long nanos, Kind kind, String... words) {
    return new Event(nanos, kind, "c", List.of(words));
  }

  private void assertFound(String violation, Event... events) {
    assertThat(check(List.of(List.of(events))).violations())
        .anyMatch(found -> found.contains(violation));
  }

  private static List<String> onlyOfHosts(StressCheck check) {
    return check.violations().stream()
        .filter(found -> found.contains("was given") || found.contains("was released"))
        .toList();
  }

  private StressCheck check(List<List<Event>> logs) {
    return StressCheck.of(StoredAddresses.read(memory, deadline()), logs);
  }

  private static Deadline deadline() {
    return Deadline.after(Duration.ofSeconds(10));
  }
}
