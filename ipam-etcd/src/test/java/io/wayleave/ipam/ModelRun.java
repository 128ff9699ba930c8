package io.wayleave.ipam;

import static io.wayleave.ipam.Fixture.deadline;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.OutcomeUnknownException;
import io.wayleave.datastore.ResourceConflictException;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.testing.DelegatingDatastore;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import io.wayleave.model.IpReservation;
import io.wayleave.model.Kind;
import io.wayleave.model.Metadata;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;

/**
 * One random history: several hosts allocate, release, claim, take over and give up blocks in small
 * pools, lose containers and collect what they left; nodes go and come back, a pool is made,
 * disabled, drained and deleted, addresses are reserved; commits fail in every way, or happen when
 * nobody waits for them, hosts crash and start again, and while one host is between planning and
 * writing, others get their turn. After each step the store is checked by {@link Invariants}, and
 * against what was acknowledged. The same seed gives the same history, after the same points. NOT
 * thread safe.
 */
final class ModelRun {
  private static final int HOSTS = 4;
  private static final int MAX_NESTING = 2;

  private final SplittableRandom random;
  private final MemoryDatastore memory = new MemoryDatastore();
  private final Invariants invariants = new Invariants(memory);
  private final FaultyDatastore store;
  private final Map<Integer, Ipam> hosts = new HashMap<>();
  private final Map<Integer, ModelFollower> followers = new HashMap<>();
  private final ModelLedger ledger = new ModelLedger();
  // Which change of the settings refused whom.
  private final Set<String> refusals = new HashSet<>();
  private final List<String> wrong = new ArrayList<>();
  private final List<Integer> busy = new ArrayList<>();
  private final List<Integer> away = new ArrayList<>();
  private final Map<Integer, GarbageCollector> collectors = new HashMap<>();
  private final ManualClock clock = new ManualClock();
  private final ModelPoints points;
  // What is being done this moment, the innermost last.
  private final Deque<Doing> doing = new ArrayDeque<>();
  private final List<String> history = new ArrayList<>();
  private final Map<FaultyDatastore.Fault, Integer> faults =
      new EnumMap<>(FaultyDatastore.Fault.class);
  private boolean delivering;
  // Nothing fails any more, and nobody else acts.
  private boolean calm;
  // Requests that are served together, by host.
  private final Map<String, ModelBatch> batches = new HashMap<>();
  private long happened;
  // Handles that are in use and asked for again this moment; of one host each.
  private final List<String> asked = new ArrayList<>();
  private int taken;
  private int names;
  private int exhausted;
  private int crashes;

  /** Sees each commit at the moment when it happens, or does not. */
  private final class Witness extends DelegatingDatastore {
    Witness() {
      super(memory);
    }

    @Override
    public TransactionResult commit(Transaction transaction, Deadline deadline) {
      TransactionResult result = super.commit(transaction, deadline);
      List<Handle> given = new ArrayList<>();
      for (Transaction.Operation operation : transaction.operations()) {
        if (operation instanceof Transaction.Put put && put.key().startsWith(Keys.HANDLES)) {
          given.add(Handle.fromJson(put.value()));
        }
      }
      if (!given.isEmpty()) {
        see(given, result);
      }
      return result;
    }
  }

  private void see(List<Handle> given, TransactionResult allocation) {
    switch (allocation) {
      case TransactionResult.Committed _ -> {
        for (Handle handle : given) {
          for (IpAddress address : handle.addresses()) {
            if (isReserved(address) && !handle.attributes().containsValue(address.toString())) {
              wrong.add(address + " of " + handle.id() + " is reserved, and nobody asked for it");
            }
          }
        }
      }
      case TransactionResult.Failed failed -> {
        String node = given.getFirst().node();
        // One that comes late may meet what its host knows by now.
        if (!delivering
            && failed.because(Keys.SETTINGS_GUARD)
            && !refusals.add(node + " " + failed.current().get(Keys.SETTINGS_GUARD))) {
          wrong.add(node + " was refused twice for one change of the settings");
        }
      }
    }
  }

  private boolean isReserved(IpAddress address) {
    return new ResourceStore(memory)
        .list(IpReservation.class, deadline()).resources().stream()
            .flatMap(reservation -> reservation.spec().reservedCIDRs().stream())
            .anyMatch(cidr -> cidr.contains(address));
  }

  /** An operation: whose, or nobody's in particular, and whether it collects garbage. */
  private record Doing(String host, boolean collects) {}

  /**
   * @param points counts where processes die; those that are seldom come to are preferred
   * @param breakage put between the hosts and the store; identity for the real thing
   */
  ModelRun(long seed, ModelPoints points, UnaryOperator<Datastore> breakage) {
    this.points = points;
    this.random = new SplittableRandom(seed);
    this.store = new FaultyDatastore(breakage.apply(new Witness()));
    Fixture healthy = new Fixture(memory);
    healthy.pool("v4", "10.0.0.0/28", 30);
    healthy.pool("v6", "fd00::/124", 126);
    for (int i = 0; i < HOSTS; i++) {
      setNode(i, true);
      start(i);
    }
    store.setScript(
        new FaultyDatastore.Script() {
          @Override
          public Optional<FaultyDatastore.Fault> next(Transaction transaction) {
            return atCommit(transaction);
          }

          @Override
          public void died(Transaction transaction, TransactionResult result) {
            if (result instanceof TransactionResult.Committed) {
              points.hit(new ModelPoints.Death(step(transaction), true));
            }
          }

          @Override
          public boolean failsRead(String key, boolean goesOn) {
            return atRead(ModelPoints.read(key), goesOn);
          }

          @Override
          public Optional<Integer> pageSize() {
            return Optional.of(1 + random.nextInt(4));
          }
        });
  }

  /** What was done, for the message of a failure. */
  List<String> history() {
    return history;
  }

  Map<FaultyDatastore.Fault, Integer> faults() {
    return faults;
  }

  int crashes() {
    return crashes;
  }

  /** How often a request was refused because nothing was free. */
  int exhausted() {
    return exhausted;
  }

  /**
   * Takes that many steps, those in the middle of others counted, and more until processes have
   * died twice.
   *
   * @return what does not hold after one of them, or nothing
   */
  List<String> run(int steps) {
    while (taken < steps || crashes < 2) {
      var _ = step();
      watch();
      if (random.nextInt(4) == 0) {
        deliver();
        wrong.addAll(violations());
      }
      if (!wrong.isEmpty()) {
        return wrong;
      }
    }
    return watched();
  }

  /** What followers do not see when nothing is in their way any more. */
  private List<String> watched() {
    calm = true;
    // What they did themselves counts for a second at most, told or not.
    clock.pass(Duration.ofSeconds(2));
    List<String> found = new ArrayList<>();
    followers.forEach(
        (host, follower) -> {
          follower.comeUpToDate();
          follower
              .compare(invariants.records(Block.class))
              .forEach(difference -> found.add("h" + host + ": " + difference));
        });
    return found;
  }

  private List<String> violations() {
    List<String> found = new ArrayList<>(invariants.violations());
    found.addAll(ledger.compare(invariants.records(Handle.class), asked));
    List<Cidr> pools =
        invariants.records(IpPool.class).stream().map(pool -> pool.spec().cidr()).toList();
    for (Block block : invariants.records(Block.class)) {
      if (pools.stream().noneMatch(pool -> pool.contains(block.cidr()))) {
        found.add("block " + block + " is in no pool");
      }
    }
    return found;
  }

  /** False: that host is busy, or gone. */
  private boolean step() {
    int host = random.nextInt(HOSTS);
    if (busy.contains(host) || away.contains(host)) {
      return false;
    }
    act(host);
    return true;
  }

  private void act(int host) {
    happened++;
    busy.add(host);
    String what = "nothing";
    try {
      what = operate(host);
    } catch (FaultyDatastore.Crash _) {
      what = "crash";
      crashes++;
      start(host);
    } catch (DatastoreUnavailableException _) {
      what = "unavailable";
    } catch (IpamException.Exhausted _) {
      what = "exhausted";
      exhausted++;
    } catch (IpamException.AddressRefused
        | IpamException.Contended
        | Pools.InUseException
        | ResourceConflictException e) {
      what = e.getMessage();
    } finally {
      busy.remove(Integer.valueOf(host));
      history.add("h" + host + ": " + what);
    }
    taken++;
    wrong.addAll(violations());
  }

  private String operate(int host) {
    int choice = random.nextInt(100);
    if (choice < 21) {
      return administer(choice);
    }
    doing.push(new Doing("h" + host, choice < 33));
    try {
      return operate(host, hosts.get(host), choice);
    } finally {
      doing.pop();
    }
  }

  private String operate(int host, Ipam ipam, int choice) {
    if (choice < 33) {
      // Twice, for it believes nothing that it sees for the first time.
      var seen = collectors.get(host).collect(deadline());
      return "collect " + seen + collectors.get(host).collect(deadline());
    }
    if (choice < 60) {
      return allocate(host, ipam);
    }
    if (choice < 85) {
      return release(ipam);
    }
    if (choice < 90) {
      Cidr range =
          random.nextBoolean()
              ? Cidr.parse("10.0.0.0/28")
              : new Cidr(IpAddress.parse("10.0.0.0").plus(4L * random.nextInt(4)), 30);
      return "claim " + ipam.claimAffinity(range, deadline());
    }
    if (choice < 96) {
      Cidr block = new Cidr(IpAddress.parse("10.0.0.0").plus(4L * random.nextInt(4)), 30);
      return "give up " + block + " " + ipam.releaseAffinity(block, deadline());
    }
    start(host);
    return "restart";
  }

  /** What people do, and what happens to them. */
  private String administer(int choice) {
    if (choice < 5) {
      clock.pass(Duration.ofSeconds(1 + random.nextInt(400)));
      return "time passes";
    }
    if (choice < 9) {
      List<String> lost = new ArrayList<>();
      for (int i = 1 + random.nextInt(6); i > 0 && !ledger.held().isEmpty(); i--) {
        List<String> ids = ledger.held();
        lost.add(ids.get(random.nextInt(ids.size())));
        ledger.unsettle(List.of(lost.getLast()));
      }
      return "containers lost " + lost;
    }
    if (choice < 11) {
      return comeAndGo();
    }
    doing.push(new Doing("", false));
    try {
      return choice < 12 ? changeReservation(store) : changePool(new Pools(store), choice);
    } finally {
      doing.pop();
    }
  }

  /** A node goes for good, as far as its containers are concerned, or is put in again. */
  private String comeAndGo() {
    int node = random.nextInt(HOSTS);
    if (away.contains(node)) {
      return comeBack(node);
    }
    if (busy.contains(node) || away.size() == 2) {
      return "no node goes";
    }
    away.add(node);
    setNode(node, false);
    leaveClaim(node);
    ledger.strand(node, handles());
    return "node gone h" + node;
  }

  private String comeBack(int node) {
    away.remove(Integer.valueOf(node));
    setNode(node, true);
    ledger.adopt(node, handles());
    start(node);
    return "node back h" + node;
  }

  /** It went in the middle of a claim. */
  private void leaveClaim(int node) {
    Cidr block = new Cidr(IpAddress.parse("10.0.0.0").plus(4L * random.nextInt(4)), 30);
    String key = IpamKeys.affinity("h" + node, block);
    var _ =
        memory.commit(
            Transaction.builder()
                .ifAbsent(key)
                .put(key, new Affinity("h" + node, block, Affinity.State.PENDING).toJson())
                .build(),
            deadline());
  }

  private List<Handle> handles() {
    return new IpamInspector(memory).handles(deadline()).handles();
  }

  private void setNode(int node, boolean exists) {
    String key = ResourceStore.key(Kind.NODE, "h" + node);
    Transaction.Builder transaction = Transaction.builder();
    var _ =
        memory.commit(
            (exists ? transaction.put(key, "{}") : transaction.delete(key)).build(), deadline());
  }

  private String changeReservation(Datastore through) {
    String name = "r";
    IpamSettings settings = new IpamSettings(through);
    if (memory.get(ResourceStore.key(Kind.IP_RESERVATION, name), deadline()).isPresent()) {
      settings.delete(Kind.IP_RESERVATION, name, deadline());
      return "reservation deleted";
    }
    Cidr kept = new Cidr(IpAddress.parse("10.0.0.0").plus(4L * random.nextInt(4)), 30);
    settings.create(
        new IpReservation(Metadata.of(name), new IpReservation.Spec(List.of(kept))), deadline());
    return "reservation of " + kept;
  }

  private String changePool(Pools pools, int choice) {
    String name = "p";
    boolean there = memory.get(ResourceStore.key(Kind.IP_POOL, name), deadline()).isPresent();
    if (!there) {
      pools.create(Fixture.poolOf(name, "10.0.1.0/29", 30), deadline());
      return "pool created";
    }
    if (choice < 14) {
      return "pool changed " + pools.setDisabled(name, random.nextBoolean(), deadline());
    }
    if (choice < 17) {
      return "pool drained " + pools.drain(name, deadline());
    }
    pools.delete(name, false, deadline());
    return "pool deleted";
  }

  private String allocate(int host, Ipam ipam) {
    if (!ledger.held().isEmpty() && random.nextInt(8) == 0) {
      return allocateTwice(ipam);
    }
    if (random.nextInt(4) == 0) {
      clock.pass(Duration.ofMinutes(2)); // idle blocks are anybody's
    }
    if (random.nextInt(4) == 0) {
      return together(ipam, batch -> batch.allocate(requests(host)));
    }
    AllocationRequest request = request(host);
    String id = request.handle();
    ledger.unsettle(List.of(id));
    try {
      Handle handle = ipam.allocate(request, deadline());
      var _ = ledger.given(id, handle.addresses());
      return "allocate " + id + " " + handle.addresses();
    } catch (IpamException | DatastoreUnavailableException e) {
      if (!(e instanceof OutcomeUnknownException)) {
        ledger.refused(id);
      }
      throw e;
    }
  }

  private String together(Ipam ipam, Function<ModelBatch, String> operation) {
    ModelBatch batch = new ModelBatch(ledger, points, random, ipam);
    batches.put(ipam.node(), batch);
    try {
      return operation.apply(batch);
    } finally {
      batches.remove(ipam.node());
    }
  }

  /** Whether a transaction is under way that deletes this handle. */
  private boolean goesLate(String id) {
    return store.underWay().stream()
        .flatMap(late -> late.operations().stream())
        .anyMatch(
            each -> each instanceof Transaction.Delete && each.key().equals(IpamKeys.handle(id)));
  }

  private List<AllocationRequest> requests(int host) {
    List<AllocationRequest> requests = new ArrayList<>();
    for (int i = 2 + random.nextInt(3); i > 0; i--) {
      requests.add(request(host));
    }
    return requests;
  }

  private AllocationRequest request(int host) {
    String id = "h" + host + ".c" + names++;
    AllocationRequest request =
        switch (random.nextInt(5)) {
          case 0 -> AllocationRequest.oneOfEachFamily(id);
          case 1 -> AllocationRequest.count(id, 1 + random.nextInt(4), 0);
          case 2 -> {
            IpAddress named = IpAddress.parse("10.0.0.0").plus(random.nextInt(16));
            yield AllocationRequest.oneOfEachFamily(id)
                .withAddresses(List.of(named))
                .withAttributes(Map.of("named", named.toString()));
          }
          default -> AllocationRequest.count(id, 1, 0);
        };
    return random.nextInt(4) == 0
        ? request
        : request.withOwner(addresses -> Fixture.owner(id, addresses));
  }

  /** A transaction whose outcome its sender does not know reaches the store now. */
  private void deliver() {
    List<Transaction> underWay = store.underWay();
    if (underWay.isEmpty()) {
      return;
    }
    Transaction late = underWay.get(random.nextInt(underWay.size()));
    happened++;
    delivering = true;
    TransactionResult result;
    try {
      result = store.deliver(late, deadline());
    } catch (DatastoreUnavailableException _) {
      return; // a store with a defect; nobody waits for its answer
    } finally {
      delivering = false;
    }
    if (!(result instanceof TransactionResult.Committed)) {
      history.add("too late: " + late);
      return;
    }
    history.add("late: " + late);
    for (Transaction.Operation operation : late.operations()) {
      if (operation instanceof Transaction.Put put && put.key().startsWith(Keys.HANDLES)) {
        ledger.arrived(Handle.fromJson(put.value()).id());
      }
    }
  }

  /** Asks again for a handle that is in use, as a runtime with a defect does. */
  private String allocateTwice(Ipam ipam) {
    List<String> ids = ledger.held();
    String id = ids.get(random.nextInt(ids.size()));
    boolean known = false;
    // Another host may release it meanwhile, so that this one gets it.
    asked.add(id);
    try {
      Handle handle =
          ipam.allocate(
              AllocationRequest.count(id, 1, 0)
                  .withOwner(addresses -> Fixture.owner(id, addresses)),
              deadline());
      known = true;
      if (!ledger.given(id, handle.addresses())) {
        wrong.add(id + " was given twice");
      }
      // Another host had released it between the choice and the commit.
      return "allocate again " + id + " " + handle.addresses();
    } catch (IpamException.HandleExists _) {
      known = true;
      return "refused " + id;
    } catch (IpamException | DatastoreUnavailableException e) {
      known = !(e instanceof OutcomeUnknownException);
      throw e;
    } finally {
      asked.remove(id);
      if (!known && !ledger.isHeld(id)) {
        ledger.unsettle(List.of(id));
      }
    }
  }

  /**
   * Releases something, or some at once: given, or of unknown outcome; at times twice, at times by
   * another host.
   */
  private String release(Ipam ipam) {
    List<String> candidates = new ArrayList<>(ledger.held());
    if (random.nextInt(3) == 0) { // the rest is left to the collector
      candidates.addAll(ledger.unsettled().stream().filter(this::ownerIsIdle).toList());
    }
    if (candidates.isEmpty()) {
      return "nothing to release";
    }
    List<String> chosen = new ArrayList<>();
    for (int i = 1 + random.nextInt(3); i > 0; i--) {
      chosen.add(candidates.get(random.nextInt(candidates.size())));
    }
    if (random.nextInt(3) == 0) {
      return together(ipam, batch -> batch.release(chosen, () -> happened, this::goesLate));
    }
    Map<String, Predicate<Handle>> meant = new TreeMap<>();
    chosen.forEach(id -> meant.put(id, _ -> true));
    ledger.releasing(meant.keySet());
    int before = ledger.arrivals();
    Map<String, Ipam.Released> released = ipam.releaseAll(meant, List.of(), deadline());
    Set<String> settled = new HashSet<>(released.keySet());
    // One that was not there yet may have come while the others were released.
    settled.removeIf(
        id -> released.get(id) == Ipam.Released.NOT_FOUND && ledger.arrivedSince(before, id));
    ledger.gone(settled);
    return "release " + released;
  }

  /** A release of what is being allocated this moment would be settled in either order. */
  private boolean ownerIsIdle(String id) {
    return busy.stream().noneMatch(host -> id.startsWith("h" + host + "."));
  }

  private void start(int host) {
    Ipam ipam = new Fixture(store).host("h" + host, options(host));
    hosts.put(host, ipam);
    followers.remove(host);
    if (random.nextInt(4) != 0) {
      ModelFollower follower =
          new ModelFollower(
              store,
              clock::nanoTime,
              random,
              points,
              entry ->
                  !memory
                      .get(entry.key(), deadline())
                      .map(Entry::version)
                      .equals(Optional.of(entry.version())));
      ipam.watch(follower.blocks());
      followers.put(host, follower);
    }
    collectors.put(
        host,
        new GarbageCollector(
            store,
            ipam,
            // A host collects in its own turn, so none of its allocations is under way.
            handle -> ledger.isHeld(handle.id()),
            Duration.ZERO,
            clock::nanoTime));
  }

  private IpamOptions options(int host) {
    return IpamOptions.defaults()
        .withStrictAffinity(host == 3)
        .withMaxBlocksPerHost(host == 2 ? 1 : 20)
        .withClock(clock)
        .withRandom(random.split());
  }

  /** Others act, and what is under way arrives; now and then. */
  private void meanwhile() {
    while (busy.size() < MAX_NESTING && random.nextInt(4) == 0) {
      var _ = step();
    }
    if (random.nextInt(8) == 0) {
      deliver();
    }
    watch();
  }

  /** Watches tell something, or nothing. */
  private void watch() {
    for (ModelFollower follower : List.copyOf(followers.values())) {
      if (random.nextInt(4) == 0) {
        follower.step();
      }
    }
    if (random.nextInt(200) == 0) {
      memory.compact();
    }
  }

  /** Others may act first; then the read may fail. */
  private boolean atRead(ModelPoints.Read read, boolean goesOn) {
    if (calm) {
      return false;
    }
    ModelPoints.Reading others =
        new ModelPoints.Reading(
            read,
            goesOn
                ? ModelPoints.When.OTHERS_ACT_BETWEEN_PAGES
                : ModelPoints.When.OTHERS_ACT_BEFORE);
    if (random.nextInt(points.wants(others) ? 3 : 12) == 0) {
      long before = happened;
      meanwhile();
      if (happened > before) {
        points.hit(others);
      }
    }
    if (read == ModelPoints.Read.SETTINGS && random.nextInt(16) == 0) {
      happened++;
      history.add(changeReservation(memory)); // just then
    }
    ModelPoints.Reading failure = new ModelPoints.Reading(read, ModelPoints.When.FAILS);
    if (random.nextInt(points.wants(failure) ? 20 : 200) != 0) {
      return false;
    }
    points.hit(failure);
    return true;
  }

  /** Others may act first; then the commit may fail. */
  private Optional<FaultyDatastore.Fault> atCommit(Transaction transaction) {
    meanwhile();
    if (doing.peek().collects() && !away.isEmpty() && random.nextInt(8) == 0) {
      happened++;
      history.add(comeBack(away.getFirst()));
    }
    ModelBatch batch = batches.get(doing.peek().host());
    if (batch != null) {
      batch.atCommit();
    }
    ModelPoints.Step step = step(transaction);
    ModelPoints.Death point = new ModelPoints.Death(step, random.nextBoolean());
    // Where processes seldom died so far, they die more often.
    ModelPoints.Death other = new ModelPoints.Death(step, !point.afterCommit());
    if (points.hits(other) < points.hits(point)) {
      point = other;
    }
    int chance = points.wants(point) ? 2 : crashes < 2 ? 20 : 80;
    if (random.nextInt(chance) == 0) {
      if (!point.afterCommit()) {
        points.hit(point); // else when it is committed
      }
      return fault(
          point.afterCommit()
              ? FaultyDatastore.Fault.CRASH_AFTER
              : FaultyDatastore.Fault.CRASH_BEFORE);
    }
    return switch (random.nextInt(50)) {
      case 0 -> fault(FaultyDatastore.Fault.UNAVAILABLE);
      case 1 -> fault(FaultyDatastore.Fault.LOST_REQUEST);
      case 2 -> fault(FaultyDatastore.Fault.LOST_ANSWER);
      case 3 -> fault(FaultyDatastore.Fault.LATE);
      default -> Optional.empty();
    };
  }

  private ModelPoints.Step step(Transaction transaction) {
    return ModelPoints.step(transaction, doing.peek().host(), doing.peek().collects());
  }

  private Optional<FaultyDatastore.Fault> fault(FaultyDatastore.Fault fault) {
    faults.merge(fault, 1, Integer::sum);
    return Optional.of(fault);
  }
}
