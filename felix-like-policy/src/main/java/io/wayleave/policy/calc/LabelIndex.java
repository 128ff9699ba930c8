package io.wayleave.policy.calc;

import io.wayleave.model.selector.Selector;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Which labelled items each selector chooses, kept current: a changed item is compared with every
 * selector and a changed selector with every item, and nothing else is looked at again. Asking
 * costs nothing.
 *
 * <p>NOT thread safe.
 *
 * @param <K> what the owner knows a selector by; several keys may have equal selectors
 */
final class LabelIndex<K> {
  private final Map<String, Map<String, String>> labelsByItem = new HashMap<>();
  private final Map<K, Selector> selectors = new HashMap<>();
  private final Map<String, Set<K>> selectorsByItem = new HashMap<>();
  private final Map<K, Set<String>> itemsBySelector = new HashMap<>();

  void putItem(String item, Map<String, String> labels) {
    if (labels.equals(labelsByItem.put(item, labels))) {
      return;
    }
    selectors.forEach((key, selector) -> set(key, item, selector.matches(labels)));
  }

  void removeItem(String item) {
    labelsByItem.remove(item);
    for (K key : Set.copyOf(selectorsOf(item))) {
      set(key, item, false);
    }
  }

  void putSelector(K key, Selector selector) {
    if (selector.equals(selectors.put(key, selector))) {
      return;
    }
    labelsByItem.forEach((item, labels) -> set(key, item, selector.matches(labels)));
  }

  void removeSelector(K key) {
    selectors.remove(key);
    for (String item : Set.copyOf(itemsOf(key))) {
      set(key, item, false);
    }
  }

  /** The selectors that choose the item; a view. */
  Set<K> selectorsOf(String item) {
    return Collections.unmodifiableSet(selectorsByItem.getOrDefault(item, Set.of()));
  }

  /** The items that the selector chooses; a view. */
  Set<String> itemsOf(K key) {
    return Collections.unmodifiableSet(itemsBySelector.getOrDefault(key, Set.of()));
  }

  private void set(K key, String item, boolean matches) {
    if (matches) {
      add(itemsBySelector, key, item);
      add(selectorsByItem, item, key);
    } else {
      remove(itemsBySelector, key, item);
      remove(selectorsByItem, item, key);
    }
  }

  private static <A, B> void add(Map<A, Set<B>> relation, A from, B to) {
    relation.computeIfAbsent(from, _ -> new HashSet<>()).add(to);
  }

  private static <A, B> void remove(Map<A, Set<B>> relation, A from, B to) {
    relation.computeIfPresent(
        from,
        (_, related) -> {
          related.remove(to);
          return related.isEmpty() ? null : related;
        });
  }
}
