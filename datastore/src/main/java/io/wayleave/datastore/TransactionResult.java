package io.wayleave.datastore;

import java.util.List;
import java.util.Map;

/** What became of a {@link Transaction}. */
public sealed interface TransactionResult {
  /**
   * All of it happened.
   *
   * @param revision the state that it made; a watch after it does not tell of this transaction
   * @param versions the new version of each key that was put
   */
  record Committed(Revision revision, Map<String, Version> versions) implements TransactionResult {
    public Committed {
      versions = Map.copyOf(versions);
    }

    /** The version that this transaction gave the key, which it must have put. */
    public Version versionOf(String key) {
      Version version = versions.get(key);
      if (version == null) {
        throw new IllegalArgumentException("the transaction did not put " + key);
      }
      return version;
    }
  }

  /**
   * Nothing happened.
   *
   * @param failed the conditions that did not hold, at least one
   * @param current the keys of all conditions (also of those that held) that exist, as they were at
   *     the moment of refusal
   */
  record Failed(List<Transaction.Condition> failed, Map<String, Entry> current)
      implements TransactionResult {
    public Failed {
      failed = List.copyOf(failed);
      current = Map.copyOf(current);
    }

    /** Whether a condition on this key was among those that did not hold. */
    public boolean because(String key) {
      return failed.stream().anyMatch(condition -> condition.key().equals(key));
    }
  }

  default boolean isCommitted() {
    return this instanceof Committed;
  }
}
