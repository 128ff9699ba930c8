package io.wayleave.datastore;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.InvalidInputException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Operations on several keys that happen together, or not at all when one of the conditions does
 * not hold. Built by {@link #builder()}; immutable.
 */
public final class Transaction {
  /** The most conditions, and the most operations, in one transaction (etcd's default limit). */
  public static final int MAX_OPERATIONS = 128;

  /** What must hold for the transaction to happen. */
  public sealed interface Condition {
    String key();
  }

  /** There is no such key. */
  public record Absent(String key) implements Condition {
    public Absent {
      Keys.checkKey(key);
    }
  }

  /** The key exists, with whatever value. */
  public record Exists(String key) implements Condition {
    public Exists {
      Keys.checkKey(key);
    }
  }

  /** The key is in the very state that had this version. */
  public record Unchanged(String key, Version version) implements Condition {
    public Unchanged {
      Keys.checkKey(key);
      requireNonNull(version, "version is null");
    }
  }

  /** What happens. */
  public sealed interface Operation {
    String key();
  }

  /**
   * Writes the key.
   *
   * @param session when present, the key is deleted at the end of that session
   */
  @SuppressWarnings("ArrayRecordComponent") // equality by content is defined below
  public record Put(String key, byte[] value, Optional<Session> session) implements Operation {
    public Put {
      Keys.checkKey(key);
      requireNonNull(value, "value is null");
      requireNonNull(session, "session is null");
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Put put
          && key.equals(put.key)
          && session.equals(put.session)
          && Arrays.equals(value, put.value);
    }

    @Override
    public int hashCode() {
      return 31 * key.hashCode() + Arrays.hashCode(value);
    }

    @Override
    public String toString() {
      return "Put[" + key + ", " + value.length + " bytes]";
    }
  }

  /** Deletes the key; no key, no matter. */
  public record Delete(String key) implements Operation {
    public Delete {
      Keys.checkKey(key);
    }
  }

  private final List<Condition> conditions;
  private final List<Operation> operations;

  private Transaction(List<Condition> conditions, List<Operation> operations) {
    this.conditions = List.copyOf(conditions);
    this.operations = List.copyOf(operations);
  }

  public List<Condition> conditions() {
    return conditions;
  }

  public List<Operation> operations() {
    return operations;
  }

  public static Builder builder() {
    return new Builder();
  }

  @Override
  public String toString() {
    return "if " + conditions + " then " + operations;
  }

  /** Collects a transaction. NOT thread safe. */
  public static final class Builder {
    private final List<Condition> conditions = new ArrayList<>();
    private final List<Operation> operations = new ArrayList<>();
    private final Set<String> written = new HashSet<>();

    private Builder() {}

    public Builder ifAbsent(String key) {
      conditions.add(new Absent(key));
      return this;
    }

    public Builder ifExists(String key) {
      conditions.add(new Exists(key));
      return this;
    }

    public Builder ifUnchanged(String key, Version version) {
      conditions.add(new Unchanged(key, version));
      return this;
    }

    /** The key is as this entry says. */
    public Builder ifUnchanged(Entry entry) {
      return ifUnchanged(entry.key(), entry.version());
    }

    /** The key is as it was read: of this version, or absent. */
    public Builder ifSame(String key, Optional<Version> read) {
      return read.isPresent() ? ifUnchanged(key, read.get()) : ifAbsent(key);
    }

    public Builder put(String key, byte[] value) {
      return add(new Put(key, value, Optional.empty()));
    }

    public Builder put(String key, String value) {
      return put(key, value.getBytes(StandardCharsets.UTF_8));
    }

    /** Writes a key that lives as long as the session; one session in one transaction. */
    public Builder putBound(String key, byte[] value, Session session) {
      return add(new Put(key, value, Optional.of(session)));
    }

    public Builder delete(String key) {
      return add(new Delete(key));
    }

    private Builder add(Operation operation) {
      // Stores differ in what two writes of one key in one transaction mean, so it is no
      // transaction.
      if (!written.add(operation.key())) {
        throw new IllegalArgumentException(
            "transaction writes " + operation.key() + " twice; allowed: one operation per key");
      }
      operations.add(operation);
      return this;
    }

    /**
     * The transaction as collected so far.
     *
     * @throws InvalidInputException when it has more than {@link #MAX_OPERATIONS} conditions or
     *     operations
     */
    public Transaction build() {
      checkSize("transaction.conditions", conditions.size());
      checkSize("transaction.operations", operations.size());
      return new Transaction(conditions, operations);
    }

    private static void checkSize(String field, int size) {
      if (size > MAX_OPERATIONS) {
        throw new InvalidInputException(
            field, Integer.toString(size), "at most " + MAX_OPERATIONS + " in one transaction");
      }
    }
  }
}
