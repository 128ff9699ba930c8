package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpPool;
import io.wayleave.model.Kind;
import io.wayleave.model.Policy;
import io.wayleave.model.Resource;
import io.wayleave.model.Tier;
import io.wayleave.model.WorkloadEndpoint;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

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

  private static final int MAX_NAMES = 8;

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
    Set<String> tiers = new HashSet<>();
    for (Manifest.Item item : items) {
      if (item.resource() instanceof Tier tier) {
        tiers.add(tier.name());
      }
    }
    for (Manifest.Item item : items) {
      Resource wanted = item.resource();
      try {
        permitted(resources.find(wanted.kind(), wanted.id()), wanted);
        if (wanted instanceof IpPool pool) {
          pools.check(pool, earlier);
          earlier.add(pool);
        }
        if (wanted instanceof Policy policy) {
          checkTier(policy, tiers);
        }
      } catch (CommandFailedException e) {
        throw new CommandFailedException(item.where() + ": " + e.getMessage(), e);
      }
    }
  }

  /**
   * A policy of a tier that nobody wrote would be asked last of all, which nobody means.
   *
   * @param known tiers of the manifest, and those that were found to exist
   */
  private void checkTier(Policy policy, Set<String> known) {
    String tier = policy.spec().tier();
    if (tier.equals(Tier.DEFAULT) || known.contains(tier)) {
      return;
    }
    if (resources.exists(Kind.TIER, tier)) {
      known.add(tier);
      return;
    }
    List<String> names = new ArrayList<>(known);
    names.add(Tier.DEFAULT);
    resources.list(Tier.class).stream().map(Tier::name).forEach(names::add);
    throw new CommandFailedException(
        Names.of(policy.kind(), policy.id())
            + ": "
            + new InvalidInputException(
                    "spec.tier",
                    tier,
                    "a tier that exists or is in the same manifest: "
                        + Names.some(names.stream().distinct().sorted().toList(), MAX_NAMES))
                .getMessage());
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
            .map(
                found ->
                    ((WorkloadEndpoint) found).spec().equals(endpoint.spec())
                        && found.metadata().namespace().equals(endpoint.metadata().namespace()))
            .orElse(false)) {
      throw new CommandFailedException(
          Names.of(Kind.WORKLOAD_ENDPOINT, wanted.id())
              + " can change in nothing but its labels, because agents write endpoints as"
              + " containers come and go");
    }
    return wanted;
  }
}
