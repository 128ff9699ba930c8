package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.ResourceConflictException;
import io.wayleave.ipam.IpamInspector;
import io.wayleave.ipam.Pools;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpPool;
import io.wayleave.model.Kind;
import java.util.List;
import java.util.Optional;

/**
 * Changes pools through {@code ipam-etcd}, which knows what two pools and the addresses in use
 * forbid, and says the refusals as a user of netctl needs them. NOT thread safe.
 */
final class PoolEditor {
  private static final int MAX_OWNERS_IN_MESSAGE = 5;

  private final Datastore datastore;
  private final Pools pools;

  PoolEditor(Datastore datastore) {
    this.datastore = requireNonNull(datastore, "datastore is null");
    this.pools = new Pools(datastore);
  }

  /**
   * Fails when the pool could not be created or replaced together with others, and changes nothing.
   *
   * @param beside the pools that are to be written before it
   */
  void check(IpPool pool, List<IpPool> beside) {
    refusing(
        pool,
        () -> {
          pools.check(pool, beside, datastore.deadline());
          return Change.Outcome.UNCHANGED;
        });
  }

  /**
   * @throws ResourceConflictException when it exists
   */
  Change create(IpPool pool) {
    return refusing(
        pool,
        () -> {
          pools.create(pool, datastore.deadline());
          return Change.Outcome.CREATED;
        });
  }

  /** Replaces it, and fails when it does not exist. */
  Change replace(IpPool pool) {
    return refusing(
        pool,
        () -> {
          pools.replace(pool, Optional.empty(), datastore.deadline());
          return Change.Outcome.REPLACED;
        });
  }

  /** Creates or replaces it. */
  Change apply(IpPool pool) {
    return refusing(
        pool,
        () ->
            switch (pools.apply(pool, datastore.deadline())) {
              case CREATED -> Change.Outcome.CREATED;
              case CHANGED -> Change.Outcome.REPLACED;
              case UNCHANGED -> Change.Outcome.UNCHANGED;
            });
  }

  /**
   * Deletes a pool.
   *
   * @param force also when addresses are in use; their owners keep them
   * @throws CommandFailedException that says who uses its addresses
   * @throws ResourceConflictException when there is none
   */
  Change delete(String name, boolean force) {
    Optional<Cidr> cidr =
        pools.list(datastore.deadline()).resources().stream()
            .filter(pool -> pool.name().equals(name))
            .map(pool -> pool.spec().cidr())
            .findFirst();
    try {
      pools.delete(name, force, datastore.deadline());
    } catch (Pools.InUseException e) {
      throw new CommandFailedException(
          Names.of(Kind.IP_POOL, name)
              + " has "
              + Names.count(e.addresses(), "address", "addresses")
              + " in use: "
              + cidr.map(this::owners).orElse("see netctl pool show " + name)
              + "; delete these containers first, or let them keep their addresses outside any"
              + " pool by netctl pool delete "
              + name
              + " --force",
          e);
    }
    return new Change(Kind.IP_POOL, name, Change.Outcome.DELETED);
  }

  /**
   * Lets a pool give addresses, or none.
   *
   * @throws ResourceConflictException when there is none
   */
  Change setDisabled(String name, boolean disabled) {
    boolean changed = pools.setDisabled(name, disabled, datastore.deadline());
    return new Change(
        Kind.IP_POOL,
        name,
        !changed
            ? Change.Outcome.UNCHANGED
            : disabled ? Change.Outcome.DISABLED : Change.Outcome.ENABLED);
  }

  /**
   * Disables a pool and gives its empty blocks back.
   *
   * @throws ResourceConflictException when there is none
   */
  Pools.Drained drain(String name) {
    return pools.drain(name, datastore.deadline());
  }

  private String owners(Cidr range) {
    List<String> owners =
        new IpamInspector(datastore)
            .addresses(range, datastore.deadline()).stream()
                .map(usage -> usage.address() + " by " + usage.handle().id())
                .toList();
    return Names.some(owners, MAX_OWNERS_IN_MESSAGE);
  }

  private interface Action {
    Change.Outcome run();
  }

  private static Change refusing(IpPool pool, Action action) {
    try {
      return Change.of(pool, action.run());
    } catch (InvalidInputException e) {
      throw new CommandFailedException(
          Names.of(Kind.IP_POOL, pool.name()) + ": " + e.getMessage(), e);
    }
  }
}
