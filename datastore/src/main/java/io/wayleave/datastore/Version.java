package io.wayleave.datastore;

import static java.util.Objects.requireNonNull;

/**
 * Names one state of one key, to be handed back in a {@link Transaction} condition. Only equality
 * means something: versions have no order, and those of two keys are not comparable. The version of
 * a deleted key is never valid again, also when the key is created anew.
 */
public record Version(String token) {
  public Version {
    requireNonNull(token, "token is null");
  }

  @Override
  public String toString() {
    return token;
  }
}
