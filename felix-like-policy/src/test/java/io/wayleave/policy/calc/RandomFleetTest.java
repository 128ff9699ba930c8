package io.wayleave.policy.calc;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Kind;
import io.wayleave.model.Resource;
import io.wayleave.policy.calc.RandomFleet.Unreadable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Random fleets of every kind that change at random: what the calculation has told is always what
 * {@link NaiveCalculation} says of the present state, whatever order the changes came in and
 * however many were between two flushes.
 */
final class RandomFleetTest {
  @Test
  void toldIsWhatTheStateSays() {
    Set<Kind> governing = EnumSet.noneOf(Kind.class);
    for (long seed = 0; seed < 250; seed++) {
      governing.addAll(live(seed));
    }
    assertThat(governing).contains(Kind.PROFILE, Kind.NETWORK_POLICY, Kind.GLOBAL_NETWORK_POLICY);
  }

  @Test
  @Tag("full")
  void toldIsWhatTheStateSaysInMany() {
    long first = System.nanoTime();
    System.out.println("measured: random fleets from seed " + first);
    for (long seed = first; seed < first + 10_000; seed++) {
      live(seed);
    }
  }

  /** One fleet's life; the kinds of the rules that it had in force. */
  private static Set<Kind> live(long seed) {
    Random random = new Random(seed);
    PolicyCalculator calculator = new PolicyCalculator("n1");
    ToldState told = new ToldState();
    RandomFleet fleet = new RandomFleet(random);
    Map<String, Object> present = new LinkedHashMap<>();
    Set<Kind> governing = EnumSet.noneOf(Kind.class);
    for (int step = 0; step < 12; step++) {
      move(calculator, present, fleet.byKey(), random);
      if (random.nextInt(3) > 0) {
        calculator.flush(told);
        ToldState expected = new ToldState();
        new NaiveCalculation("n1", fleet.resources(), fleet.unreadable()).tell(expected);
        if (!told.state().equals(expected.state())) {
          assertThat(told.text()).as("seed %s, step %s", seed, step).isEqualTo(expected.text());
        }
        assertThat(told.unused()).as("seed %s, step %s", seed, step).isEmpty();
        told.takeEvents();
        calculator.flush(told);
        assertThat(told.takeEvents()).as("seed %s, step %s, told again", seed, step).isZero();
        calculator.activeRules().keySet().forEach(id -> governing.add(id.kind()));
      }
      for (int i = random.nextInt(8); i >= 0; i--) {
        fleet.mutate();
      }
    }
    move(calculator, present, Map.of(), random);
    calculator.flush(told);
    assertThat(told.text()).as("seed %s, at the end", seed).isEmpty();
    assertThat(calculator.isEmpty()).as("seed %s, nothing is kept", seed).isTrue();
    return governing;
  }

  /** From what is present to what is wanted, in any order and by detours. */
  private static void move(
      PolicyCalculator calculator,
      Map<String, Object> present,
      Map<String, Object> wanted,
      Random random) {
    List<Runnable> steps = new ArrayList<>();
    wanted
        .values()
        .forEach(
            stored ->
                steps.add(
                    () -> {
                      if (random.nextInt(5) == 0) {
                        remove(calculator, stored);
                      }
                      put(calculator, stored);
                    }));
    present.forEach(
        (key, stored) -> {
          if (!wanted.containsKey(key)) {
            steps.add(() -> remove(calculator, stored));
          }
        });
    Collections.shuffle(steps, random);
    steps.forEach(Runnable::run);
    present.clear();
    present.putAll(wanted);
  }

  private static void put(PolicyCalculator calculator, Object stored) {
    switch (stored) {
      case Resource resource -> calculator.put(resource);
      case Unreadable(Kind kind, String id, var closes) ->
          calculator.putUnreadable(kind, id, closes);
      default -> throw new AssertionError(stored);
    }
  }

  private static void remove(PolicyCalculator calculator, Object stored) {
    switch (stored) {
      case Resource resource -> calculator.remove(resource.kind(), resource.id());
      case Unreadable(Kind kind, String id, var _) -> calculator.remove(kind, id);
      default -> throw new AssertionError(stored);
    }
  }
}
