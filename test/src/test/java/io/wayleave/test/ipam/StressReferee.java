package io.wayleave.test.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Datastores;
import io.wayleave.datastore.Deadline;
import io.wayleave.ipam.AllocationRequest;
import io.wayleave.ipam.Handle;
import io.wayleave.ipam.Ipam;
import io.wayleave.ipam.IpamException;
import io.wayleave.ipam.IpamOptions;
import io.wayleave.model.Cidr;
import io.wayleave.test.ipam.StressLog.Event;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * Creates the pools of a stress run, waits until its input ends, checks everything and prints what
 * it found. A process of its own, since it has to be in the namespace of the clients, and a thread
 * that visits a namespace takes its pools' threads along.
 */
final class StressReferee {
  /** The beginning of a printed line with what must not be. */
  static final String VIOLATION = "VIOLATION ";

  /** Printed when the pools are there. */
  static final String READY = "READY";

  private static final Duration START = Duration.ofSeconds(60);
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private StressReferee() {}

  /**
   * Arguments: URL, how many hosts there are, folder of their logs. Exit status: 0 all is well, 1
   * not.
   */
  @SuppressWarnings("SystemOut") // how it tells its parent
  public static void main(String[] arguments) throws IOException {
    AtomicBoolean stop = StressHost.stopAtEndOfInput();
    int hosts = Integer.parseInt(arguments[1]);
    StressPools pools = StressPools.forHosts(hosts);
    List<String> violations;
    try (Datastore datastore = Datastores.open(arguments[0], DatastoreOptions.DEFAULTS)) {
      awaitAnswer(datastore);
      pools.create(datastore, Deadline.after(START));
      System.out.println(READY);
      while (!stop.get()) {
        LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
      }
      StoredAddresses stored = StoredAddresses.read(datastore, Deadline.after(PATIENCE));
      StressCheck check = StressCheck.of(stored, logs(Path.of(arguments[2])));
      violations = new ArrayList<>(check.violations());
      System.out.println(stored + "; " + stored.pending().size() + " claims left pending");
      System.out.println(check);
      if (violations.isEmpty()) {
        violations.addAll(freeEverything(datastore, stored, pools, hosts));
      }
    }
    violations.forEach(violation -> System.out.println(VIOLATION + violation));
    System.exit(violations.isEmpty() ? 0 : 1);
  }

  private static void awaitAnswer(Datastore datastore) {
    Deadline deadline = Deadline.after(START);
    while (true) {
      try {
        var _ = datastore.get("none", Deadline.after(Duration.ofSeconds(1)));
        return;
      } catch (DatastoreUnavailableException e) {
        if (deadline.hasPassed()) {
          throw e;
        }
      }
    }
  }

  private static List<List<Event>> logs(Path folder) throws IOException {
    List<List<Event>> logs = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(each -> each.toString().endsWith(".log")).toList()) {
        logs.add(StressLog.read(file));
      }
    }
    return logs;
  }

  /**
   * Nothing is out of reach: every handle can be released, each host's next start takes back what
   * it had half-claimed, and then every address of the pools can be given.
   */
  private static List<String> freeEverything(
      Datastore datastore, StoredAddresses stored, StressPools pools, int hosts) {
    List<String> violations = new ArrayList<>();
    Ipam heir =
        new Ipam(datastore, "heir", Map::of, IpamOptions.defaults().withMaxBlocksPerHost(8));
    for (String id : stored.handles().keySet()) {
      Ipam.Released released = heir.release(id, Optional.empty(), Deadline.after(PATIENCE));
      if (released != Ipam.Released.RELEASED) {
        violations.add(id + " cannot be released: " + released);
      }
    }
    for (int i = 0; i < hosts; i++) {
      // Any operation of a host that starts begins with what its last end left.
      boolean _ =
          new Ipam(datastore, "host-" + i, Map::of, IpamOptions.defaults())
              .releaseAffinity(
                  new Cidr(pools.ipv4().address(), pools.ipv4Block()), Deadline.after(PATIENCE));
    }
    StoredAddresses empty = StoredAddresses.read(datastore, Deadline.after(PATIENCE));
    violations.addAll(empty.violations());
    empty.inUse().forEach(each -> violations.add(each + " is left after all was released"));
    empty.pending().forEach(each -> violations.add("the claim " + each + " is left"));
    // A block's worth at a time.
    int each = 1 << (32 - pools.ipv4Block());
    long given = 0;
    try {
      while (true) {
        AllocationRequest request = AllocationRequest.count("all-" + given, each, each);
        Handle _ = heir.allocate(request, Deadline.after(PATIENCE));
        given += each;
      }
    } catch (IpamException.Exhausted e) {
      if (given != pools.ipv4().size()) {
        violations.add(
            "of "
                + pools.ipv4().size()
                + " addresses "
                + given
                + " can be given, then: "
                + e.getMessage());
      }
    }
    return violations;
  }
}
