package io.wayleave.datastore.testing;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.Version;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;

/** Leaves conditions and operations out: what is done through it is done with a defect. */
public final class BrokenDatastore extends DelegatingDatastore {
  private final Predicate<Transaction.Condition> conditions;
  private final Predicate<Transaction.Operation> operations;

  private BrokenDatastore(
      Datastore delegate,
      Predicate<Transaction.Condition> conditions,
      Predicate<Transaction.Operation> operations) {
    super(delegate);
    this.conditions = conditions;
    this.operations = operations;
  }

  public static BrokenDatastore withoutConditions(
      Datastore delegate, Predicate<Transaction.Condition> dropped) {
    return new BrokenDatastore(delegate, dropped.negate(), _ -> true);
  }

  public static BrokenDatastore withoutOperations(
      Datastore delegate, Predicate<Transaction.Operation> dropped) {
    return new BrokenDatastore(delegate, _ -> true, dropped.negate());
  }

  @Override
  public TransactionResult commit(Transaction transaction, Deadline deadline) {
    Transaction.Builder left = Transaction.builder();
    for (Transaction.Condition condition : transaction.conditions()) {
      if (conditions.test(condition)) {
        switch (condition) {
          case Transaction.Absent(String key) -> left.ifAbsent(key);
          case Transaction.Exists(String key) -> left.ifExists(key);
          case Transaction.Unchanged unchanged ->
              left.ifUnchanged(unchanged.key(), unchanged.version());
        }
      }
    }
    for (Transaction.Operation operation : transaction.operations()) {
      if (operations.test(operation)) {
        switch (operation) {
          case Transaction.Put put -> left.put(put.key(), put.value());
          case Transaction.Delete delete -> left.delete(delete.key());
        }
      }
    }
    TransactionResult result = super.commit(left.build(), deadline);
    if (result instanceof TransactionResult.Committed committed) {
      // The versions of what was left out: any will do.
      Map<String, Version> versions = new HashMap<>(committed.versions());
      for (Transaction.Operation operation : transaction.operations()) {
        versions.putIfAbsent(operation.key(), new Version(committed.revision().token()));
      }
      return new TransactionResult.Committed(committed.revision(), versions);
    }
    return result;
  }
}
