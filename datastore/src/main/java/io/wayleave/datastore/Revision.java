package io.wayleave.datastore;

import static java.util.Objects.requireNonNull;

/**
 * Names one state of the whole store: where a watch begins. Opaque, and of the {@link Datastore}
 * object that gave it out.
 */
public record Revision(String token) {
  public Revision {
    requireNonNull(token, "token is null");
  }

  @Override
  public String toString() {
    return token;
  }
}
