package io.wayleave.test.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreException;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Datastores;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.OutcomeUnknownException;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.testing.BrokenDatastore;
import io.wayleave.ipam.AllocationRequest;
import io.wayleave.ipam.Handle;
import io.wayleave.ipam.Ipam;
import io.wayleave.ipam.IpamException;
import io.wayleave.ipam.IpamOptions;
import io.wayleave.ipam.OwnerRecord;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.test.ipam.StressLog.Kind;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;

/**
 * A host that allocates, releases, claims and gives up blocks until it is told to stop, and notes
 * each intent and each answer before it goes on. Killed and started again with the same log, it
 * takes over what it held. NOT thread safe.
 */
final class StressHost {
  /** More than there is of the pool, for each host. */
  private static final int MOST_HELD = 6;

  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** So much faster than the real one, so that a block is idle after three seconds. */
  private static final int CLOCK_SPEED = 20;

  /** What may be wrong with a host, to see whether the check finds it. */
  enum Defect {
    NONE {
      @Override
      Datastore in(Datastore store) {
        return store;
      }
    },
    /** Writes blocks whatever became of them since it read them. */
    WRITES_WITHOUT_COMPARING {
      @Override
      Datastore in(Datastore store) {
        return BrokenDatastore.withoutConditions(
            store, condition -> condition.key().startsWith(Keys.BLOCKS));
      }
    },
    /** Takes an allocation as done before it is committed. */
    NOTES_BEFORE_COMMIT {
      @Override
      Datastore in(Datastore store) {
        return store;
      }
    },
    /** Forgets the owner record. */
    WRITES_NO_OWNER {
      @Override
      Datastore in(Datastore store) {
        return BrokenDatastore.withoutOperations(
            store,
            operation ->
                operation instanceof Transaction.Put
                    && operation.key().startsWith("resources/workloadendpoints/"));
      }
    },
    /** Frees addresses and forgets to delete the handle. */
    LEAVES_HANDLES {
      @Override
      Datastore in(Datastore store) {
        return BrokenDatastore.withoutOperations(
            store,
            operation ->
                operation instanceof Transaction.Delete
                    && operation.key().startsWith(Keys.HANDLES));
      }
    };

    abstract Datastore in(Datastore store);
  }

  private final Datastore datastore;
  private final StressPools pools;
  private final String name;
  private final String run;
  private final StressLog log;
  private final Defect defect;
  private final SplittableRandom random;
  private final IpamOptions options;
  // Handles that it has, and those of which it does not know.
  private final List<String> held = new ArrayList<>();
  private final List<String> doubtful = new ArrayList<>();
  private Ipam ipam;
  private int names;

  /**
   * @param pools that the store has
   * @param run tells the handles of this start of the host from those of others
   * @param number decides what kind of host it is: some may not borrow, some have one block only
   * @param before what the log says already
   */
  StressHost(
      Datastore datastore,
      StressPools pools,
      String name,
      String run,
      int number,
      StressLog log,
      List<StressLog.Event> before,
      Defect defect,
      long seed,
      InstantSource clock) {
    this.datastore = defect.in(datastore);
    this.pools = pools;
    this.name = name;
    this.run = run;
    this.log = log;
    this.defect = defect;
    this.random = new SplittableRandom(seed);
    this.options =
        IpamOptions.defaults()
            .withClock(clock)
            .withStrictAffinity(number % 8 == 7)
            .withMaxBlocksPerHost(number % 8 == 6 ? 1 : 20);
    this.ipam = restarted();
    takeOver(before);
  }

  private Ipam restarted() {
    return new Ipam(datastore, name, Map::of, options);
  }

  private void takeOver(List<StressLog.Event> before) {
    Set<String> known = new HashSet<>();
    Set<String> open = new HashSet<>();
    for (StressLog.Event event : before) {
      switch (event.kind()) {
        case ALLOCATED -> {
          known.add(event.id());
          open.remove(event.id());
        }
        case ALLOCATES, RELEASES, ALLOCATION_UNKNOWN, RELEASE_UNKNOWN -> {
          known.remove(event.id());
          open.add(event.id());
        }
        case REFUSED, RELEASED, NOT_FOUND -> {
          known.remove(event.id());
          open.remove(event.id());
        }
        case CLAIMED, CLAIM_UNKNOWN -> {}
      }
    }
    held.addAll(known);
    doubtful.addAll(open);
  }

  /** Works until it is told to stop. */
  void run(BooleanSupplier stop) {
    try {
      while (!stop.getAsBoolean()) {
        step();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void step() throws IOException {
    int choice = random.nextInt(100);
    if (choice < 4) {
      claimOrGiveUp();
    } else if (choice < 5) {
      ipam = restarted();
    } else if (!doubtful.isEmpty() && choice < 20) {
      release(doubtful.removeFirst());
    } else if (held.isEmpty() || (held.size() < MOST_HELD && choice < 65)) {
      allocate();
    } else {
      release(held.remove(random.nextInt(held.size())));
    }
  }

  private void allocate() throws IOException {
    String id = name + "." + run + "." + names++;
    AllocationRequest request =
        switch (random.nextInt(10)) {
          case 0 -> AllocationRequest.oneOfEachFamily(id);
          case 1 -> AllocationRequest.count(id, 1 + random.nextInt(3), random.nextInt(3));
          case 2 -> AllocationRequest.oneOfEachFamily(id).withAddresses(List.of(anyAddress()));
          default -> AllocationRequest.count(id, 1, 0);
        };
    // Every fourth is of no endpoint, as those of wayleave-ipam are.
    boolean endpoint = random.nextInt(4) != 0;
    Early early = new Early(id, endpoint);
    log.note(Kind.ALLOCATES, id, List.of());
    try {
      Handle handle = ipam.allocate(request.withOwner(early::owner), deadline());
      if (!early.noted) {
        log.note(Kind.ALLOCATED, id, texts(handle.addresses()));
      }
      held.add(id);
    } catch (OutcomeUnknownException e) {
      log.note(Kind.ALLOCATION_UNKNOWN, id, List.of());
      doubtful.add(id);
    } catch (IpamException | DatastoreUnavailableException e) {
      if (!early.noted) {
        log.note(Kind.REFUSED, id, List.of(e.getClass().getSimpleName()));
      }
    }
  }

  /** Makes the owner record, and is where a host may believe too early that it has an address. */
  private final class Early {
    private final String id;
    private final boolean endpoint;
    private boolean noted;

    Early(String id, boolean endpoint) {
      this.id = id;
      this.endpoint = endpoint;
    }

    OwnerRecord owner(List<IpAddress> addresses) {
      if (defect == Defect.NOTES_BEFORE_COMMIT && !noted) {
        noted = true;
        try {
          log.note(Kind.ALLOCATED, id, texts(addresses));
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      }
      return endpoint
          ? OwnerRecord.of(
              "resources/workloadendpoints/" + id,
              ("{\"addresses\":[\"" + String.join("\",\"", texts(addresses)) + "\"]}")
                  .getBytes(StandardCharsets.UTF_8))
          : OwnerRecord.none();
    }
  }

  private static List<String> texts(List<IpAddress> addresses) {
    return addresses.stream().map(IpAddress::toString).toList();
  }

  private IpAddress anyAddress() {
    return pools.ipv4().address().plus(random.nextLong(pools.ipv4().size()));
  }

  private void release(String id) throws IOException {
    log.note(Kind.RELEASES, id, List.of());
    try {
      Ipam.Released released = ipam.release(id, Optional.empty(), deadline());
      Kind kind =
          switch (released) {
            case RELEASED -> Kind.RELEASED;
            case NOT_FOUND -> Kind.NOT_FOUND;
            case OTHER_GENERATION -> throw new AssertionError("no generation was asked for");
          };
      log.note(kind, id, List.of());
    } catch (DatastoreException | IpamException e) {
      log.note(Kind.RELEASE_UNKNOWN, id, List.of());
      doubtful.add(id);
    }
  }

  private void claimOrGiveUp() throws IOException {
    Cidr block = Cidr.around(anyAddress(), pools.ipv4Block());
    String id = block.toString();
    try {
      String what =
          random.nextBoolean()
              ? ipam.claimAffinity(block, deadline()).claimed().isEmpty() ? "refused" : "claimed"
              : ipam.releaseAffinity(block, deadline()) ? "given-up" : "not-own";
      log.note(Kind.CLAIMED, id, List.of(what));
    } catch (DatastoreException | IpamException e) {
      log.note(Kind.CLAIM_UNKNOWN, id, List.of(e.getClass().getSimpleName()));
    }
  }

  private static Deadline deadline() {
    return Deadline.after(PATIENCE);
  }

  /** The time since 1970, running faster since a moment that all hosts agree on. */
  static InstantSource clock(Instant since) {
    return () -> since.plus(Duration.between(since, Instant.now()).multipliedBy(CLOCK_SPEED));
  }

  /**
   * Arguments: URL, how many hosts there are, number of this one, log, seed, beginning of the run
   * in milliseconds since 1970, {@link Defect}.
   */
  public static void main(String[] arguments) throws IOException {
    AtomicBoolean stop = stopAtEndOfInput();
    int number = Integer.parseInt(arguments[2]);
    Path file = Path.of(arguments[3]);
    List<StressLog.Event> before = StressLog.read(file);
    try (StressLog log = StressLog.append(file);
        Datastore datastore = Datastores.open(arguments[0], DatastoreOptions.DEFAULTS)) {
      new StressHost(
              datastore,
              StressPools.forHosts(Integer.parseInt(arguments[1])),
              "host-" + number,
              Long.toString(ProcessHandle.current().pid()),
              number,
              log,
              before,
              Defect.valueOf(arguments[6]),
              Long.parseLong(arguments[4]),
              clock(Instant.ofEpochMilli(Long.parseLong(arguments[5]))))
          .run(stop::get);
    }
  }

  /** Becomes true when the process that started this one closes its end, or ends. */
  static AtomicBoolean stopAtEndOfInput() {
    AtomicBoolean stop = new AtomicBoolean();
    Thread.ofPlatform()
        .daemon()
        .start(
            () -> {
              try {
                long _ = System.in.transferTo(OutputStream.nullOutputStream());
              } catch (IOException _) {
                // It is gone.
              }
              stop.set(true);
            });
    return stop;
  }
}
