package io.wayleave.test.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Keeps the table that it is told, as a receiver does, and compares it with what is expected: every
 * route there with its attributes, and no other. NOT thread safe.
 */
final class Verifier implements Ear {
  private static final int ABSENT = -1;
  private static final int WRONG = -2;
  private static final int EXAMPLES = 5;

  private final Load.Expected expected;
  private final Map<String, Integer> numbers = new HashMap<>();
  private final int[] held;
  private final List<String> examples = new ArrayList<>();
  private int right;
  private int present;
  private long mistakes;

  Verifier(Load.Expected expected) {
    this.expected = expected;
    for (int i = 0; i < expected.texts().size(); i++) {
      numbers.put(expected.texts().get(i), i);
    }
    held = new int[expected.routes()];
    reset();
  }

  @Override
  public void update(byte[] bytes, int from, int to) {
    int withdrawals = from + 2;
    int attributes = withdrawals + Ear.unsignedShort(bytes, from) + 2;
    int routes = attributes + Ear.unsignedShort(bytes, attributes - 2);
    for (int at = withdrawals; at < attributes - 2; at += octets(bytes, at)) {
      hold(key(bytes, at), ABSENT, "withdrawn");
    }
    if (routes == attributes) {
      // Withdrawals only, or an end-of-RIB.
      return;
    }
    String text = AttributeText.read(Ear.view(bytes, attributes, routes));
    int number = numbers.getOrDefault(text, WRONG);
    if (number == WRONG && routes == to) {
      mistake("an UPDATE that announces nothing: " + text);
    }
    for (int at = routes; at < to; at += octets(bytes, at)) {
      hold(key(bytes, at), number, text);
    }
  }

  private void hold(long key, int number, String text) {
    int route = expected.find(key);
    if (route < 0) {
      mistake(PrefixSet.text(key) + " was sent by nobody: " + text);
      return;
    }
    int wanted = expected.set(route);
    if (number != ABSENT && number != wanted) {
      mistake(PrefixSet.text(key) + " has " + text + " and not " + expected.texts().get(wanted));
    }
    right += (number == wanted ? 1 : 0) - (held[route] == wanted ? 1 : 0);
    present += (number != ABSENT ? 1 : 0) - (held[route] != ABSENT ? 1 : 0);
    held[route] = number;
  }

  private void mistake(String text) {
    mistakes++;
    if (examples.size() < EXAMPLES) {
      examples.add(text);
    }
  }

  private static int octets(byte[] bytes, int at) {
    return 1 + ((bytes[at] & 0xff) + 7) / 8;
  }

  private static long key(byte[] bytes, int at) {
    int length = bytes[at] & 0xff;
    int address = 0;
    for (int i = 0; i < (length + 7) / 8; i++) {
      address |= (bytes[at + 1 + i] & 0xff) << (24 - 8 * i);
    }
    return PrefixSet.key(address, length);
  }

  @Override
  public boolean hasAll() {
    return right == expected.routes();
  }

  @Override
  public boolean hasNone() {
    return present == 0;
  }

  @Override
  public void reset() {
    Arrays.fill(held, ABSENT);
    examples.clear();
    right = 0;
    present = 0;
    mistakes = 0;
  }

  /** What was wrong at any time; empty when nothing was. */
  List<String> mistakes() {
    List<String> all = new ArrayList<>(examples);
    if (mistakes > examples.size()) {
      all.add("and " + (mistakes - examples.size()) + " more");
    }
    return all;
  }

  @Override
  public String toString() {
    return right + " right of " + present + " routes, " + expected.routes() + " expected";
  }
}
