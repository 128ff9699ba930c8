package io.wayleave.model.selector;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.function.Predicate;

/** A random selector as text, beside what it means, made without the classes under test. */
record Tree(String text, Predicate<Map<String, String>> test) {
  private static final String[] LABELS = {"a", "b", "c"};
  private static final String[] VALUES = {"", "x", "y", "xy", "yx"};

  static Map<String, String> randomLabels(Random random) {
    Map<String, String> labels = new HashMap<>();
    for (String label : LABELS) {
      if (random.nextBoolean()) {
        labels.put(label, VALUES[random.nextInt(VALUES.length)]);
      }
    }
    return labels;
  }

  static Tree random(Random random, int depth) {
    if (depth == 0 || random.nextInt(4) == 0) {
      return leaf(random);
    }
    Tree left = random(random, depth - 1);
    return switch (random.nextInt(3)) {
      case 0 -> new Tree("!(" + left.text + ")", left.test.negate());
      case 1 -> {
        Tree right = random(random, depth - 1);
        yield new Tree("(" + left.text + ") && (" + right.text + ")", left.test.and(right.test));
      }
      default -> {
        Tree right = random(random, depth - 1);
        yield new Tree("(" + left.text + ") || (" + right.text + ")", left.test.or(right.test));
      }
    };
  }

  private static Tree leaf(Random random) {
    String label = LABELS[random.nextInt(LABELS.length)];
    String value = VALUES[random.nextInt(VALUES.length)];
    String other = VALUES[random.nextInt(VALUES.length)];
    return switch (random.nextInt(9)) {
      case 0 -> new Tree("all()", _ -> true);
      case 1 -> new Tree("has(" + label + ")", map -> map.containsKey(label));
      case 2 -> new Tree(label + " == '" + value + "'", map -> value.equals(map.get(label)));
      case 3 -> new Tree(label + " != '" + value + "'", map -> !value.equals(map.get(label)));
      case 4 ->
          new Tree(
              label + " contains '" + value + "'",
              map -> map.containsKey(label) && map.get(label).contains(value));
      case 5 ->
          new Tree(
              label + " starts with '" + value + "'",
              map -> map.containsKey(label) && map.get(label).startsWith(value));
      case 6 ->
          new Tree(
              label + " ends with '" + value + "'",
              map -> map.containsKey(label) && map.get(label).endsWith(value));
      case 7 ->
          new Tree(
              label + " in {'" + value + "', '" + other + "'}",
              map -> value.equals(map.get(label)) || other.equals(map.get(label)));
      default ->
          new Tree(
              label + " not in {'" + value + "', '" + other + "'}",
              map -> !value.equals(map.get(label)) && !other.equals(map.get(label)));
    };
  }
}
