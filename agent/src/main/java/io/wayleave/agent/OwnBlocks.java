package io.wayleave.agent;

import static java.util.Objects.requireNonNull;

import io.wayleave.datastore.Syncer;
import io.wayleave.ipam.Block;
import io.wayleave.model.Cidr;
import io.wayleave.model.Update;
import io.wayleave.route.RouteService;
import io.wayleave.route.RouteSource;
import io.wayleave.route.RouteTarget;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Blackhole routes for the addresses of this node's blocks: one that no container has must not
 * leave the host again by a less specific route. Called by a syncer, owned by the core thread.
 */
final class OwnBlocks implements Syncer.Listener<Cidr, Block> {
  private static final Logger log = LoggerFactory.getLogger(OwnBlocks.class);

  private final String node;
  private final CoreThread core;
  private final RouteService routes;
  private final Runnable onChange;
  private final Set<Cidr> kept = new HashSet<>();
  private boolean inSync;

  /**
   * Does nothing before the first update.
   *
   * @param onChange called on the core thread after each batch
   */
  OwnBlocks(String node, CoreThread core, RouteService routes, Runnable onChange) {
    this.node = requireNonNull(node, "node is null");
    this.core = requireNonNull(core, "core is null");
    this.routes = requireNonNull(routes, "routes is null");
    this.onChange = requireNonNull(onChange, "onChange is null");
  }

  /** Whether every block that exists has been told. */
  boolean inSync() {
    return inSync;
  }

  @Override
  public void onUpdate(Update<Cidr, Block> update) {
    core.execute(
        () -> {
          switch (update) {
            case Update.Put<Cidr, Block>(Cidr cidr, Block block) ->
                // A block of one address is that address: its route is the container's.
                keep(cidr, block.belongsTo(node) && !cidr.isHost());
            case Update.Delete<Cidr, Block>(Cidr cidr) -> keep(cidr, false);
            case Update.InSync<Cidr, Block>() -> {
              inSync = true;
              submit(new Update.InSync<>());
            }
          }
        });
  }

  @Override
  public void onBatchEnd() {
    core.execute(onChange);
  }

  private void keep(Cidr cidr, boolean own) {
    if (own && kept.add(cidr)) {
      submit(new Update.Put<>(cidr, new RouteTarget.Blackhole()));
    } else if (!own && kept.remove(cidr)) {
      submit(new Update.Delete<>(cidr));
    }
  }

  private void submit(Update<Cidr, RouteTarget> update) {
    var _ =
        routes
            .submit(RouteSource.BLOCK, update)
            .exceptionally(
                error -> {
                  log.warn("blackhole route not taken update={}", update, error);
                  return Optional.empty();
                });
  }
}
