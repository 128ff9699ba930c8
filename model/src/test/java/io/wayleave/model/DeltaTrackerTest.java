package io.wayleave.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class DeltaTrackerTest {
  private final DeltaTracker<String, Integer> tracker = new DeltaTracker<>();

  @Test
  void wantedAndAbsentIsToPut() {
    tracker.setDesired("a", 1);
    assertThat(tracker.pendingPuts()).containsExactly(Map.entry("a", 1));
    assertThat(tracker.inSync()).isFalse();
    tracker.setActual("a", 1);
    assertThat(tracker.inSync()).isTrue();
  }

  @Test
  void presentAndUnwantedIsToDeleteWithItsPresentValue() {
    tracker.replaceActual(Map.of("a", 1, "b", 2));
    tracker.setDesired("b", 2);
    assertThat(tracker.pendingDeletes()).containsExactly(Map.entry("a", 1));
    tracker.removeActual("a");
    assertThat(tracker.inSync()).isTrue();
  }

  @Test
  void damageByOthersIsToPutAgain() {
    tracker.setDesired("a", 1);
    tracker.setActual("a", 1);
    tracker.setActual("a", 9);
    assertThat(tracker.pendingPuts()).containsExactly(Map.entry("a", 1));
    tracker.replaceActual(Map.of());
    assertThat(tracker.pendingPuts()).containsExactly(Map.entry("a", 1));
  }

  @Test
  void takenBackBeforeItWasWrittenIsNothing() {
    tracker.setDesired("a", 1);
    tracker.removeDesired("a");
    assertThat(tracker.inSync()).isTrue();
  }

  @Test
  void writesInTheOrderOfWanting() {
    for (String key : new String[] {"c", "a", "b"}) {
      tracker.setDesired(key, 1);
    }
    assertThat(tracker.pendingPuts().keySet()).containsExactly("c", "a", "b");
  }

  @Test
  void anyHistoryEndsInTheSameDifferenceAsItsEndState() {
    Random random = new Random(11);
    Map<String, Integer> desired = new HashMap<>();
    Map<String, Integer> actual = new HashMap<>();
    for (int step = 0; step < 5000; step++) {
      String key = "k" + random.nextInt(20);
      int value = random.nextInt(3);
      switch (random.nextInt(4)) {
        case 0 -> {
          desired.put(key, value);
          tracker.setDesired(key, value);
        }
        case 1 -> {
          desired.remove(key);
          tracker.removeDesired(key);
        }
        case 2 -> {
          actual.put(key, value);
          tracker.setActual(key, value);
        }
        default -> {
          actual.remove(key);
          tracker.removeActual(key);
        }
      }
      Map<String, Integer> puts = new HashMap<>(desired);
      puts.entrySet().removeIf(entry -> entry.getValue().equals(actual.get(entry.getKey())));
      Map<String, Integer> deletes = new HashMap<>(actual);
      deletes.keySet().removeAll(desired.keySet());
      assertThat(tracker.pendingPuts()).as("step %d", step).isEqualTo(puts);
      assertThat(tracker.pendingDeletes()).as("step %d", step).isEqualTo(deletes);
    }
  }
}
