package io.wayleave.test.interop;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.test.interop.Setup.Option;
import io.wayleave.test.lab.Command;
import java.time.Duration;
import java.util.List;

/** Cells about BFD (RFC 5880, 5881). */
final class BfdCells {
  private BfdCells() {}

  static boolean hasBfd(Cell cell) {
    return cell.kind() == DaemonKind.BIRD || cell.kind() == DaemonKind.FRR;
  }

  /** Packets vanish while the link stays up: both sides notice long before the hold time. */
  static Verdict bfd(Cell cell) {
    if (!hasBfd(cell)) {
      return refusal(cell);
    }
    Setup our =
        Setup.of(Side.OURS, false, 65001, 65002)
            .announcing(Route.to("10.1.0.0/24"))
            .with(Option.BFD);
    Setup their =
        Setup.of(Side.THEIRS, false, 65002, 65001)
            .announcing(Route.to("10.2.0.0/24"))
            .with(Option.BFD);
    cell.startAndEstablish(our, their);
    cell.exchange();
    awaitUp(cell);
    List<String> drop = List.of("iptables", "-A", "INPUT", "-i", Link.INTERFACE, "-j", "DROP");
    Command.of(drop).at(cell.link().at(Side.OURS)).check();
    Command.of(drop).at(cell.link().at(Side.THEIRS)).check();
    long start = System.nanoTime();
    cell.until("ours is down", () -> !cell.ours().session().established());
    Duration took = Duration.ofNanos(System.nanoTime() - start);
    cell.until("theirs is down", () -> !cell.theirs().session().established());
    // Else the hold timer may have been it.
    assertThat(took).isLessThan(Duration.ofSeconds(5));
    cell.until("ours says BFD", () -> Cell.says(cell.ours().session(), "bfd"));
    return Verdict.YES;
  }

  /**
   * Up at theirs means that ours says so too: it is a handshake of three (RFC 5880 section 6.2).
   */
  static void awaitUp(Cell cell) {
    switch (cell.theirs()) {
      case Bird bird ->
          cell.until(
              "BIRD says that BFD is up",
              () -> bird.birdc("show bfd sessions").matches("(?s).*10\\.77\\.0\\.1 .* Up .*"));
      case Frr frr ->
          cell.until(
              "FRR says that BFD is up",
              () -> frr.vtysh("show bfd peers json").matches("(?s).*\"status\":\\s*\"up\".*"));
      default -> throw new IllegalArgumentException(cell.kind() + " has no BFD");
    }
  }

  /** What the others say of a configuration with it. */
  static Verdict refusal(Cell cell) {
    return switch (cell.theirs()) {
      case OpenBgpd openbgpd -> Refusals.openbgpd(openbgpd, "bfd yes");
      case ExaBgp exabgp -> Refusals.exabgp(exabgp, "bfd enable;");
      case GoBgp gobgp -> Refusals.gobgp(gobgp, "bfd: { config: { enabled: true } }");
      default -> throw new IllegalArgumentException(cell.kind() + " has BFD");
    };
  }
}
