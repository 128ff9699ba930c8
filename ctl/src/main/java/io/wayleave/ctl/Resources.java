package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.ResourceConflictException;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.ResourceStore.Stored;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.Version;
import io.wayleave.ipam.IpamSettings;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.Kind;
import io.wayleave.model.Resource;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * The resources of the fabric as commands see them. Every write is conditional on what was read
 * before, so that changes of two people never undo each other unseen; who loses the race reads
 * again. Pools are written by {@code ipam-etcd}, not here. NOT thread safe.
 */
final class Resources {
  /** More losses in a row than two people and an agent can inflict. */
  private static final int MAX_ATTEMPTS = 20;

  private static final int MAX_NAMES_IN_MESSAGE = 8;

  private final Datastore datastore;
  private final ResourceStore store;
  private final IpamSettings settings;
  private final Consumer<String> problems;

  /**
   * @param problems told what is in the datastore and cannot be read
   */
  Resources(Datastore datastore, Consumer<String> problems) {
    this.datastore = requireNonNull(datastore, "datastore is null");
    this.store = new ResourceStore(datastore);
    this.settings = new IpamSettings(datastore);
    this.problems = requireNonNull(problems, "problems is null");
  }

  /** All of one kind by name. What cannot be read is a problem, but hides no other. */
  <R extends Resource> List<R> list(Class<R> type) {
    ResourceStore.Listing<R> listing = store.list(type, datastore.deadline());
    for (ResourceStore.Unreadable unreadable : listing.unreadable()) {
      problems.accept(unreadable(unreadable.reason()));
    }
    return listing.resources();
  }

  Optional<Resource> find(Kind kind, String name) {
    return stored(kind, name).map(Stored::resource);
  }

  /**
   * @throws CommandFailedException when there is none, naming those that there are
   */
  Resource get(Kind kind, String name) {
    return find(kind, name).orElseThrow(() -> absent(kind, name));
  }

  /** Whether there is one, readable or not. */
  boolean exists(Kind kind, String name) {
    return datastore.get(ResourceStore.key(kind, name), datastore.deadline()).isPresent();
  }

  /**
   * @throws CommandFailedException when it exists
   */
  Change create(Resource resource) {
    return write(
        resource.kind(),
        resource.id(),
        present -> {
          if (present.isPresent()) {
            throw exists(resource);
          }
          return resource;
        });
  }

  /**
   * Writes a resource that may depend on the one that is there.
   *
   * @param next from what is there to what shall be; asked again when another writer came between,
   *     and may refuse by an exception
   */
  Change write(Kind kind, String name, Function<Optional<Resource>, Resource> next) {
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      Optional<? extends Stored<? extends Resource>> present = stored(kind, name);
      Resource wanted = next.apply(present.map(Stored::resource));
      if (present.isPresent() && present.get().resource().equals(wanted)) {
        return Change.of(wanted, Change.Outcome.UNCHANGED);
      }
      try {
        if (IpamSettings.has(kind)) {
          return writeSetting(wanted, present.map(Stored::version));
        }
        if (present.isPresent()) {
          store.replace(wanted, present.get().version(), datastore.deadline());
          return Change.of(wanted, Change.Outcome.REPLACED);
        }
        store.create(wanted, datastore.deadline());
        return Change.of(wanted, Change.Outcome.CREATED);
      } catch (ResourceConflictException e) {
        // Another was faster: look at what it wrote.
      }
    }
    throw new CommandFailedException(
        Names.of(kind, name)
            + " was changed by others each of the "
            + MAX_ATTEMPTS
            + " times that this was tried; find out who writes it, then try again");
  }

  /** Settings of IPAM are written so that hosts notice. */
  private Change writeSetting(Resource wanted, Optional<Version> present) {
    if (present.isPresent()) {
      settings.replace(wanted, present.get(), datastore.deadline());
      return Change.of(wanted, Change.Outcome.REPLACED);
    }
    settings.create(wanted, datastore.deadline());
    return Change.of(wanted, Change.Outcome.CREATED);
  }

  /** Changes a resource that must exist. */
  Change change(Kind kind, String name, UnaryOperator<Resource> change) {
    return write(
        kind, name, present -> change.apply(present.orElseThrow(() -> absent(kind, name))));
  }

  /**
   * Does something to a resource that must exist.
   *
   * @throws CommandFailedException which says what there is, when the action finds that it does not
   */
  <T> T existing(Kind kind, String name, Supplier<T> action) {
    try {
      return action.get();
    } catch (ResourceConflictException e) {
      if (e.problem() == ResourceConflictException.Problem.NOT_FOUND) {
        throw absent(kind, name);
      }
      throw e;
    }
  }

  /**
   * Deletes a resource, readable or not.
   *
   * @throws CommandFailedException when there is none
   */
  Change delete(Kind kind, String name) {
    try {
      if (IpamSettings.has(kind)) {
        settings.delete(kind, name, datastore.deadline());
      } else {
        store.delete(kind, name, datastore.deadline());
      }
      return new Change(kind, name, Change.Outcome.DELETED);
    } catch (ResourceConflictException e) {
      throw absent(kind, name);
    }
  }

  /**
   * Deletes a node on the condition that no agent of it lives.
   *
   * @return whether it was deleted; false when an agent lives
   */
  boolean deleteNodeUnlessPresent(String name) {
    return datastore
        .commit(
            Transaction.builder()
                .ifAbsent(Keys.presence(name))
                .delete(ResourceStore.key(Kind.NODE, name))
                .build(),
            datastore.deadline())
        .isCommitted();
  }

  CommandFailedException exists(Resource resource) {
    return new CommandFailedException(
        Names.of(resource.kind(), resource.id())
            + " exists already; choose another name, or change it with netctl apply -f FILE");
  }

  CommandFailedException absent(Kind kind, String name) {
    List<String> names =
        datastore.listAll(ResourceStore.prefix(kind), datastore.deadline()).entries().stream()
            .map(entry -> ResourceStore.id(kind, entry.key()))
            .toList();
    String others =
        switch (names.size()) {
          case 0 -> "there is none";
          case 1 -> "there is " + names.getFirst();
          default -> "there are " + Names.some(names, MAX_NAMES_IN_MESSAGE);
        };
    return new CommandFailedException(Names.of(kind, name) + " does not exist; " + others);
  }

  private Optional<? extends Stored<? extends Resource>> stored(Kind kind, String name) {
    try {
      return store.get(kind.type(), name, datastore.deadline());
    } catch (InvalidInputException e) {
      throw new CommandFailedException(unreadable(e.getMessage()), e);
    }
  }

  /** Says that something in the datastore is not understood. */
  static String unreadable(String reason) {
    return "the datastore holds what netctl "
        + BuildVersion.own()
        + " cannot read (was it written by a newer version?): "
        + reason;
  }
}
