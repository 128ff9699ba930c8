package io.wayleave.policy.dataplane;

import static java.util.Objects.requireNonNull;

import io.wayleave.linux.ClosedFdException;
import io.wayleave.linux.LegacyTable;
import io.wayleave.linux.NetworkNamespace;
import io.wayleave.linux.netlink.Ipsets;
import io.wayleave.linux.netlink.NftablesEvent;
import io.wayleave.linux.netlink.NftablesMonitor;
import io.wayleave.model.Family;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongPredicate;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The watch on the real kernel, on a thread of its own, {@code wayleave-policy-watch}. It reads and
 * never writes; what it finds it tells by a callback, which is to read everything and repair it.
 *
 * <ul>
 *   <li>nf_tables tells each transaction and the process that made it: those of our own processes
 *       are left out, and so are chains that do not concern us.
 *   <li>The legacy tables tell nothing. Four times a second their shape is asked for, and less
 *       often their content, which costs more the more rules there are; it is compared with what we
 *       wrote.
 *   <li>Sets tell nothing either. Twice a second the number of their members is compared. A member
 *       that took another's place is not found so, but by the next resync.
 * </ul>
 *
 * <p>{@link #writing}, {@link #written} and {@link #close} may be called from any thread.
 */
final class KernelWatch implements TableWatch {
  private static final Logger log = LoggerFactory.getLogger(KernelWatch.class);

  private static final Duration TICK = Duration.ofMillis(250);

  /** Of two calls back; what happens meanwhile goes into the second. */
  private static final long PAUSE_NANOS = Duration.ofMillis(200).toNanos();

  private static final long SETS_NANOS = Duration.ofMillis(500).toNanos();
  private static final long CONTENT_NANOS = Duration.ofMillis(600).toNanos();

  /** So that reading whole tables takes at most a twentieth of a processor. */
  private static final long CONTENT_COST_FACTOR = 20;

  private static final Duration AFTER_FAILURE = Duration.ofSeconds(5);
  private static final Set<String> HOST_CHAINS = Set.of("INPUT", "FORWARD", "OUTPUT");
  private static final String TABLE = "filter";

  private final Optional<Path> namespace;
  private final IptablesBackend backend;
  private final Collection<Family> families;
  private final LongPredicate ours;
  private final Runnable onChange;
  private final Thread thread;
  private volatile boolean closed;

  /** Odd while a write goes on. */
  private final AtomicLong writes = new AtomicLong();

  private volatile Optional<KernelState> expected = Optional.empty();

  // Owned by the watch's thread, but for the monitor's wake-up.
  private final Map<Family, LegacyTable> legacy = new EnumMap<>(Family.class);
  private final Map<Family, Seen> good = new EnumMap<>(Family.class);
  private volatile Optional<NftablesMonitor> monitor = Optional.empty();
  private Optional<Ipsets> ipsets = Optional.empty();
  private long nextSets;
  private long nextContent;

  /** The number of writes when something was last found by looking, and since when. */
  private long foundAfter = -1;

  private long foundAt;

  /** A legacy table that was as it should be. */
  private record Seen(TableState wanted, LegacyTable.Shape shape, long hash) {}

  private KernelWatch(
      Optional<Path> namespace,
      IptablesBackend backend,
      Collection<Family> families,
      LongPredicate ours,
      Runnable onChange) {
    this.namespace = requireNonNull(namespace, "namespace is null");
    this.backend = requireNonNull(backend, "backend is null");
    this.families = Set.copyOf(families);
    this.ours = requireNonNull(ours, "ours is null");
    this.onChange = requireNonNull(onChange, "onChange is null");
    this.thread = Thread.ofPlatform().name("wayleave-policy-watch").daemon().unstarted(this::run);
  }

  /** As {@link TableWatch#start}. */
  static TableWatch start(
      Optional<Path> namespace,
      IptablesBackend backend,
      Collection<Family> families,
      LongPredicate ours,
      Runnable onChange) {
    KernelWatch watch = new KernelWatch(namespace, backend, families, ours, onChange);
    try {
      watch.open();
    } catch (IOException e) {
      watch.release();
      // Repair is slower then, by the resync; policy must not wait for that.
      log.error("the kernel's tables cannot be watched reason={}", e.getMessage());
      return TableWatch.none();
    }
    watch.thread.start();
    return watch;
  }

  @Override
  public void writing() {
    writes.incrementAndGet();
  }

  @Override
  public void written(Supplier<KernelState> now) {
    expected = Optional.of(now.get());
    writes.incrementAndGet();
  }

  @Override
  public void close() {
    closed = true;
    monitor.ifPresent(NftablesMonitor::wakeUp);
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void open() throws IOException {
    monitor = Optional.of(NetworkNamespace.runIn(namespace, NftablesMonitor::open));
    ipsets = Optional.of(NetworkNamespace.runIn(namespace, Ipsets::open));
    if (backend == IptablesBackend.LEGACY) {
      for (Family family : families) {
        legacy.put(family, NetworkNamespace.runIn(namespace, () -> LegacyTable.openFilter(family)));
      }
    }
  }

  private void release() {
    monitor.ifPresent(NftablesMonitor::close);
    ipsets.ifPresent(Ipsets::close);
    legacy.values().forEach(LegacyTable::close);
  }

  private void run() {
    boolean pending = false;
    long notBefore = System.nanoTime();
    try {
      while (!closed) {
        try {
          pending |= hear(pending ? notBefore - System.nanoTime() : TICK.toNanos());
          pending |= look(System.nanoTime());
        } catch (ClosedFdException e) {
          return;
        } catch (IOException e) {
          log.warn("the kernel's tables could not be looked at reason={}", e.getMessage());
          // What happened meanwhile is not known.
          pending = true;
          notBefore = System.nanoTime() + AFTER_FAILURE.toNanos();
        }
        long now = System.nanoTime();
        if (pending && now - notBefore >= 0) {
          pending = false;
          notBefore = now + PAUSE_NANOS;
          onChange.run();
        }
      }
    } catch (Throwable e) {
      // The resync goes on, so a defect here makes repair slower and no more.
      log.error("the watch of the kernel's tables ends", e);
    } finally {
      release();
    }
  }

  /** Waits a little; whether a process of others changed what concerns us. */
  private boolean hear(long nanos) throws IOException {
    boolean changed = false;
    Duration wait = Duration.ofNanos(Math.clamp(nanos, 0, TICK.toNanos()));
    for (NftablesEvent event : monitor.orElseThrow().poll(wait)) {
      changed |=
          backend == IptablesBackend.NFT
              && switch (event) {
                case NftablesEvent.Committed committed ->
                    !(committed.pid().isPresent() && ours.test(committed.pid().getAsLong()))
                        && committed.touched().stream().anyMatch(this::concernsUs);
                case NftablesEvent.Lost(String reason) -> {
                  log.debug("events of nf_tables were lost reason={}", reason);
                  yield true;
                }
              };
    }
    return changed;
  }

  private boolean concernsUs(NftablesEvent.Touched touched) {
    return touched.table().equals(TABLE)
        && families.contains(touched.family())
        && touched
            .chain()
            .map(chain -> ChainNames.isOurs(chain) || HOST_CHAINS.contains(chain))
            .orElse(true);
  }

  /** Whether what tells nothing is other than expected. */
  private boolean look(long now) throws IOException {
    long before = writes.get();
    Optional<KernelState> state = expected;
    if ((before & 1) == 1 || state.isEmpty()) {
      return false;
    }
    boolean changed = false;
    if (now - nextSets >= 0) {
      nextSets = now + SETS_NANOS;
      if (state.get().sets().isPresent()) {
        changed = !sizes().equals(state.get().sets().get());
      }
    }
    Map<Family, Seen> seen = new EnumMap<>(Family.class);
    boolean contentDue = now - nextContent >= 0;
    for (Map.Entry<Family, LegacyTable> table : legacy.entrySet()) {
      TableState wanted = state.get().tables().get(table.getKey());
      if (wanted != null) {
        Optional<Seen> found = look(table.getKey(), table.getValue(), wanted, contentDue);
        found.ifPresent(content -> seen.put(table.getKey(), content));
        changed |= found.isEmpty();
      }
    }
    if (contentDue) {
      long cost = System.nanoTime() - now;
      nextContent = now + Math.max(CONTENT_NANOS, cost * CONTENT_COST_FACTOR);
    }
    if (writes.get() != before) {
      // Our own write came between: what was seen may be half of it.
      return false;
    }
    good.clear();
    good.putAll(seen);
    return changed && isNews(before, now);
  }

  /** What was told already is told again only when no write followed for long. */
  private boolean isNews(long write, long now) {
    boolean news = write != foundAfter || now - foundAt >= AFTER_FAILURE.toNanos();
    if (news) {
      foundAfter = write;
      foundAt = now;
    }
    return news;
  }

  /** Empty when it is not as it should be. */
  private Optional<Seen> look(
      Family family, LegacyTable table, TableState wanted, boolean contentDue) throws IOException {
    LegacyTable.Shape shape = table.shape();
    Seen before = good.get(family);
    if (before != null && before.wanted().equals(wanted) && before.shape().equals(shape)) {
      if (!contentDue || before.hash() == table.hash()) {
        return Optional.of(before);
      }
    }
    LegacyTable.Content content = table.read();
    return wanted.describes(content.comments())
        ? Optional.of(new Seen(wanted, shape, content.hash()))
        : Optional.empty();
  }

  private Map<String, Integer> sizes() throws IOException {
    return ipsets.orElseThrow().sizes(ChainNames::isOurs);
  }
}
