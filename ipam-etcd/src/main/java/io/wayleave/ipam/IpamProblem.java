package io.wayleave.ipam;

import static java.util.Objects.requireNonNull;

import io.wayleave.datastore.Version;
import io.wayleave.model.IpAddress;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Something in the store that should not be. Two that are equal are the same finding on records
 * that did not change: see {@link IpamCheck}.
 *
 * @param subject what it is about: a block, a handle, an address, a key
 * @param addresses those that it concerns, in order
 * @param detail for people: what is wrong with the subject
 * @param seen the records that show it, by key, as they were read; empty: there was none
 */
public record IpamProblem(
    Kind kind,
    String subject,
    List<IpAddress> addresses,
    String detail,
    Map<String, Optional<Version>> seen) {
  public IpamProblem {
    requireNonNull(kind, "kind is null");
    requireNonNull(subject, "subject is null");
    addresses = addresses.stream().sorted().toList();
    requireNonNull(detail, "detail is null");
    seen = Collections.unmodifiableMap(new TreeMap<>(seen));
  }

  /** The classes of problems. */
  public enum Kind {
    /** The host of a handle has neither a Node nor a life sign. */
    ALLOCATED_BUT_UNUSED("allocated-but-unused"),
    /** A handle or an endpoint has an address that its block has as free: it may be given twice. */
    IN_USE_BUT_UNALLOCATED("in-use-but-unallocated"),
    /** Addresses in use that lie in no pool, as after a pool was deleted by force. */
    IN_USE_OUTSIDE_POOLS("in-use-outside-pools"),
    HANDLE_WITHOUT_ADDRESSES("handle-without-addresses"),
    /** A block has an address as taken, and no handle has it. */
    ADDRESS_WITHOUT_HANDLE("address-without-handle"),
    /** A block that overlaps another, or that its pool is not cut into. */
    INVALID_BLOCK("invalid-block"),
    SEVERAL_OWNERS("several-owners"),
    OWNER_RECORD_MISSING("owner-record-missing"),
    OWNER_RECORD_WITHOUT_HANDLE("owner-record-without-handle"),
    /** A host's claim on a block that does not exist, or is another's. */
    AFFINITY_WITHOUT_BLOCK("affinity-without-block"),
    BLOCK_WITHOUT_AFFINITY("block-without-affinity"),
    /** An empty block that lies in no pool. */
    BLOCK_OUTSIDE_POOLS("block-outside-pools"),
    UNREADABLE_VALUE("unreadable-value"),
    NEWER_SCHEMA("newer-schema"),
    /** A key that is none of ours, or whose value belongs to another key. */
    WRONG_KEY("wrong-key");

    private final String text;

    Kind(String text) {
      this.text = text;
    }

    /** As people and scripts read it. */
    public String text() {
      return text;
    }
  }
}
