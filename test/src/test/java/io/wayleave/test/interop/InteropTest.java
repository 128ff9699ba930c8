package io.wayleave.test.interop;

import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Our speaker, as the program that is installed, against real daemons: a test for each daemon and
 * feature. Most of a cell is waiting, so several run at once.
 */
@Tag("real")
class InteropTest {
  /**
   * Where going through the daemons would sample one that lacks the feature, or whose own kernel
   * routes the traffic of the cell does not use.
   */
  private static final Map<Feature, DaemonKind> CHOSEN =
      Map.of(
          Feature.EXTENDED_MESSAGES, DaemonKind.BIRD,
          Feature.THEIRS_RESTARTS, DaemonKind.BIRD,
          Feature.THEIRS_RESTARTS_BFD, DaemonKind.BIRD);

  /** One for each feature, going through the daemons. */
  static Stream<Matrix.Place> sample() {
    return Arrays.stream(Feature.values())
        .map(feature -> new Matrix.Place(sampled(feature), feature));
  }

  static Stream<Matrix.Place> others() {
    return Arrays.stream(Feature.values())
        .flatMap(
            feature ->
                Arrays.stream(DaemonKind.values())
                    .filter(daemon -> daemon != sampled(feature))
                    .map(daemon -> new Matrix.Place(daemon, feature)));
  }

  private static DaemonKind sampled(Feature feature) {
    DaemonKind one = CHOSEN.get(feature);
    if (one != null) {
      return one;
    }
    DaemonKind[] daemons = DaemonKind.values();
    int row = Arrays.asList(Feature.values()).indexOf(feature);
    // One further after each round, or related features would meet the same daemon.
    return daemons[(row + row / daemons.length) % daemons.length];
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("sample")
  @Execution(ExecutionMode.CONCURRENT)
  void agrees(Matrix.Place place) {
    test(place);
  }

  @Tag("full")
  @ParameterizedTest(name = "{0}")
  @MethodSource("others")
  @Execution(ExecutionMode.CONCURRENT)
  void agreesToo(Matrix.Place place) {
    test(place);
  }

  private static void test(Matrix.Place place) {
    Matrix.begin(place);
    try (Cell cell = new Cell(place.daemon())) {
      Matrix.record(place, place.feature().test(cell));
    }
  }
}
