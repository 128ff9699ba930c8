package io.wayleave.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.Page;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Revision;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.Version;
import io.wayleave.datastore.Watch;
import io.wayleave.datastore.WatchEvent;
import io.wayleave.datastore.testing.BrokenDatastore;
import io.wayleave.datastore.testing.DelegatingDatastore;
import io.wayleave.model.Kind;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/** Defects of IPAM and of its stores, each of which some random history must find. */
final class ModelDefects {
  private ModelDefects() {}

  /** What it is, what it does to a store, and what a history says of it. */
  static Stream<Arguments> all() {
    return Stream.of(
        Arguments.of(
            "blocks are written whatever their state",
            withoutConditions(condition -> condition.key().startsWith(Keys.BLOCKS)),
            "has two holders"),
        Arguments.of(
            "a handle is overwritten",
            withoutConditions(
                condition ->
                    condition instanceof Transaction.Absent
                        && (condition.key().startsWith(Keys.HANDLES)
                            || condition.key().startsWith(Keys.RESOURCES))),
            "has no handle"),
        Arguments.of(
            "the handle is not written",
            withoutOperations(
                operation ->
                    operation instanceof Transaction.Put
                        && operation.key().startsWith(Keys.HANDLES)),
            "has no handle"),
        Arguments.of(
            "the handle is not deleted",
            withoutOperations(
                operation ->
                    operation instanceof Transaction.Delete
                        && operation.key().startsWith(Keys.HANDLES)),
            "is free in its block"),
        Arguments.of(
            "the block is not written",
            withoutOperations(operation -> operation.key().startsWith(Keys.BLOCKS)),
            "is in no block"),
        Arguments.of(
            "the owner record is not written",
            withoutOperations(
                operation ->
                    operation instanceof Transaction.Put
                        && operation.key().startsWith(Keys.RESOURCES)),
            "has no owner record"),
        Arguments.of(
            "the owner record is not deleted",
            withoutOperations(
                operation ->
                    operation instanceof Transaction.Delete
                        && operation.key().startsWith(Keys.RESOURCES)),
            "has no handle"),
        Arguments.of(
            "the plain owner record is not written",
            withoutOperations(
                operation ->
                    operation instanceof Transaction.Put
                        && operation.key().startsWith(IpamKeys.OWNERS)),
            "has no owner record"),
        Arguments.of(
            "an allocation does not mind its pool",
            withoutConditions(
                condition -> condition.key().startsWith(ResourceStore.prefix(Kind.IP_POOL))),
            "is in no pool"),
        Arguments.of(
            "an allocation does not mind reservations",
            withoutConditions(condition -> condition.key().equals(Keys.SETTINGS_GUARD)),
            "is reserved"),
        Arguments.of(
            "the affinity is not deleted",
            withoutOperations(
                operation ->
                    operation instanceof Transaction.Delete
                        && operation.key().startsWith(Keys.AFFINITIES)),
            "affinity"),
        Arguments.of(
            "an acknowledged allocation is lost", forgetful(ModelDefects::allocates), "was given"),
        Arguments.of(
            "an acknowledged release did nothing",
            forgetful(ModelDefects::releases),
            "was released, or never given"),
        Arguments.of(
            "a refused allocation is written all the same",
            (UnaryOperator<Datastore>) Untruthful::new,
            "was released, or never given"),
        Arguments.of(
            "an allocation takes whatever handle it finds for its own",
            (UnaryOperator<Datastore>) Flattering::new,
            "was given twice"),
        Arguments.of(
            "a collection does not mind that the node is back",
            withoutConditions(
                condition ->
                    condition instanceof Transaction.Absent
                        && condition.key().startsWith(ResourceStore.prefix(Kind.NODE))),
            "was given"),
        Arguments.of(
            "what a change of the settings bumps is read after them",
            (UnaryOperator<Datastore>) LateGuard::new,
            "is reserved"),
        Arguments.of("a watch loses changes", unsteady(events -> List.of()), "the watch has told"),
        Arguments.of(
            "a watch tells a block as it was before, as if it were so now",
            outdated(),
            "is used in"),
        Arguments.of(
            "the last of several allocated together is not written",
            withoutLast(ModelDefects::isHandlePut),
            "was given"),
        Arguments.of(
            "the last of several released together is not deleted",
            withoutLast(ModelDefects::isHandleDelete),
            "is free in its block"));
  }

  private static boolean allocates(Transaction transaction) {
    return transaction.operations().stream().anyMatch(ModelDefects::isHandlePut);
  }

  private static boolean releases(Transaction transaction) {
    return transaction.operations().stream().anyMatch(ModelDefects::isHandleDelete);
  }

  private static UnaryOperator<Datastore> forgetful(Predicate<Transaction> forgotten) {
    return store -> new Forgetful(store, forgotten);
  }

  /** Acknowledges each tenth of certain transactions and does not do it. */
  private static final class Forgetful extends DelegatingDatastore {
    private final Predicate<Transaction> forgotten;
    private int count;

    Forgetful(Datastore delegate, Predicate<Transaction> forgotten) {
      super(delegate);
      this.forgotten = forgotten;
    }

    @Override
    public TransactionResult commit(Transaction transaction, Deadline deadline) {
      if (!forgotten.test(transaction) || ++count % 10 != 0) {
        return super.commit(transaction, deadline);
      }
      Map<String, Version> versions = new HashMap<>();
      transaction.operations().forEach(each -> versions.put(each.key(), new Version("1")));
      return new TransactionResult.Committed(
          super.list("", Optional.empty(), 1, deadline).revision(), versions);
    }
  }

  /** Does each tenth allocation and says that it did not get it. */
  private static final class Untruthful extends DelegatingDatastore {
    private int count;

    Untruthful(Datastore delegate) {
      super(delegate);
    }

    @Override
    public TransactionResult commit(Transaction transaction, Deadline deadline) {
      TransactionResult result = super.commit(transaction, deadline);
      if (allocates(transaction) && ++count % 10 == 0) {
        throw new DatastoreUnavailableException("injected, a lie", null);
      }
      return result;
    }
  }

  /** Shows a handle as if the last attempt to write it had done so. */
  private static final class Flattering extends DelegatingDatastore {
    private final Map<String, String> attempts = new HashMap<>();

    Flattering(Datastore delegate) {
      super(delegate);
    }

    @Override
    public TransactionResult commit(Transaction transaction, Deadline deadline) {
      for (Transaction.Operation operation : transaction.operations()) {
        if (operation instanceof Transaction.Put put && put.key().startsWith(Keys.HANDLES)) {
          attempts.put(put.key(), Handle.fromJson(put.value()).attempt());
        }
      }
      return super.commit(transaction, deadline);
    }

    @Override
    public Optional<Entry> get(String key, Deadline deadline) {
      Optional<Entry> entry = super.get(key, deadline);
      return !attempts.containsKey(key)
          ? entry
          : entry.map(
              found -> {
                Handle handle = Handle.fromJson(found.value());
                return new Entry(
                    key,
                    new Handle(
                            handle.id(),
                            handle.node(),
                            handle.generation(),
                            attempts.get(key),
                            handle.use(),
                            handle.attributes(),
                            handle.owners(),
                            handle.assigned())
                        .toJson(),
                    found.version());
              });
    }
  }

  private static boolean isHandlePut(Transaction.Operation operation) {
    return operation instanceof Transaction.Put && operation.key().startsWith(Keys.HANDLES);
  }

  private static boolean isHandleDelete(Transaction.Operation operation) {
    return operation instanceof Transaction.Delete && operation.key().startsWith(Keys.HANDLES);
  }

  /** Leaves out the last of several such operations of one transaction. */
  private static UnaryOperator<Datastore> withoutLast(Predicate<Transaction.Operation> kind) {
    return store ->
        new DelegatingDatastore(store) {
          @Override
          public TransactionResult commit(Transaction transaction, Deadline deadline) {
            List<Transaction.Operation> some =
                transaction.operations().stream().filter(kind).toList();
            return some.size() < 2
                ? super.commit(transaction, deadline)
                : BrokenDatastore.withoutOperations(store, some.getLast()::equals)
                    .commit(transaction, deadline);
          }
        };
  }

  /** Reads the settings when their guard is asked for, and the guard when the settings are. */
  private static final class LateGuard extends DelegatingDatastore {
    private static final String SETTINGS = ResourceStore.prefix(Kind.IP_RESERVATION);

    private Optional<Page> settings = Optional.empty();
    private Optional<Version> asked = Optional.empty();
    private final Map<Version, Version> later = new HashMap<>();

    LateGuard(Datastore delegate) {
      super(delegate);
    }

    private Optional<Version> guard(Deadline deadline) {
      return super.get(Keys.SETTINGS_GUARD, deadline).map(Entry::version);
    }

    @Override
    public Map<String, Entry> getAll(Collection<String> keys, Deadline deadline) {
      if (keys.contains(Keys.SETTINGS_GUARD)) {
        settings = Optional.of(super.list(SETTINGS, Optional.empty(), 100, deadline));
        asked = guard(deadline);
      }
      return super.getAll(keys, deadline);
    }

    @Override
    public Page list(String prefix, Optional<Page.Cursor> cursor, int pageSize, Deadline deadline) {
      if (!prefix.equals(SETTINGS) || settings.isEmpty()) {
        return super.list(prefix, cursor, pageSize, deadline);
      }
      Page old = settings.get();
      settings = Optional.empty();
      asked.ifPresent(version -> later.put(version, guard(deadline).orElseThrow()));
      return old;
    }

    @Override
    public TransactionResult commit(Transaction transaction, Deadline deadline) {
      Transaction.Builder changed = Transaction.builder();
      for (Transaction.Condition condition : transaction.conditions()) {
        switch (condition) {
          case Transaction.Absent(String key) -> changed.ifAbsent(key);
          case Transaction.Exists(String key) -> changed.ifExists(key);
          case Transaction.Unchanged unchanged ->
              changed.ifUnchanged(
                  unchanged.key(),
                  unchanged.key().equals(Keys.SETTINGS_GUARD)
                      ? later.getOrDefault(unchanged.version(), unchanged.version())
                      : unchanged.version());
        }
      }
      for (Transaction.Operation operation : transaction.operations()) {
        switch (operation) {
          case Transaction.Put put -> changed.put(put.key(), put.value());
          case Transaction.Delete delete -> changed.delete(delete.key());
        }
      }
      return super.commit(changed.build(), deadline);
    }
  }

  private static UnaryOperator<Datastore> outdated() {
    Map<String, byte[]> before = new HashMap<>();
    return unsteady(
        events ->
            events.stream()
                .map(
                    event -> {
                      if (!(event instanceof WatchEvent.Put(Entry entry))) {
                        return event;
                      }
                      byte[] old = before.put(entry.key(), entry.value());
                      return old == null
                          ? event
                          : new WatchEvent.Put(new Entry(entry.key(), old, entry.version()));
                    })
                .toList());
  }

  /** Changes what each third batch of a watch tells. */
  private static UnaryOperator<Datastore> unsteady(UnaryOperator<List<WatchEvent>> change) {
    return store ->
        new DelegatingDatastore(store) {
          private int batches;

          @Override
          public Watch watch(String prefix, Revision after) {
            Watch watch = super.watch(prefix, after);
            return new Watch() {
              @Override
              public List<WatchEvent> take(Deadline deadline) throws InterruptedException {
                List<WatchEvent> events = watch.take(deadline);
                boolean tells = !events.isEmpty() && !watch.isEnded();
                return tells && ++batches % 3 == 0 ? change.apply(events) : events;
              }

              @Override
              public boolean isEnded() {
                return watch.isEnded();
              }

              @Override
              public void close() {
                watch.close();
              }
            };
          }
        };
  }

  private static UnaryOperator<Datastore> withoutConditions(
      Predicate<Transaction.Condition> dropped) {
    return store -> BrokenDatastore.withoutConditions(store, dropped);
  }

  private static UnaryOperator<Datastore> withoutOperations(
      Predicate<Transaction.Operation> dropped) {
    return store -> BrokenDatastore.withoutOperations(store, dropped);
  }
}
