package io.wayleave.datastore;

import static java.util.Objects.requireNonNull;

/**
 * Names one state of the whole store: where a watch begins. Opaque; revisions of different stores
 * mean nothing to each other.
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
