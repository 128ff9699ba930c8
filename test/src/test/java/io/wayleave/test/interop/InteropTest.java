package io.wayleave.test.interop;

import java.util.Arrays;
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
@Tag("full")
class InteropTest {
  static Stream<Matrix.Place> places() {
    return Arrays.stream(Feature.values())
        .flatMap(
            feature ->
                Arrays.stream(DaemonKind.values())
                    .map(daemon -> new Matrix.Place(daemon, feature)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("places")
  @Execution(ExecutionMode.CONCURRENT)
  void agrees(Matrix.Place place) {
    Matrix.begin(place);
    try (Cell cell = new Cell(place.daemon())) {
      Matrix.record(place, place.feature().test(cell));
    }
  }
}
