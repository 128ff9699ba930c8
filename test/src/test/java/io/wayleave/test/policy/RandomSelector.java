package io.wayleave.test.policy;

import java.util.List;
import java.util.Random;

/** Labels, and selectors in every operator of the language that choose some of them. */
final class RandomSelector {
  static final List<String> KEYS = List.of("app", "role", "zone");
  static final List<String> VALUES = List.of("a", "ab", "b", "ba", "c");
  static final List<String> NAMESPACES = List.of("default", "shop", "bank");
  private static final List<String> GRADES = List.of("gold", "silver");

  private final Random random;

  RandomSelector(Random random) {
    this.random = random;
  }

  String value() {
    return pick(VALUES);
  }

  String key() {
    return pick(KEYS);
  }

  String grade() {
    return pick(GRADES);
  }

  /** Over the labels of objects. */
  String ofObjects() {
    return switch (random.nextInt(10)) {
      case 0 -> "all()";
      case 1 -> "projectcalico.org/namespace == '" + pick(NAMESPACES) + "'";
      case 2 -> "!(" + atom(key(), VALUES) + ")";
      case 3 -> atom(key(), VALUES) + " && " + atom(key(), VALUES);
      case 4 ->
          "(" + atom(key(), VALUES) + " || " + atom(key(), VALUES) + ") && !has(" + key() + ")";
      case 5 -> atom(key(), VALUES) + " || " + atom(key(), VALUES) + "&&" + atom(key(), VALUES);
      default -> atom(key(), VALUES);
    };
  }

  /** Over the labels of namespaces. */
  String ofNamespaces() {
    return switch (random.nextInt(7)) {
      case 0 -> "global()";
      case 1 -> "all()";
      case 2 -> atom("grade", GRADES);
      case 3 -> "projectcalico.org/name in {'" + pick(NAMESPACES) + "', 'shop'}";
      case 4 -> "kubernetes.io/metadata.name != \"" + pick(NAMESPACES) + "\"";
      default -> atom("kubernetes.io/metadata.name", NAMESPACES);
    };
  }

  private String atom(String key, List<String> values) {
    String value = pick(values);
    return switch (random.nextInt(9)) {
      case 0 -> key + " == '" + value + "'";
      case 1 -> key + " != \"" + value + "\"";
      case 2 -> key + " in {'" + value + "', \"" + pick(values) + "\"}";
      case 3 -> key + " not in {'" + value + "', '" + pick(values) + "'}";
      case 4 -> "has(" + key + ")";
      case 5 -> "!has(" + key + ")";
      case 6 -> key + " contains '" + value.substring(0, 1) + "'";
      case 7 -> key + " starts with '" + value.substring(0, 1) + "'";
      default -> key + " ends with '" + value.substring(value.length() - 1) + "'";
    };
  }

  private <T> T pick(List<T> items) {
    return items.get(random.nextInt(items.size()));
  }
}
