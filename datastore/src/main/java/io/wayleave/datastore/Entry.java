package io.wayleave.datastore;

import static java.util.Objects.requireNonNull;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * A key, its value and the version of this state. The array is not copied: whoever makes or reads
 * an entry leaves it unchanged.
 */
@SuppressWarnings("ArrayRecordComponent") // equality by content is defined below
public record Entry(String key, byte[] value, Version version) {
  public Entry {
    requireNonNull(key, "key is null");
    requireNonNull(value, "value is null");
    requireNonNull(version, "version is null");
  }

  /** The value read as UTF-8. */
  public String text() {
    return new String(value, StandardCharsets.UTF_8);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Entry entry
        && key.equals(entry.key)
        && version.equals(entry.version)
        && Arrays.equals(value, entry.value);
  }

  @Override
  public int hashCode() {
    return 31 * key.hashCode() + version.hashCode();
  }

  /** Without the value, which may be secret. */
  @Override
  public String toString() {
    return key + "@" + version + " (" + value.length + " bytes)";
  }
}
