package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.IpPool;
import io.wayleave.model.Kind;
import io.wayleave.model.Resource;
import io.wayleave.model.WorkloadEndpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Writes the resources of manifests. {@link #check} asks everything that can be asked before the
 * first write; each write asks again, in case somebody else was faster in between. NOT thread safe.
 */
final class Applier {
  /** What is expected of resources that exist, or do not. */
  enum Mode {
    /** Create or replace. */
    APPLY,
    /** None may exist. */
    CREATE,
    /** All must exist. */
    REPLACE
  }

  private final Resources resources;
  private final PoolEditor pools;
  private final Mode mode;

  Applier(Resources resources, PoolEditor pools, Mode mode) {
    this.resources = requireNonNull(resources, "resources is null");
    this.pools = requireNonNull(pools, "pools is null");
    this.mode = requireNonNull(mode, "mode is null");
  }

  /**
   * Fails when one of the resources could not be written, and changes nothing.
   *
   * @throws CommandFailedException that says where the resource stands
   */
  void check(List<Manifest.Item> items) {
    List<IpPool> earlier = new ArrayList<>();
    for (Manifest.Item item : items) {
      Resource wanted = item.resource();
      try {
        permitted(resources.find(wanted.kind(), wanted.id()), wanted);
        if (wanted instanceof IpPool pool) {
          pools.check(pool, earlier);
          earlier.add(pool);
        }
      } catch (CommandFailedException e) {
        throw new CommandFailedException(item.where() + ": " + e.getMessage(), e);
      }
    }
  }

  /** Writes one resource. */
  Change write(Resource wanted) {
    if (wanted instanceof IpPool pool) {
      return switch (mode) {
        case APPLY -> pools.apply(pool);
        case CREATE -> pools.create(pool);
        case REPLACE -> pools.replace(pool);
      };
    }
    return resources.write(wanted.kind(), wanted.id(), present -> permitted(present, wanted));
  }

  private Resource permitted(Optional<Resource> present, Resource wanted) {
    if (mode == Mode.CREATE && present.isPresent()) {
      throw resources.exists(wanted);
    }
    if (mode == Mode.REPLACE && present.isEmpty()) {
      throw resources.absent(wanted.kind(), wanted.id());
    }
    if (wanted instanceof WorkloadEndpoint endpoint
        && !present
            .map(found -> ((WorkloadEndpoint) found).spec().equals(endpoint.spec()))
            .orElse(false)) {
      throw new CommandFailedException(
          Names.of(Kind.WORKLOAD_ENDPOINT, wanted.id())
              + " can change in nothing but its labels, because agents write endpoints as"
              + " containers come and go");
    }
    return wanted;
  }
}
