package io.wayleave.policy.calc;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.selector.Selector;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

final class LabelIndexTest {
  private final LabelIndex<String> index = new LabelIndex<>();

  @Test
  void followsBothSides() {
    index.putSelector("s", Selector.parse("a == 'x'"));
    index.putItem("i", Map.of("a", "x"));
    index.putItem("j", Map.of("a", "y"));
    assertThat(index.itemsOf("s")).containsExactly("i");
    assertThat(index.selectorsOf("i")).containsExactly("s");
    assertThat(index.selectorsOf("j")).isEmpty();

    index.putItem("j", Map.of("a", "x"));
    assertThat(index.itemsOf("s")).containsExactlyInAnyOrder("i", "j");
    index.putSelector("s", Selector.parse("a == 'y'"));
    assertThat(index.itemsOf("s")).isEmpty();
    assertThat(index.selectorsOf("i")).isEmpty();
    index.putSelector("s", Selector.all());
    index.removeItem("i");
    assertThat(index.itemsOf("s")).containsExactly("j");
    index.removeSelector("s");
    assertThat(index.selectorsOf("j")).isEmpty();
    assertThat(index.itemsOf("s")).isEmpty();
  }

  @Test
  void anItemWithoutLabelsIsAnItem() {
    index.putSelector("s", Selector.all());
    index.putItem("i", Map.of());
    assertThat(index.itemsOf("s")).containsExactly("i");
  }

  @Test
  void agreesWithAskingEverySelectorAfterAnyChanges() {
    List<Selector> selectors =
        List.of(
            Selector.all(),
            Selector.parse("a == 'x'"),
            Selector.parse("a != 'x' && has(b)"),
            Selector.parse("b in {'x', 'y'} || !has(a)"));
    List<Map<String, String>> labels =
        List.of(Map.of(), Map.of("a", "x"), Map.of("a", "y", "b", "x"), Map.of("b", "z"));
    Map<String, Selector> knownSelectors = new HashMap<>();
    Map<String, Map<String, String>> knownItems = new HashMap<>();
    Random random = new Random(77);
    for (int step = 0; step < 3000; step++) {
      String selector = "s" + random.nextInt(5);
      String item = "i" + random.nextInt(8);
      switch (random.nextInt(6)) {
        case 0 -> {
          index.removeItem(item);
          knownItems.remove(item);
        }
        case 1 -> {
          index.removeSelector(selector);
          knownSelectors.remove(selector);
        }
        case 2 -> {
          Selector chosen = selectors.get(random.nextInt(selectors.size()));
          index.putSelector(selector, chosen);
          knownSelectors.put(selector, chosen);
        }
        default -> {
          Map<String, String> chosen = labels.get(random.nextInt(labels.size()));
          index.putItem(item, chosen);
          knownItems.put(item, chosen);
        }
      }
      knownSelectors.forEach(
          (key, known) -> assertThat(index.itemsOf(key)).isEqualTo(matching(knownItems, known)));
    }
  }

  private static Set<String> matching(Map<String, Map<String, String>> items, Selector selector) {
    return items.entrySet().stream()
        .filter(item -> selector.matches(item.getValue()))
        .map(Map.Entry::getKey)
        .collect(Collectors.toSet());
  }
}
