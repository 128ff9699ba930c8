package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The shape two-tors: both are used, and each can be lost. */
@Tag("lab")
class TwoTorsLabTest {
  private static final Routes.Hop BY_A = new Routes.Hop("10.90.1.1", "eth0");
  private static final Routes.Hop BY_B = new Routes.Hop("10.91.1.1", "eth1");

  /**
   * The page's promise for a fault that takes the carrier away: half a second at 100 pings a
   * second.
   */
  private static final int WORST_LOSS = 50;

  /** Without carrier loss, the hold time of 9 s, and 3 s for what follows. */
  private static final int SILENT_LOSS = 1200;

  private static Lab lab;
  private static List<LabContainer> near;
  private static List<LabContainer> far;

  @BeforeAll
  static void up() {
    lab = ShapeLab.up(Shape.TWO_TORS);
    // Several addresses, so that flows take either way.
    near = Stream.of("n1", "n2", "n3").map(name -> lab.host("r1h1").run(name)).toList();
    far = Stream.of("f1", "f2", "f3").map(name -> lab.host("r2h1").run(name)).toList();
  }

  @AfterAll
  static void down() {
    if (lab != null) {
      lab.close();
    }
  }

  @Test
  void flowsAreSpreadOverBothSwitches() {
    awaitBoth();

    Set<String> used = new HashSet<>();
    for (int port = 1; port <= 32; port++) {
      Json.read(
              "ip route get",
              Command.of(
                      List.of(
                          ("ip -json route get "
                                  + far.getFirst().address()
                                  + " ipproto udp sport "
                                  + port
                                  + " dport 53")
                              .split(" ", -1)))
                  .at(lab.host("r1h1").network())
                  .check())
          .forEach(route -> used.add(route.path("dev").asText()));
    }
    assertThat(used).containsExactlyInAnyOrder("eth0", "eth1");
    for (Router router : lab.routers()) {
      assertThat(router.sessions()).as(router.name()).allMatch(Router.Session::established);
    }
  }

  /** A BIRD. */
  @Test
  void aSwitchThatLosesPowerCostsLessThanHalfASecond() {
    aSwitchThatLosesPower("tor1a");
  }

  /** An FRR. */
  @Tag("full")
  @Test
  void aSwitchThatLosesPowerCostsLessThanHalfASecondAlsoOfTheOtherKind() {
    aSwitchThatLosesPower("tor1b");
  }

  private static void aSwitchThatLosesPower(String tor) {
    awaitBoth();
    List<Pinger> streams = ShapeLab.streams(near, far);
    try {
      lab.faults().powerOff(tor);
      try {
        awaitWithout(tor);
        Parallel.forEach(streams, stream -> stream.awaitReplies(100));
      } finally {
        lab.faults().powerOn(tor);
      }
      awaitBoth();

      assertThat(ShapeLab.worst(streams)).isLessThanOrEqualTo(WORST_LOSS);
    } finally {
      Parallel.forEach(streams, Pinger::close);
    }
  }

  @Test
  void aCableThatIsCutCostsLessThanHalfASecond() {
    aCableThatIsCut("tor1b");
  }

  @Tag("full")
  @Test
  void aCableThatIsCutCostsLessThanHalfASecondAlsoAtTheOtherKindOfSwitch() {
    aCableThatIsCut("tor1a");
  }

  private static void aCableThatIsCut(String tor) {
    awaitBoth();
    List<Pinger> streams = ShapeLab.streams(near, far);
    try {
      lab.faults().cut("r1h1", tor);
      try {
        awaitWithout(tor);
        Parallel.forEach(streams, stream -> stream.awaitReplies(100));
      } finally {
        lab.faults().mend("r1h1", tor);
      }
      awaitBoth();

      assertThat(ShapeLab.worst(streams)).isLessThanOrEqualTo(WORST_LOSS);
    } finally {
      Parallel.forEach(streams, Pinger::close);
    }
  }

  @Tag("full")
  @Test
  void aPathThatFailsSilentlyCostsTheHoldTime() {
    aPathThatFailsSilently("tor1a");
  }

  @Tag("full")
  @Test
  void aPathThatFailsSilentlyCostsTheHoldTimeAlsoAtTheOtherKindOfSwitch() {
    aPathThatFailsSilently("tor1b");
  }

  private static void aPathThatFailsSilently(String tor) {
    awaitBoth();
    List<Pinger> streams = ShapeLab.streams(near, far);
    try {
      lab.faults().mute("r1h1", tor);
      try {
        awaitWithout(tor);
        Parallel.forEach(streams, stream -> stream.awaitReplies(100));
      } finally {
        lab.faults().mend("r1h1", tor);
      }
      awaitBoth();

      int worst = ShapeLab.worst(streams);
      assertThat(worst).as("control: it was a failure").isGreaterThan(WORST_LOSS);
      assertThat(worst).isLessThanOrEqualTo(SILENT_LOSS);
    } finally {
      Parallel.forEach(streams, Pinger::close);
    }
  }

  private static void awaitBoth() {
    lab.awaitSessions();
    for (LabContainer container : far) {
      ShapeLab.awaitHops(lab.host("r1h1"), container.address(), Set.of(BY_A, BY_B));
    }
  }

  private static void awaitWithout(String tor) {
    for (LabContainer container : far) {
      ShapeLab.awaitHops(
          lab.host("r1h1"), container.address(), Set.of(tor.equals("tor1a") ? BY_B : BY_A));
    }
  }
}
