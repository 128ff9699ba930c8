package io.wayleave.bgp.rib;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.PathSelection;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class LocRibTest {
  private final PeerPaths second = new PeerPaths();
  private static final Cidr PREFIX = Cidr.parse("10.1.0.0/24");
  private static final Cidr OTHER = Cidr.parse("10.2.0.0/24");
  private static final BestPath BEST_PATH =
      new BestPath(PathSelection.DEFAULT, NextHopMetric.CONNECTED);

  private final List<String> told = new ArrayList<>();

  private void process(LocRib rib) {
    told.clear();
    while (rib.process(
        3,
        (family, id, selection) ->
            told.add(
                rib.prefixes(family).prefix(id)
                    + "="
                    + (selection.count() == 0 ? "none" : selection.get(0).source())))) {
      // Until nothing is marked any more.
    }
  }

  @Test
  void theSameStateInAnyOrderGivesTheSameChoice() {
    Random random = new Random(1771);
    for (int round = 0; round < 200; round++) {
      // Each step sets or removes one source's path to one prefix; the last one for a pair counts.
      Map<String, Runnable> state = new TreeMap<>();
      LocRib[] target = new LocRib[1];
      for (int i = 0; i < 20; i++) {
        int n = 1 + random.nextInt(4);
        Cidr prefix = random.nextBoolean() ? PREFIX : OTHER;
        Path path = BestPathTest.randomPath(n, random);
        boolean removes = random.nextInt(4) == 0;
        state.put(
            n + " " + prefix,
            removes
                ? () -> target[0].remove(prefix, path.source())
                : () -> target[0].put(prefix, path));
      }
      List<Runnable> steps = new ArrayList<>(state.values());
      Map<Cidr, Candidates> expected = Map.of();
      for (int order = 0; order < 4; order++) {
        LocRib rib = new LocRib(BEST_PATH, false);
        target[0] = rib;
        // On the way there: other paths of the same sources, and choices in between.
        for (int n = 1; n <= 4; n++) {
          rib.put(PREFIX, BestPathTest.randomPath(n, random));
          rib.remove(PREFIX, Paths.external(n));
        }
        for (Runnable step : steps) {
          step.run();
          if (random.nextBoolean()) {
            process(rib);
          }
        }
        process(rib);
        Map<Cidr, Candidates> got =
            Map.of(PREFIX, rib.selected(PREFIX), OTHER, rib.selected(OTHER));
        if (order == 0) {
          expected = got;
        }
        assertThat(got).isEqualTo(expected);
        Collections.shuffle(steps, random);
      }
    }
  }

  @Test
  void tellsOnlyWhatChanged() {
    LocRib rib = new LocRib(BEST_PATH, false);
    rib.put(PREFIX, Paths.of(1));
    rib.put(PREFIX, Paths.of(1, _ -> {}, 65000, 65001));
    process(rib);
    assertThat(told).containsExactly("10.1.0.0/24=p1");
    rib.put(PREFIX, Paths.of(2, _ -> {}, 65000, 65001, 65002));
    process(rib);
    assertThat(told).as("a worse path").isEmpty();
    rib.remove(PREFIX, Paths.external(1));
    process(rib);
    assertThat(told).containsExactly("10.1.0.0/24=p2");
    rib.put(OTHER, Paths.of(1));
    rib.remove(OTHER, Paths.external(1));
    process(rib);
    assertThat(told).as("came and went between two turns").isEmpty();
    rib.remove(PREFIX, Paths.external(2));
    process(rib);
    assertThat(told).containsExactly("10.1.0.0/24=none");
  }

  @Test
  void whileDeferringOnlyLocalRoutesAreDecided() {
    LocRib rib = new LocRib(BEST_PATH, true);
    rib.put(PREFIX, Paths.of(1));
    rib.put(OTHER, Paths.of(1));
    rib.put(OTHER, Paths.local());
    process(rib);
    assertThat(told).containsExactly("10.2.0.0/24=local");
    rib.remove(OTHER, new PathSource.Local());
    process(rib);
    // Not local any more: what takes its place is what is known, the withdrawal must not wait.
    assertThat(told).containsExactly("10.2.0.0/24=p1");
    rib.release();
    process(rib);
    assertThat(told).containsExactly("10.1.0.0/24=p1");
  }

  @Test
  void removesAllOfOneSourceAndFamily() {
    LocRib rib = new LocRib(BEST_PATH, false);
    rib.put(PREFIX, Paths.of(1));
    put(rib, PREFIX, Paths.of(2));
    put(rib, OTHER, Paths.of(2));
    rib.put(Cidr.parse("fd00::/64"), Paths.of(2));
    process(rib);
    int removed = rib.removeAll(Family.IPV4, second, source -> source.equals(Paths.external(2)));
    process(rib);
    assertThat(removed).isEqualTo(2);
    assertThat(told).hasSize(2).contains("10.2.0.0/24=none");
    assertThat(rib.selected(Cidr.parse("fd00::/64")).count()).isEqualTo(1);
  }

  private void put(LocRib rib, Cidr prefix, Path path) {
    IpAddress address = prefix.address();
    rib.put(Family.IPV4, address.high(), address.low(), prefix.prefixLength(), path, second);
  }

  private void take(LocRib rib, Cidr prefix, Path path) {
    IpAddress address = prefix.address();
    rib.remove(
        Family.IPV4,
        address.high(),
        address.low(),
        prefix.prefixLength(),
        path.source(),
        path.pathId(),
        second);
  }

  /** Whatever a peer tells, takes back and tells again, what it has in the table is known. */
  @Test
  void thePathsOfAPeerAreCountedAndFound() {
    for (int seed = 0; seed < 20; seed++) {
      Random random = new Random(seed);
      LocRib rib = new LocRib(BEST_PATH, false);
      Map<String, Path> told = new HashMap<>();
      for (int step = 0; step < 3000; step++) {
        // More at times and fewer at others.
        boolean more = random.nextInt(10) < (step / 500 % 2 == 0 ? 8 : 2);
        Cidr prefix = Cidr.parse("10.1." + random.nextInt(100) + ".0/24");
        int pathId = 1 + random.nextInt(3);
        Path path = Paths.ofPathId(2, pathId);
        if (more) {
          Path now =
              random.nextBoolean()
                  ? path
                  : path.withOutcome(
                      path.attributes(), OptionalInt.empty(), Optional.of(Rejection.AS_LOOP));
          put(rib, prefix, now);
          told.put(prefix + " " + pathId, now);
        } else {
          take(rib, prefix, path);
          told.remove(prefix + " " + pathId);
        }
        rib.put(prefix, Paths.of(1));
        if (step % 7 == 0) {
          rib.remove(prefix, Paths.external(1));
        }
        assertThat(second.known()).isEqualTo(told.size());
        assertThat(second.usable())
            .isEqualTo((int) told.values().stream().filter(Path::usable).count());
      }
      Map<String, Path> found = new HashMap<>();
      rib.replaceAll(
          Family.IPV4,
          second,
          source -> source.equals(Paths.external(2)),
          (path, prefix) -> {
            found.put(prefix + " " + path.pathId(), path);
            return path;
          });
      assertThat(found).as("seed %s", seed).isEqualTo(told);
      assertThat(second.ids().length).as("room").isLessThan(1000);
      assertThat(rib.removeAll(Family.IPV4, second, source -> source.equals(Paths.external(2))))
          .isEqualTo(told.size());
      assertThat(second.known()).isZero();
      assertThat(second.usable()).isZero();
    }
  }
}
