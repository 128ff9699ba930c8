package io.wayleave.datastore;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.testing.Await;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PresenceKeeperTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  private final RememberingStore store = new RememberingStore();
  private final List<PresenceKeeper.State> states = new CopyOnWriteArrayList<>();

  @Test
  void theKeyIsThereWhileTheKeeperIsOpen() {
    try (PresenceKeeper _ = keep()) {
      awaitStates(PresenceKeeper.State.PRESENT);
      assertThat(store.memory.get("presence/h1", deadline()).orElseThrow().text()).isEqualTo("me");
    }
    assertThat(store.memory.get("presence/h1", deadline())).isEmpty();
    assertThat(states).containsExactly(PresenceKeeper.State.PRESENT);
  }

  @Test
  void anExpiredSessionIsReplacedAndTheOwnerIsTold() {
    try (PresenceKeeper _ = keep()) {
      awaitStates(PresenceKeeper.State.PRESENT);
      store.memory.expire(store.sessions.getFirst());
      awaitStates(
          PresenceKeeper.State.PRESENT, PresenceKeeper.State.LOST, PresenceKeeper.State.PRESENT);
      assertThat(store.memory.get("presence/h1", deadline())).isPresent();
    }
  }

  @Test
  void aStoreThatIsAwayIsTriedUntilItIsBack() {
    store.memory.disconnect();
    try (PresenceKeeper _ = keep()) {
      Await.until("tried", LIMIT, () -> store.failures() > 1);
      assertThat(states).isEmpty();
      store.memory.reconnect();
      awaitStates(PresenceKeeper.State.PRESENT);
    }
  }

  @Test
  void aDefectOnTheWayIsTriedAgain() {
    store.failSessions(2);
    try (PresenceKeeper _ = keep()) {
      awaitStates(PresenceKeeper.State.PRESENT);
      assertThat(store.memory.get("presence/h1", deadline())).isPresent();
    }
  }

  @Test
  void whatAnEarlierRunLeftIsTakenOver() {
    store.memory.commit(Transaction.builder().put("presence/h1", "left over").build(), deadline());
    try (PresenceKeeper _ = keep()) {
      awaitStates(PresenceKeeper.State.PRESENT);
      assertThat(store.memory.get("presence/h1", deadline()).orElseThrow().text()).isEqualTo("me");
    }
    assertThat(store.memory.get("presence/h1", deadline())).isEmpty();
  }

  @Test
  void whatIsPutBesideComesAndGoesWithIt() {
    try (PresenceKeeper keeper = keep()) {
      keeper.put("status/a", new byte[] {'1'});
      keeper.put("status/b", new byte[] {'1'});
      keeper.put("status/a", new byte[] {'2'});
      awaitText("status/a", "2");
      awaitText("status/b", "1");
      store.memory.expire(store.sessions.getFirst());
      awaitStates(
          PresenceKeeper.State.PRESENT, PresenceKeeper.State.LOST, PresenceKeeper.State.PRESENT);
      awaitText("status/a", "2");
    }
    assertThat(store.memory.get("status/a", deadline())).isEmpty();
    assertThat(store.memory.get("status/b", deadline())).isEmpty();
  }

  @Test
  void whatCouldNotBePutIsPutWhenTheStoreIsBackAndThePresenceStays() {
    try (PresenceKeeper keeper = keep()) {
      awaitStates(PresenceKeeper.State.PRESENT);
      store.memory.disconnect();
      keeper.put("status/a", new byte[] {'1'});
      Await.until("tried", LIMIT, () -> store.failedWrites() > 1);
      store.memory.reconnect();
      awaitText("status/a", "1");
      assertThat(states).containsExactly(PresenceKeeper.State.PRESENT);
    }
  }

  @Test
  void whatChangesFastIsWrittenSeldomAndTheLastForCertain() {
    try (PresenceKeeper keeper = keep()) {
      keeper.put("status/a", new byte[] {'0'});
      awaitText("status/a", "0");
      int before = store.writes();
      for (int i = 0; i < 100_000; i++) {
        keeper.put("status/a", new byte[] {'1'});
      }
      keeper.put("status/a", new byte[] {'2'});
      awaitText("status/a", "2");
      assertThat(store.writes() - before).isLessThan(20);
    }
  }

  private void awaitText(String key, String text) {
    Await.until(
        key + " is " + text,
        LIMIT,
        () ->
            store
                .memory
                .get(key, deadline())
                .filter(entry -> entry.text().equals(text))
                .isPresent());
  }

  private PresenceKeeper keep() {
    return PresenceKeeper.keep(
        store, "presence/h1", new byte[] {'m', 'e'}, Duration.ofSeconds(5), states::add);
  }

  private void awaitStates(PresenceKeeper.State... expected) {
    Await.until(
        List.of(expected) + " after " + states, LIMIT, () -> states.equals(List.of(expected)));
  }

  private static Deadline deadline() {
    return Deadline.after(LIMIT);
  }
}
