package io.wayleave.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

final class LabelsTest {
  @Test
  void isTheMapThatItWasMadeOf() {
    Random random = new Random(5);
    for (int round = 0; round < 1000; round++) {
      Map<String, String> map = random(random);
      Labels labels = Labels.copyOf(map);
      assertThat(labels).isEqualTo(map).hasSameHashCodeAs(map).hasSameSizeAs(map);
      assertThat(map).isEqualTo(labels);
      assertThat(Labels.copyOf(new TreeMap<>(map))).isEqualTo(labels).hasToString("" + labels);
      assertThat(List.copyOf(labels.keySet())).isEqualTo(List.copyOf(new TreeMap<>(map).keySet()));
      for (int key = -1; key < 14; key++) {
        assertThat(labels.get("k" + key)).isEqualTo(map.get("k" + key));
        assertThat(labels.containsKey("k" + key)).isEqualTo(map.containsKey("k" + key));
      }
      Map<String, String> told = new HashMap<>();
      labels.forEach(told::put);
      assertThat(told).isEqualTo(map);

      Map<String, String> others = random(random);
      Map<String, String> merged = new HashMap<>(others);
      merged.putAll(map);
      assertThat(labels.over(Labels.copyOf(others))).isEqualTo(Labels.copyOf(merged));
      assertThat(labels.equals(Labels.copyOf(others))).isEqualTo(map.equals(others));
      assertThat(labels.withTexts(String::toUpperCase).keySet())
          .allMatch(key -> key.startsWith("K"))
          .hasSize(map.size());
    }
  }

  @Test
  void cannotBeChanged() {
    Map<String, String> source = new HashMap<>(Map.of("a", "x"));
    Labels labels = Labels.copyOf(source);
    source.put("a", "y");
    assertThat(labels).isEqualTo(Map.of("a", "x")).isSameAs(Labels.copyOf(labels));
    assertThatThrownBy(() -> labels.put("b", "y"))
        .isInstanceOf(UnsupportedOperationException.class);
    assertThatThrownBy(labels::clear).isInstanceOf(UnsupportedOperationException.class);
    Object noKey = 7;
    assertThat(labels.get(noKey)).isNull();
    assertThat(labels.over(Labels.NONE)).isSameAs(labels);
    assertThat(Labels.NONE.over(labels)).isSameAs(labels);
  }

  @Test
  void keepsAValueThatIsNull() {
    Map<String, String> map = new HashMap<>();
    map.put("a", null);
    map.put("b", "x");
    assertThat(Labels.copyOf(map)).isEqualTo(map).hasSameHashCodeAs(map).containsEntry("a", null);
  }

  private static Map<String, String> random(Random random) {
    Map<String, String> map = new HashMap<>();
    for (int i = random.nextInt(8); i > 0; i--) {
      map.put("k" + random.nextInt(13), "v" + random.nextInt(3));
    }
    return map;
  }
}
