package io.wayleave.datastore;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Optional;

/**
 * A part of the listing of a prefix, in key order.
 *
 * @param entries the entries of this page
 * @param revision where a watch begins that tells what the listing does not show; all pages of one
 *     listing carry the same
 * @param next how to read on; empty on the last page
 */
public record Page(List<Entry> entries, Revision revision, Optional<Cursor> next) {
  public Page {
    entries = List.copyOf(entries);
    requireNonNull(revision, "revision is null");
    requireNonNull(next, "next is null");
  }

  /** Where the next page begins, and of which listing. Opaque; of the store that made it. */
  public record Cursor(Revision revision, String afterKey) {
    public Cursor {
      requireNonNull(revision, "revision is null");
      requireNonNull(afterKey, "afterKey is null");
    }
  }
}
