package io.wayleave.bgp.rib;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.PathSelection;
import io.wayleave.bgp.rib.BestPath.Verdict;
import io.wayleave.bgp.wire.Origin;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class BestPathTest {
  private final BestPath bestPath = new BestPath(PathSelection.DEFAULT, NextHopMetric.CONNECTED);

  /** The first wins at the step, in whatever order the two come, and the other says why it lost. */
  private void wins(DecisionStep step, Path better, Path worse) {
    wins(bestPath, step, better, worse);
  }

  private static void wins(BestPath bestPath, DecisionStep step, Path better, Path worse) {
    for (List<Path> order : List.of(List.of(better, worse), List.of(worse, better))) {
      Candidates candidates = Candidates.of(order);
      assertThat(bestPath.select(candidates).get(0)).isSameAs(better);
      List<Verdict> verdicts = bestPath.explain(candidates);
      assertThat(verdicts.get(order.indexOf(better))).isEqualTo(new Verdict.Best());
      if (step.compareTo(DecisionStep.FIRST_TIE_BREAK) < 0) {
        assertThat(verdicts.get(order.indexOf(worse))).isEqualTo(new Verdict.Lost(step));
        assertThat(bestPath.select(candidates).count()).isEqualTo(1);
      }
    }
  }

  private static void plain(PathAttributes.Builder unchanged) {}

  @Test
  void aLocalPathBeatsAll() {
    wins(
        DecisionStep.LOCAL_ORIGIN,
        Paths.local(),
        Paths.internal(1, builder -> builder.localPref(1000)));
  }

  @Test
  void higherLocalPreferenceBeatsAShorterPath() {
    wins(
        DecisionStep.LOCAL_PREF,
        Paths.internal(1, builder -> builder.localPref(200), 65001, 65002),
        Paths.internal(2, BestPathTest::plain, 65001));
  }

  @Test
  void shorterPathBeatsBetterOrigin() {
    wins(
        DecisionStep.AS_PATH_LENGTH,
        Paths.of(1, builder -> builder.origin(Origin.INCOMPLETE), 65001),
        Paths.of(2, BestPathTest::plain, 65001, 65002));
  }

  @Test
  void originBeatsMed() {
    wins(
        DecisionStep.ORIGIN,
        Paths.of(1, builder -> builder.med(50), 65001),
        Paths.of(2, builder -> builder.origin(Origin.EGP).med(10), 65001));
  }

  @Test
  void medDecidesWithinOneNeighbourAsAndNotAcross() {
    wins(
        DecisionStep.MED,
        Paths.of(2, builder -> builder.med(10), 65001),
        Paths.of(1, builder -> builder.med(20), 65001));
    wins(
        DecisionStep.MED,
        Paths.of(2, BestPathTest::plain, 65001),
        Paths.of(1, builder -> builder.med(20), 65001));
    wins(
        DecisionStep.ROUTER_ID,
        Paths.of(1, builder -> builder.med(20), 65001),
        Paths.of(2, builder -> builder.med(10), 65002));
  }

  @Test
  void medDecidesAcrossAsesWhereThatIsWanted() {
    wins(
        new BestPath(new PathSelection(16, true, true), NextHopMetric.CONNECTED),
        DecisionStep.MED,
        Paths.of(2, builder -> builder.med(10), 65002),
        Paths.of(1, builder -> builder.med(20), 65001));
  }

  @Test
  void externalBeatsInternal() {
    wins(
        DecisionStep.EXTERNAL,
        Paths.of(2, BestPathTest::plain, 65001),
        Paths.internal(1, BestPathTest::plain, 65001));
  }

  @Test
  void nearerNextHopBeatsRouterId() {
    BestPath far =
        new BestPath(
            PathSelection.DEFAULT,
            hop -> OptionalLong.of(hop.equals(IpAddress.parse("10.0.0.1")) ? 30 : 10));
    wins(far, DecisionStep.IGP_METRIC, Paths.of(2), Paths.of(1));
  }

  @Test
  void lowerRouterIdIsTheFirstTieBreak() {
    wins(
        DecisionStep.ROUTER_ID,
        Paths.path(Paths.source(2, false, "1.1.1.1"), 2, BestPathTest::plain, 65000),
        Paths.path(Paths.source(1, false, "200.1.1.1"), 1, BestPathTest::plain, 65000));
  }

  @Test
  void aReflectedPathCountsAsItsOriginators() {
    wins(
        DecisionStep.ROUTER_ID,
        Paths.internal(
            9, builder -> builder.originatorId(Optional.of(RouterId.parse("1.1.1.1"))), 65001),
        Paths.internal(1, BestPathTest::plain, 65001));
  }

  @Test
  void shorterClusterListBeatsPeerAddress() {
    RouterId same = RouterId.parse("1.1.1.1");
    wins(
        DecisionStep.CLUSTER_LIST_LENGTH,
        Paths.internal(9, builder -> builder.originatorId(Optional.of(same)), 65001),
        Paths.internal(
            1,
            builder ->
                builder
                    .originatorId(Optional.of(same))
                    .clusterList(List.of(IpAddress.parse("9.9.9.9"))),
            65001));
  }

  @Test
  void lowerPeerAddressIsTheLastOfTheStandard() {
    wins(
        DecisionStep.PEER_ADDRESS,
        Paths.path(Paths.source(1, false, "1.1.1.1"), 1, BestPathTest::plain, 65000),
        Paths.path(Paths.source(2, false, "1.1.1.1"), 2, BestPathTest::plain, 65000));
  }

  /** As on two links to one switch. */
  @Test
  void nameDecidesBetweenPeersWithOneAddress() {
    PathSource.Peer first = Paths.external(1);
    PathSource.Peer second =
        new PathSource.Peer(
            "q1",
            first.address(),
            first.localAddress(),
            first.asn(),
            false,
            first.routerId(),
            false,
            1);
    wins(
        DecisionStep.PEER_NAME,
        Paths.path(first, 2, BestPathTest::plain, 65000),
        Paths.path(second, 1, BestPathTest::plain, 65000));
  }

  @Test
  void pathIdDecidesBetweenPathsOfOnePeer() {
    Path path = Paths.of(1);
    wins(DecisionStep.PATH_ID, Paths.withPathId(path, 7), Paths.withPathId(path, 8));
    // It has 32 bits and no sign.
    wins(DecisionStep.PATH_ID, Paths.withPathId(path, 1), Paths.withPathId(path, -1));
  }

  @Test
  void rejectedAndUnreachablePathsAreNoChoice() {
    Path rejected = Paths.rejected(1, Rejection.AS_LOOP);
    assertThat(bestPath.select(rejected)).isEqualTo(Candidates.NONE);
    Candidates both = Candidates.of(List.of(rejected, Paths.of(2)));
    assertThat(bestPath.select(both)).isEqualTo(Paths.of(2));
    assertThat(bestPath.explain(both).getFirst())
        .isEqualTo(new Verdict.Unusable(Rejection.AS_LOOP));
    BestPath lost = new BestPath(PathSelection.DEFAULT, _ -> OptionalLong.empty());
    assertThat(lost.select(Paths.of(1))).isEqualTo(Candidates.NONE);
    assertThat(lost.explain(Paths.of(1)))
        .containsExactly(new Verdict.Unusable(new Rejection("next hop 10.0.0.1 unreachable")));
  }

  @Test
  void equalPathsAreUsedTogetherUpToTheMaximum() {
    Candidates three =
        Candidates.of(
            List.of(
                Paths.of(3, BestPathTest::plain, 65003),
                Paths.of(1, BestPathTest::plain, 65001),
                Paths.of(2, BestPathTest::plain, 65002)));
    Candidates used = bestPath.select(three);
    assertThat(used.count()).isEqualTo(3);
    assertThat(used.get(0)).isEqualTo(Paths.of(1, BestPathTest::plain, 65001));
    BestPath two = new BestPath(new PathSelection(2, true, false), NextHopMetric.CONNECTED);
    assertThat(two.select(three))
        .isEqualTo(
            Candidates.of(
                List.of(
                    Paths.of(1, BestPathTest::plain, 65001),
                    Paths.of(2, BestPathTest::plain, 65002))));
    BestPath one = new BestPath(new PathSelection(1, true, false), NextHopMetric.CONNECTED);
    assertThat(one.select(three)).isEqualTo(Paths.of(1, BestPathTest::plain, 65001));
  }

  @Test
  void withoutRelaxationOnlyTheSameAsPathIsEqual() {
    BestPath strict = new BestPath(new PathSelection(16, false, false), NextHopMetric.CONNECTED);
    Candidates three =
        Candidates.of(
            List.of(
                Paths.of(1, BestPathTest::plain, 65001),
                Paths.of(2, BestPathTest::plain, 65002),
                Paths.of(3, BestPathTest::plain, 65001)));
    assertThat(strict.select(three))
        .isEqualTo(
            Candidates.of(
                List.of(
                    Paths.of(1, BestPathTest::plain, 65001),
                    Paths.of(3, BestPathTest::plain, 65001))));
  }

  @Test
  void theOrderOfPathsDoesNotMatter() {
    Random random = new Random(4271);
    for (int round = 0; round < 2000; round++) {
      List<Path> paths = new ArrayList<>();
      int count = 2 + random.nextInt(6);
      for (int n = 1; n <= count; n++) {
        // Of few peers, so that some tell several paths.
        paths.add(Paths.withPathId(randomPath(1 + random.nextInt(3), random), n));
      }
      Candidates expected = bestPath.select(Candidates.of(paths));
      for (int shuffle = 0; shuffle < 5; shuffle++) {
        Collections.shuffle(paths, random);
        assertThat(bestPath.select(Candidates.of(paths))).as("%s", paths).isEqualTo(expected);
      }
    }
  }

  /** From a small world, so that many steps end in a draw and MEDs meet across ASes. */
  static Path randomPath(int n, Random random) {
    if (random.nextInt(10) == 0) {
      return Paths.rejected(n, Rejection.AS_LOOP);
    }
    Consumer<PathAttributes.Builder> change =
        builder -> {
          if (random.nextBoolean()) {
            builder.med(random.nextInt(3));
          }
          if (random.nextInt(4) == 0) {
            builder.origin(Origin.INCOMPLETE);
          }
        };
    int neighbour = 65001 + random.nextInt(3);
    return random.nextInt(3) == 0
        ? Paths.internal(n, change, neighbour)
        : Paths.of(n, change, neighbour);
  }
}
