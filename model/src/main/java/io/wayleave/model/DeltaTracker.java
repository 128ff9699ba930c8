package io.wayleave.model;

import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Desired state beside actual state, and the difference between them, kept current at each change
 * so that asking for it costs what differs and not what exists. Values are compared by {@code
 * equals}.
 *
 * <p>It applies nothing: the owner writes the pending changes to the kernel (or a peer) and then
 * tells what happened by {@link #setActual} and {@link #removeActual}. NOT thread safe.
 */
public final class DeltaTracker<K, V> {
  private final Map<K, V> desired = new HashMap<>();
  private final Map<K, V> actual = new HashMap<>();
  // Insertion-ordered: what was wanted first is written first.
  private final Set<K> toPut = new LinkedHashSet<>();
  private final Set<K> toDelete = new LinkedHashSet<>();

  public void setDesired(K key, V value) {
    desired.put(key, value);
    refresh(key);
  }

  public void removeDesired(K key) {
    desired.remove(key);
    refresh(key);
  }

  /** The world has this value now, by our doing or another's. */
  public void setActual(K key, V value) {
    actual.put(key, value);
    refresh(key);
  }

  public void removeActual(K key) {
    actual.remove(key);
    refresh(key);
  }

  /** Replaces everything known of the world by what a complete dump says. */
  public void replaceActual(Map<K, V> dump) {
    Set<K> keys = new LinkedHashSet<>(actual.keySet());
    keys.addAll(dump.keySet());
    actual.clear();
    actual.putAll(dump);
    keys.forEach(this::refresh);
  }

  /**
   * What must be created or overwritten, as a copy that stays valid while the tracker is changed.
   */
  public Map<K, V> pendingPuts() {
    Map<K, V> puts = new LinkedHashMap<>();
    toPut.forEach(key -> puts.put(key, desired.get(key)));
    return puts;
  }

  /** What must go, with the value it has now; a copy. */
  public Map<K, V> pendingDeletes() {
    Map<K, V> deletes = new LinkedHashMap<>();
    toDelete.forEach(key -> deletes.put(key, actual.get(key)));
    return deletes;
  }

  public boolean inSync() {
    return toPut.isEmpty() && toDelete.isEmpty();
  }

  public Map<K, V> desired() {
    return Collections.unmodifiableMap(desired);
  }

  public Map<K, V> actual() {
    return Collections.unmodifiableMap(actual);
  }

  private void refresh(K key) {
    V wanted = desired.get(key);
    V present = actual.get(key);
    if (wanted != null && !Objects.equals(wanted, present)) {
      toPut.add(key);
    } else {
      toPut.remove(key);
    }
    if (wanted == null && present != null) {
      toDelete.add(key);
    } else {
      toDelete.remove(key);
    }
  }
}
