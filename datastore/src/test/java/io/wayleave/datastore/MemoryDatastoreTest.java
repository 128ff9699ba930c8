package io.wayleave.datastore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
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
    return new RememberingStore(memory);
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
  void everyFastChangeIsTold() throws Exception {
    checkThatEveryFastChangeIsTold();
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

  @Test
  void onlyASmallNumberOfListingsIsKept() {
    for (int i = 0; i < 4; i++) {
      committed(Transaction.builder().put("k/" + i, "x").build());
    }
    List<Page> firsts =
        IntStream.range(0, 20)
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
