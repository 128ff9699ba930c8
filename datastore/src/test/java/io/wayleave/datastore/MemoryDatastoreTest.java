package io.wayleave.datastore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MemoryDatastoreTest extends DatastoreContractTest {
  private MemoryDatastore memory;

  @Override
  protected Datastore open() {
    memory = new MemoryDatastore();
    return memory;
  }

  @Override
  protected Datastore another() {
    return new Client(memory);
  }

  @Override
  protected void compact() {
    memory.compact();
  }

  @Override
  protected Runnable mortalOwnerOf(String key) {
    Session session = memory.openSession(Duration.ofSeconds(1), deadline());
    committed(Transaction.builder().putBound(key, new byte[0], session).build());
    return () -> memory.expire(session);
  }

  @Test
  void awayMeansUnavailableAndWatchesSayItAndGoOn() throws Exception {
    Revision start = memory.listAll("", deadline()).revision();
    try (Watch watch = memory.watch("", start)) {
      memory.disconnect();
      assertThatThrownBy(() -> memory.get("a", deadline()))
          .isInstanceOf(DatastoreUnavailableException.class);
      assertThat(watch.take(deadline()))
          .singleElement()
          .isInstanceOf(WatchEvent.Disconnected.class);
      memory.reconnect();
      committed(Transaction.builder().put("a", "1").build());
      assertThat(watch.take(deadline())).containsExactly(new WatchEvent.Reconnected());
      assertThat(take(watch, 1)).containsExactly("a=1");
    }
  }

  /** A second client whose closing leaves the store to the first. */
  private record Client(MemoryDatastore store) implements Datastore {
    @Override
    public Optional<Entry> get(String key, Deadline deadline) {
      return store.get(key, deadline);
    }

    @Override
    public Map<String, Entry> getAll(Collection<String> keys, Deadline deadline) {
      return store.getAll(keys, deadline);
    }

    @Override
    public Page list(String prefix, Optional<Page.Cursor> cursor, int pageSize, Deadline deadline) {
      return store.list(prefix, cursor, pageSize, deadline);
    }

    @Override
    public TransactionResult commit(Transaction transaction, Deadline deadline) {
      return store.commit(transaction, deadline);
    }

    @Override
    public Watch watch(String prefix, Revision after) {
      return store.watch(prefix, after);
    }

    @Override
    public Session openSession(Duration timeToLive, Deadline deadline) {
      return store.openSession(timeToLive, deadline);
    }

    @Override
    public Duration requestTimeout() {
      return store.requestTimeout();
    }

    @Override
    public String description() {
      return store.description();
    }

    @Override
    public void close() {
      // The store belongs to the test.
    }
  }

  @Test
  void onlyASmallNumberOfListingsIsKept() {
    for (int i = 0; i < 4; i++) {
      committed(Transaction.builder().put("k/" + i, "x").build());
    }
    List<Page> firsts =
        java.util.stream.IntStream.range(0, 20)
            .mapToObj(
                i -> {
                  Page page = memory.list("k/", Optional.empty(), 2, deadline());
                  committed(Transaction.builder().put("other/" + i, "x").build());
                  return page;
                })
            .toList();
    assertThatThrownBy(() -> memory.list("k/", firsts.getFirst().next(), 2, deadline()))
        .isInstanceOf(SnapshotExpiredException.class);
    assertThat(memory.list("k/", firsts.getLast().next(), 2, deadline()).entries()).hasSize(2);
  }
}
