package io.wayleave.ipam;

import static io.wayleave.ipam.Fixture.deadline;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * One random history: several hosts allocate, release, claim and give up blocks in a small pool;
 * commits fail in every way, hosts crash and start again, and while one host is between planning
 * and writing, others get their turn. After each step the store is checked by {@link Invariants},
 * and against what was acknowledged. The same seed gives the same history. NOT thread safe.
 */
final class ModelRun {
  private static final int HOSTS = 4;
  private static final int MAX_NESTING = 2;

  private final SplittableRandom random;
  private final MemoryDatastore memory = new MemoryDatastore();
  private final FaultyDatastore store;
  private final Map<Integer, Ipam> hosts = new HashMap<>();
  // Acknowledged allocations, and those whose outcome their owner does not know.
  private final Map<String, List<IpAddress>> acknowledged = new TreeMap<>();
  private final List<String> unsettled = new ArrayList<>();
  private final List<Integer> busy = new ArrayList<>();
  private final List<String> history = new ArrayList<>();
  private final Map<FaultyDatastore.Fault, Integer> faults =
      new EnumMap<>(FaultyDatastore.Fault.class);
  private int names;
  private int exhausted;

  /**
   * @param breakage put between the hosts and the store; identity for the real thing
   */
  ModelRun(long seed, UnaryOperator<Datastore> breakage) {
    this.random = new SplittableRandom(seed);
    this.store = new FaultyDatastore(breakage.apply(memory));
    Fixture healthy = new Fixture(memory);
    healthy.pool("v4", "10.0.0.0/28", 30);
    healthy.pool("v6", "fd00::/124", 126);
    for (int i = 0; i < HOSTS; i++) {
      start(i);
    }
    store.setScript(_ -> atCommit());
  }

  /** What was done, for the message of a failure. */
  List<String> history() {
    return history;
  }

  Map<FaultyDatastore.Fault, Integer> faults() {
    return faults;
  }

  /** How often a request was refused because nothing was free. */
  int exhausted() {
    return exhausted;
  }

  /** Takes that many steps; what does not hold after one of them, or nothing. */
  List<String> run(int steps) {
    for (int i = 0; i < steps; i++) {
      step();
      List<String> violations = violations();
      if (!violations.isEmpty()) {
        return violations;
      }
    }
    return List.of();
  }

  private List<String> violations() {
    List<String> found = new ArrayList<>(Invariants.violations(memory));
    Map<String, List<IpAddress>> stored = new TreeMap<>();
    new IpamInspector(memory)
        .handles(deadline())
        .handles()
        .forEach(handle -> stored.put(handle.id(), handle.addresses()));
    acknowledged.forEach(
        (id, addresses) -> {
          if (!addresses.equals(stored.get(id))) {
            found.add(id + " was given " + addresses + ", and the store has " + stored.get(id));
          }
        });
    for (String id : stored.keySet()) {
      if (!acknowledged.containsKey(id) && !unsettled.contains(id)) {
        found.add(id + " was released, or never given, and the store has it");
      }
    }
    return found;
  }

  private void step() {
    int host = random.nextInt(HOSTS);
    if (!busy.contains(host)) {
      act(host);
    }
  }

  private void act(int host) {
    busy.add(host);
    String what = "nothing";
    try {
      what = operate(host);
    } catch (FaultyDatastore.Crash _) {
      what = "crash";
      start(host);
    } catch (DatastoreUnavailableException _) {
      what = "unavailable";
    } catch (IpamException.Exhausted _) {
      what = "exhausted";
      exhausted++;
    } catch (IpamException.AddressRefused | IpamException.Contended e) {
      what = e.getMessage();
    } finally {
      busy.remove(Integer.valueOf(host));
      history.add("h" + host + ": " + what);
    }
  }

  private String operate(int host) {
    Ipam ipam = hosts.get(host);
    int choice = random.nextInt(100);
    if (choice < 45) {
      return allocate(host, ipam);
    }
    if (choice < 80) {
      return release(ipam);
    }
    if (choice < 85) {
      Cidr block = new Cidr(IpAddress.parse("10.0.0.0").plus(4L * random.nextInt(4)), 30);
      return "claim " + ipam.claimAffinity(block, deadline());
    }
    if (choice < 95) {
      Cidr block = new Cidr(IpAddress.parse("10.0.0.0").plus(4L * random.nextInt(4)), 30);
      return "give up " + block + " " + ipam.releaseAffinity(block, deadline());
    }
    start(host);
    return "restart";
  }

  private String allocate(int host, Ipam ipam) {
    if (!acknowledged.isEmpty() && random.nextInt(8) == 0) {
      return allocateTwice(ipam);
    }
    String id = "h" + host + ".c" + names++;
    AllocationRequest request =
        switch (random.nextInt(4)) {
          case 0 -> AllocationRequest.oneOfEachFamily(id);
          case 1 -> AllocationRequest.count(id, 1 + random.nextInt(5), 0);
          case 2 ->
              AllocationRequest.oneOfEachFamily(id)
                  .withAddresses(List.of(IpAddress.parse("10.0.0.0").plus(random.nextInt(16))));
          default -> AllocationRequest.count(id, 1, 0);
        };
    unsettled.add(id);
    Handle handle =
        ipam.allocate(request.withOwner(addresses -> Fixture.owner(id, addresses)), deadline());
    unsettled.remove(id);
    acknowledged.put(id, handle.addresses());
    return "allocate " + id + " " + handle.addresses();
  }

  /** Asks again for a handle that is in use, as a runtime with a defect does. */
  private String allocateTwice(Ipam ipam) {
    List<String> ids = List.copyOf(acknowledged.keySet());
    String id = ids.get(random.nextInt(ids.size()));
    boolean known = false;
    try {
      Handle handle =
          ipam.allocate(
              AllocationRequest.count(id, 1, 0)
                  .withOwner(addresses -> Fixture.owner(id, addresses)),
              deadline());
      known = true;
      if (acknowledged.putIfAbsent(id, handle.addresses()) != null) {
        return id + " was given twice, which the check of the addresses will find";
      }
      // Another host had released it between the choice and the commit.
      return "allocate again " + id + " " + handle.addresses();
    } catch (IpamException.HandleExists _) {
      known = true;
      return "refused " + id;
    } finally {
      if (!known && !acknowledged.containsKey(id)) {
        unsettled.add(id);
      }
    }
  }

  /** Releases something: given, or of unknown outcome; at times twice, at times by another host. */
  private String release(Ipam ipam) {
    List<String> candidates = new ArrayList<>(acknowledged.keySet());
    candidates.addAll(unsettled.stream().filter(this::ownerIsIdle).toList());
    if (candidates.isEmpty()) {
      return "nothing to release";
    }
    String id = candidates.get(random.nextInt(candidates.size()));
    acknowledged.remove(id);
    unsettled.remove(id);
    unsettled.add(id);
    Ipam.Released released = ipam.release(id, Optional.empty(), deadline());
    unsettled.remove(id);
    return "release " + id + " " + released;
  }

  /** A release of what is being allocated this moment would be settled in either order. */
  private boolean ownerIsIdle(String id) {
    return busy.stream().noneMatch(host -> id.startsWith("h" + host + "."));
  }

  private void start(int host) {
    hosts.put(host, new Fixture(store).host("h" + host, options(host)));
  }

  private IpamOptions options(int host) {
    return IpamOptions.defaults()
        .withStrictAffinity(host == 3)
        .withMaxBlocksPerHost(host == 2 ? 1 : 20)
        .withRandom(random.split());
  }

  /** Another host may act first; then the commit may fail. */
  private Optional<FaultyDatastore.Fault> atCommit() {
    if (busy.size() < MAX_NESTING && random.nextInt(4) == 0) {
      step();
    }
    if (random.nextInt(12) != 0) {
      return Optional.empty();
    }
    FaultyDatastore.Fault[] all = FaultyDatastore.Fault.values();
    FaultyDatastore.Fault fault = all[random.nextInt(all.length)];
    faults.merge(fault, 1, Integer::sum);
    return Optional.of(fault);
  }
}
