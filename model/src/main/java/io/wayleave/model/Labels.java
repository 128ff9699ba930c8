package io.wayleave.model;

import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;

/**
 * Labels of an object, or its annotations: texts by their keys, in the order of the keys. One array
 * and nothing else, as a large fleet has a hundred thousand of them. A value may be null, as a
 * manifest may have one; whoever allows none checks that. Immutable.
 */
public final class Labels extends AbstractMap<String, String> {
  public static final Labels NONE = new Labels(new String[0]);

  /** A key, its value, the next key, its value, and so on. */
  private final String[] texts;

  private Labels(String[] texts) {
    this.texts = texts;
  }

  /** The same entries; no copy is made of what is one of these already. */
  public static Labels copyOf(Map<String, String> map) {
    if (map instanceof Labels labels) {
      return labels;
    }
    if (map.isEmpty()) {
      return NONE;
    }
    Filling filling = new Filling(map.size());
    map.forEach(filling);
    if (!filling.inOrder) {
      filling = new Filling(map.size());
      new TreeMap<>(map).forEach(filling);
    }
    return new Labels(filling.texts);
  }

  /** Takes entries as they come: most maps of labels are sorted already. */
  private static final class Filling implements BiConsumer<String, String> {
    final String[] texts;
    int filled;
    boolean inOrder = true;

    Filling(int entries) {
      texts = new String[2 * entries];
    }

    @Override
    public void accept(String key, String value) {
      inOrder &= filled == 0 || texts[filled - 2].compareTo(key) < 0;
      texts[filled++] = key;
      texts[filled++] = value;
    }
  }

  /** One label. */
  public static Labels of(String key, String value) {
    return new Labels(new String[] {key, value});
  }

  /** These, and those of the others whose keys are not among these. */
  public Labels over(Labels others) {
    if (others.texts.length == 0 || texts.length == 0) {
      return texts.length == 0 ? others : this;
    }
    String[] merged = new String[texts.length + others.texts.length];
    int filled = 0;
    int mine = 0;
    int theirs = 0;
    while (mine < texts.length || theirs < others.texts.length) {
      int order =
          mine == texts.length
              ? 1
              : theirs == others.texts.length ? -1 : texts[mine].compareTo(others.texts[theirs]);
      if (order <= 0) {
        merged[filled++] = texts[mine++];
        merged[filled++] = texts[mine++];
        theirs += order == 0 ? 2 : 0;
      } else {
        merged[filled++] = others.texts[theirs++];
        merged[filled++] = others.texts[theirs++];
      }
    }
    return new Labels(filled == merged.length ? merged : Arrays.copyOf(merged, filled));
  }

  /** The same with each text, key and value, replaced by an equal one. */
  public Labels withTexts(UnaryOperator<String> equal) {
    String[] replaced = new String[texts.length];
    for (int i = 0; i < texts.length; i++) {
      replaced[i] = equal.apply(texts[i]);
    }
    return new Labels(replaced);
  }

  private int find(Object key) {
    if (!(key instanceof String wanted)) {
      return -1;
    }
    int low = 0;
    int high = texts.length / 2 - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      int order = texts[2 * middle].compareTo(wanted);
      if (order == 0) {
        return 2 * middle;
      } else if (order < 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return -1;
  }

  @Override
  public String get(Object key) {
    int at = find(key);
    return at < 0 ? null : texts[at + 1];
  }

  @Override
  public boolean containsKey(Object key) {
    return find(key) >= 0;
  }

  @Override
  public int size() {
    return texts.length / 2;
  }

  @Override
  public void forEach(BiConsumer<? super String, ? super String> action) {
    for (int i = 0; i < texts.length; i += 2) {
      action.accept(texts[i], texts[i + 1]);
    }
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Labels labels
        ? Arrays.equals(texts, labels.texts)
        : super.equals(other);
  }

  /** That of every map with these entries. */
  @Override
  public int hashCode() {
    int sum = 0;
    for (int i = 0; i < texts.length; i += 2) {
      sum += texts[i].hashCode() ^ Objects.hashCode(texts[i + 1]);
    }
    return sum;
  }

  @Override
  public Set<Map.Entry<String, String>> entrySet() {
    return new AbstractSet<>() {
      @Override
      public int size() {
        return Labels.this.size();
      }

      @Override
      public Iterator<Map.Entry<String, String>> iterator() {
        return new Iterator<>() {
          private int next;

          @Override
          public boolean hasNext() {
            return next < texts.length;
          }

          @Override
          public Map.Entry<String, String> next() {
            if (next >= texts.length) {
              throw new NoSuchElementException();
            }
            Map.Entry<String, String> entry =
                new SimpleImmutableEntry<>(texts[next], texts[next + 1]);
            next += 2;
            return entry;
          }
        };
      }
    };
  }
}
