package io.wayleave.datastore;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.InvalidInputException;
import io.wayleave.model.Kind;
import io.wayleave.model.Resource;
import io.wayleave.model.ResourceCodec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Resources of the model under {@code resources/<plural>/<name>}. It checks no resource against
 * others: pools are created and changed through {@code io.wayleave.ipam.Pools}, which refuses
 * overlaps. Thread safe; blocks; throws {@link DatastoreException}.
 */
public final class ResourceStore {
  private final Datastore datastore;

  /** A resource and the state of it that was read, to be handed back when it is replaced. */
  public record Stored<R extends Resource>(R resource, Version version) {}

  /** An entry where a resource should be, and why it is none. */
  public record Unreadable(String key, String reason) {}

  /** All of one kind, in order of name. */
  public record Listing<R extends Resource>(List<Stored<R>> items, List<Unreadable> unreadable) {
    public Listing {
      items = List.copyOf(items);
      unreadable = List.copyOf(unreadable);
    }

    /** The resources alone. */
    public List<R> resources() {
      return items.stream().map(Stored::resource).toList();
    }
  }

  public ResourceStore(Datastore datastore) {
    this.datastore = requireNonNull(datastore, "datastore is null");
  }

  public static String key(Resource resource) {
    return key(resource.kind(), resource.id());
  }

  /** The key of the resource of that {@link Resource#id}. */
  public static String key(Kind kind, String id) {
    return Keys.resource(kind.plural(), id);
  }

  /** The {@link Resource#id} of what a key of a kind is of. */
  public static String id(Kind kind, String key) {
    return key.substring(prefix(kind).length());
  }

  /** The prefix of all resources of a kind. */
  public static String prefix(Kind kind) {
    return Keys.RESOURCES + kind.plural() + "/";
  }

  /**
   * The resource, or empty when there is none of that name.
   *
   * @throws InvalidInputException when the stored value cannot be read
   */
  public <R extends Resource> Optional<Stored<R>> get(
      Class<R> type, String name, Deadline deadline) {
    return datastore
        .get(key(Kind.of(type), name), deadline)
        .map(entry -> new Stored<>(decode(type, entry), entry.version()));
  }

  /** Every resource of a kind; what cannot be read is listed beside them and hides no other. */
  public <R extends Resource> Listing<R> list(Class<R> type, Deadline deadline) {
    List<Stored<R>> items = new ArrayList<>();
    List<Unreadable> unreadable = new ArrayList<>();
    for (Entry entry : datastore.listAll(prefix(Kind.of(type)), deadline).entries()) {
      try {
        items.add(new Stored<>(decode(type, entry), entry.version()));
      } catch (InvalidInputException e) {
        unreadable.add(new Unreadable(entry.key(), e.getMessage()));
      }
    }
    return new Listing<>(items, unreadable);
  }

  /**
   * Writes a new resource.
   *
   * @throws ResourceConflictException when one of that name exists
   */
  public Version create(Resource resource, Deadline deadline) {
    String key = key(resource);
    TransactionResult result =
        datastore.commit(
            Transaction.builder().ifAbsent(key).put(key, ResourceCodec.toJson(resource)).build(),
            deadline);
    return switch (result) {
      case TransactionResult.Committed committed -> committed.versionOf(key);
      case TransactionResult.Failed _ ->
          throw new ResourceConflictException(
              ResourceConflictException.Problem.EXISTS, resource.kind(), resource.id());
    };
  }

  /**
   * Overwrites a resource that was read before.
   *
   * @throws ResourceConflictException when it was changed or deleted since
   */
  public Version replace(Resource resource, Version read, Deadline deadline) {
    String key = key(resource);
    TransactionResult result =
        datastore.commit(
            Transaction.builder()
                .ifUnchanged(key, read)
                .put(key, ResourceCodec.toJson(resource))
                .build(),
            deadline);
    return switch (result) {
      case TransactionResult.Committed committed -> committed.versionOf(key);
      case TransactionResult.Failed failed ->
          throw conflict(failed, resource.kind(), resource.id());
    };
  }

  /** Writes a resource, whatever was there. For those that have one writer, such as a node. */
  public Version put(Resource resource, Deadline deadline) {
    String key = key(resource);
    TransactionResult result =
        datastore.commit(
            Transaction.builder().put(key, ResourceCodec.toJson(resource)).build(), deadline);
    return switch (result) {
      case TransactionResult.Committed committed -> committed.versionOf(key);
      case TransactionResult.Failed failed ->
          throw new IllegalStateException("an unconditional put failed: " + failed);
    };
  }

  /**
   * Deletes a resource, whatever its state.
   *
   * @throws ResourceConflictException when there is none of that name
   */
  public void delete(Kind kind, String name, Deadline deadline) {
    String key = key(kind, name);
    finishDelete(
        datastore.commit(Transaction.builder().ifExists(key).delete(key).build(), deadline),
        kind,
        name);
  }

  /**
   * Deletes a resource that was read before.
   *
   * @throws ResourceConflictException when it was changed or deleted since
   */
  public void delete(Kind kind, String name, Version read, Deadline deadline) {
    String key = key(kind, name);
    finishDelete(
        datastore.commit(
            Transaction.builder().ifUnchanged(key, read).delete(key).build(), deadline),
        kind,
        name);
  }

  private static void finishDelete(TransactionResult result, Kind kind, String name) {
    if (result instanceof TransactionResult.Failed failed) {
      throw conflict(failed, kind, name);
    }
  }

  private static ResourceConflictException conflict(
      TransactionResult.Failed failed, Kind kind, String name) {
    return new ResourceConflictException(
        failed.current().containsKey(key(kind, name))
            ? ResourceConflictException.Problem.CHANGED
            : ResourceConflictException.Problem.NOT_FOUND,
        kind,
        name);
  }

  /** Follows all resources of a kind, by name. The caller closes it. */
  public <R extends Resource> Syncer<String, R> follow(
      Class<R> type, Syncer.Listener<String, R> listener) {
    Kind kind = Kind.of(type);
    return Syncer.start(kind.plural(), datastore, prefix(kind), decoder(type), listener);
  }

  /** Reads the entries of a kind for a {@link Syncer}. */
  public static <R extends Resource> Syncer.Decoder<String, R> decoder(Class<R> type) {
    return new Syncer.Decoder<>() {
      @Override
      public String key(String key) {
        return id(Kind.of(type), key);
      }

      @Override
      public R value(String name, Entry entry) {
        return decode(type, entry);
      }
    };
  }

  private static <R extends Resource> R decode(Class<R> type, Entry entry) {
    R resource;
    try {
      resource = ResourceCodec.fromJson(entry.value(), type);
    } catch (InvalidInputException e) {
      throw e.within(entry.key());
    }
    if (!entry.key().equals(key(resource))) {
      throw new InvalidInputException(
          entry.key() + ".metadata.name",
          resource.id(),
          "the name in the key, " + id(resource.kind(), entry.key()));
    }
    return resource;
  }
}
