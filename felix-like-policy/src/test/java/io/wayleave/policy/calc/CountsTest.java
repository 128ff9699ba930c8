package io.wayleave.policy.calc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class CountsTest {
  /** Few hashes, so that many are not where they would be alone. */
  private record Value(int number) {
    @Override
    public int hashCode() {
      return number % 5;
    }
  }

  @Test
  void countsAsAMapOfNumbersDoes() {
    Random random = new Random(3);
    Counts<Value> counts = new Counts<>();
    Map<Value, Integer> expected = new HashMap<>();
    for (int step = 0; step < 50_000; step++) {
      // It grows and shrinks by turns.
      boolean growing = step / 500 % 2 == 0;
      Value value = new Value(random.nextInt(60));
      if (random.nextInt(10) < (growing ? 7 : 2)) {
        assertThat(counts.add(value)).isEqualTo(expected.merge(value, 1, Integer::sum));
      } else if (expected.containsKey(value)) {
        int left = expected.get(value) - 1;
        if (left == 0) {
          expected.remove(value);
        } else {
          expected.put(value, left);
        }
        assertThat(counts.remove(value)).isEqualTo(left);
      }
      assertThat(counts.contains(value)).isEqualTo(expected.containsKey(value));
      if (step % 100 == 0) {
        List<Value> all = new ArrayList<>();
        counts.forEach(all::add);
        assertThat(all).containsExactlyInAnyOrderElementsOf(expected.keySet());
        for (int i = 0; i < 60; i++) {
          assertThat(counts.contains(new Value(i))).isEqualTo(expected.containsKey(new Value(i)));
        }
      }
    }
  }

  @Test
  void refusesToCountBelowNothing() {
    Counts<String> counts = new Counts<>();
    counts.add("a");
    counts.remove("a");
    assertThatThrownBy(() -> counts.remove("a"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("a is not counted");
  }
}
