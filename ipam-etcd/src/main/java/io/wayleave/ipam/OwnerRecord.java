package io.wayleave.ipam;

import io.wayleave.datastore.Keys;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * Records that live exactly as long as an allocation: written in its transaction, where none of
 * them may exist, and deleted in that of its release.
 *
 * @param puts values by key of the datastore
 */
public record OwnerRecord(Map<String, byte[]> puts) {
  public OwnerRecord {
    puts = Collections.unmodifiableMap(new TreeMap<>(puts));
    puts.keySet().forEach(Keys::checkKey);
  }

  public static OwnerRecord none() {
    return new OwnerRecord(Map.of());
  }

  public static OwnerRecord of(String key, byte[] value) {
    return new OwnerRecord(Map.of(key, value));
  }
}
