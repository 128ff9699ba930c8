package io.wayleave.ipam;

import static java.util.Objects.requireNonNull;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.ResourceConflictException;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.Version;
import io.wayleave.model.Kind;
import io.wayleave.model.Resource;
import io.wayleave.model.ResourceCodec;
import java.util.Optional;

/**
 * Writes {@code IPReservation} and {@code IPAMConfiguration}, so that every host minds them from
 * its next allocation on. Thread safe; blocks.
 */
public final class IpamSettings {
  private static final int MAX_ATTEMPTS = 20;

  private final Datastore datastore;

  public IpamSettings(Datastore datastore) {
    this.datastore = requireNonNull(datastore, "datastore is null");
  }

  /** Whether resources of this kind are written here. */
  public static boolean has(Kind kind) {
    return kind == Kind.IP_RESERVATION || kind == Kind.IPAM_CONFIGURATION;
  }

  /**
   * Writes a new one.
   *
   * @throws ResourceConflictException when it exists
   */
  public void create(Resource resource, Deadline deadline) {
    write(resource, Optional.empty(), deadline);
  }

  /**
   * Changes one.
   *
   * @throws ResourceConflictException when it is not as the caller saw it
   */
  public void replace(Resource resource, Version read, Deadline deadline) {
    write(resource, Optional.of(read), deadline);
  }

  private void write(Resource resource, Optional<Version> read, Deadline deadline) {
    String key = ResourceStore.key(resource);
    commit(
        resource.kind(),
        resource.name(),
        transaction -> transaction.ifSame(key, read).put(key, ResourceCodec.toJson(resource)),
        deadline);
  }

  /**
   * Deletes one.
   *
   * @throws ResourceConflictException when there is none
   */
  public void delete(Kind kind, String name, Deadline deadline) {
    String key = ResourceStore.key(kind, name);
    commit(kind, name, transaction -> transaction.ifExists(key).delete(key), deadline);
  }

  private interface Change {
    void addTo(Transaction.Builder transaction);
  }

  private void commit(Kind kind, String name, Change change, Deadline deadline) {
    if (!has(kind)) {
      throw new IllegalArgumentException(kind + " is no setting of IPAM");
    }
    String key = ResourceStore.key(kind, name);
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      Transaction.Builder transaction = PoolGuard.read(datastore, deadline).changingSettings();
      change.addTo(transaction);
      if (!(datastore.commit(transaction.build(), deadline)
          instanceof TransactionResult.Failed failed)) {
        return;
      }
      if (failed.because(key)) {
        throw new ResourceConflictException(problem(failed, key), kind, name);
      }
    }
    throw new IpamException.Contended("change of " + kind.title() + " " + name, MAX_ATTEMPTS);
  }

  private static ResourceConflictException.Problem problem(
      TransactionResult.Failed failed, String key) {
    if (!failed.current().containsKey(key)) {
      return ResourceConflictException.Problem.NOT_FOUND;
    }
    return failed.failed().stream()
            .anyMatch(
                each -> each instanceof Transaction.Absent(String absent) && absent.equals(key))
        ? ResourceConflictException.Problem.EXISTS
        : ResourceConflictException.Problem.CHANGED;
  }
}
