package io.wayleave.test.interop;

import io.wayleave.test.interop.Setup.Option;
import java.time.Duration;

/** Cells about what keeps strangers out. Each first shows that it does. */
final class SecurityCells {
  private static final Duration SHUT_OUT = Duration.ofSeconds(3);

  private SecurityCells() {}

  private static Setup ours() {
    return Setup.of(Side.OURS, false, 65001, 65002).announcing(Route.to("10.1.0.0/24"));
  }

  private static Setup theirs() {
    return Setup.of(Side.THEIRS, false, 65002, 65001).announcing(Route.to("10.2.0.0/24"));
  }

  static Verdict md5(Cell cell) {
    return afterBeingShutOut(
        cell,
        ours().with(Option.MD5, "the-same-secret"),
        theirs().with(Option.MD5, "another-secret"),
        theirs().with(Option.MD5, "the-same-secret"));
  }

  /**
   * Without it, every one of them sends with a lower TTL than 255. It may believe that the session
   * is up, because what ours sends does arrive.
   */
  static Verdict ttlSecurity(Cell cell) {
    return afterBeingShutOut(cell, ours().with(Option.GTSM), theirs(), theirs().with(Option.GTSM));
  }

  private static Verdict afterBeingShutOut(Cell cell, Setup our, Setup stranger, Setup friend) {
    cell.start(our, stranger);
    cell.always(
        "no session here, no route there",
        SHUT_OUT,
        () -> !cell.ours().session().established() && cell.theirs().received().isEmpty());
    cell.theirs().kill();
    cell.restartTheirs(friend);
    cell.establish();
    cell.exchange();
    return Verdict.YES;
  }
}
