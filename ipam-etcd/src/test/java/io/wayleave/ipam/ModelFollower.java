package io.wayleave.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreException;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.Revision;
import io.wayleave.datastore.SteppedSyncer;
import io.wayleave.datastore.Watch;
import io.wayleave.datastore.WatchEvent;
import io.wayleave.datastore.testing.DelegatingDatastore;
import io.wayleave.model.Cidr;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/**
 * The blocks as a host in a model follows them: by a real syncer that goes on when the history says
 * so, and a watch that is as slow, and as often away, as the contract allows. NOT thread safe.
 */
final class ModelFollower {
  private final RandomGenerator random;
  private final ModelPoints points;
  private final Predicate<Entry> isOld;
  private final WatchedBlocks blocks;
  private final SteppedSyncer<Cidr, BlockView.Held> syncer;
  // Whether the watch is away, or is to go away at its next chance.
  private boolean away;
  // Nothing is in its way.
  private boolean calm;
  private boolean stepping;

  /**
   * @param isOld whether the store has the entry in another state now
   */
  ModelFollower(
      Datastore store,
      LongSupplier nanoTime,
      RandomGenerator random,
      ModelPoints points,
      Predicate<Entry> isOld) {
    this.random = random;
    this.points = points;
    this.isOld = isOld;
    this.blocks = new WatchedBlocks(_ -> {}, nanoTime);
    DelegatingDatastore watched =
        new DelegatingDatastore(store) {
          @Override
          public Watch watch(String prefix, Revision after) {
            away = false;
            return new Unsteady(super.watch(prefix, after));
          }
        };
    this.syncer = new SteppedSyncer<>(watched, Keys.BLOCKS, new WatchedBlocks.Decoder(), blocks);
  }

  WatchedBlocks blocks() {
    return blocks;
  }

  /** Tells a little of what happened, or lists anew. */
  void step() {
    if (stepping) {
      return; // while it lists, others act
    }
    stepping = true;
    try {
      var _ = syncer.step();
    } catch (DatastoreException _) {
      points.hit(ModelPoints.Watching.LISTING_FAILED); // it tries again
    } finally {
      stepping = false;
    }
  }

  /** Tells all that happened, with nothing in its way. */
  void comeUpToDate() {
    calm = true;
    boolean more = true;
    while (more) {
      more = syncer.step();
    }
    calm = false;
  }

  /** What it shows that is not so; nothing may be in its way. */
  List<String> compare(List<Block> stored) {
    Map<Cidr, String> told = new TreeMap<>();
    blocks
        .current()
        .ifPresent(now -> now.blocks().forEach((cidr, held) -> told.put(cidr, text(held.block()))));
    Map<Cidr, String> there = new TreeMap<>();
    stored.forEach(block -> there.put(block.cidr(), text(block)));
    return told.equals(there)
        ? List.of()
        : List.of("the watch has told " + told + ", and the store has " + there);
  }

  private static String text(Block block) {
    return new String(block.toJson(), StandardCharsets.UTF_8);
  }

  /** Passes a watch on: late, several changes as one batch, and away at times. */
  private final class Unsteady implements Watch {
    private final Watch watch;

    Unsteady(Watch watch) {
      this.watch = watch;
    }

    @Override
    public List<WatchEvent> take(Deadline deadline) throws InterruptedException {
      if (away) {
        if (!calm && random.nextInt(4) != 0) {
          return List.of();
        }
        away = false;
        points.hit(ModelPoints.Watching.RECONNECTED);
        return List.of(new WatchEvent.Reconnected());
      }
      if (!calm && random.nextInt(40) == 0) {
        away = true;
        points.hit(ModelPoints.Watching.DISCONNECTED);
        return List.of(new WatchEvent.Disconnected("injected"));
      }
      List<WatchEvent> events = new ArrayList<>(watch.take(deadline));
      if (!calm && !events.isEmpty() && random.nextInt(4) == 0) {
        events = joined(events, watch.take(deadline));
      }
      for (WatchEvent event : events) {
        switch (event) {
          case WatchEvent.Put put when isOld.test(put.entry()) ->
              points.hit(ModelPoints.Watching.TOLD_LATE);
          case WatchEvent.Resync _ -> points.hit(ModelPoints.Watching.RESYNCED);
          case WatchEvent.Put _,
              WatchEvent.Delete _,
              WatchEvent.Disconnected _,
              WatchEvent.Reconnected _ -> {}
        }
      }
      return events;
    }

    /** Of changes of one key the last alone, in the place of the first. */
    private List<WatchEvent> joined(List<WatchEvent> first, List<WatchEvent> next) {
      Map<String, WatchEvent> last = new LinkedHashMap<>();
      for (WatchEvent event : first) {
        last.put(name(event), event);
      }
      for (WatchEvent event : next) {
        if (last.put(name(event), event) != null) {
          points.hit(ModelPoints.Watching.SEVERAL_AT_ONCE);
        }
      }
      return new ArrayList<>(last.values());
    }

    private static String name(WatchEvent event) {
      return switch (event) {
        case WatchEvent.Put put -> put.entry().key();
        case WatchEvent.Delete delete -> delete.key();
        case WatchEvent.Resync _, WatchEvent.Disconnected _, WatchEvent.Reconnected _ ->
            event.getClass().getName();
      };
    }

    @Override
    public boolean isEnded() {
      return watch.isEnded();
    }

    @Override
    public void close() {
      watch.close();
    }
  }
}
