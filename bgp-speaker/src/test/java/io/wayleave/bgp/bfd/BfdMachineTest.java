package io.wayleave.bgp.bfd;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.BfdSettings;
import io.wayleave.bgp.bfd.BfdState.Poll;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BfdMachineTest {
  private static final long MILLI = 1_000_000;
  private static final BfdSettings SETTINGS = settings(300, 200, 3);
  private static final int OURS = 0x11;
  private static final int THEIRS = 0x22;

  private static BfdSettings settings(int transmit, int receive, int multiplier) {
    return new BfdSettings(Duration.ofMillis(transmit), Duration.ofMillis(receive), multiplier);
  }

  /** A packet of a peer that sends each 100 ms, takes one each 50 ms, four times. */
  private static BfdPacket packet(BfdPhase phase) {
    return packet(phase, false, false, 50_000, false);
  }

  private static BfdPacket packet(
      BfdPhase phase, boolean poll, boolean isFinal, long minRx, boolean demand) {
    return new BfdPacket(
        Diagnostic.NONE,
        phase,
        poll,
        isFinal,
        false,
        demand,
        4,
        THEIRS,
        phase == BfdPhase.DOWN ? 0 : OURS,
        100_000,
        minRx,
        0);
  }

  private static BfdStep step(BfdState state, BfdEvent event, long now) {
    return BfdMachine.step(SETTINGS, state, event, now, 0.999_999);
  }

  private static BfdState received(BfdState state, BfdPacket packet, long now) {
    return step(state, new BfdEvent.Received(packet), now).next();
  }

  /** A session in the phase, the peer known to be in the same. */
  private static BfdState in(BfdPhase phase) {
    BfdState down = BfdMachine.initial(SETTINGS, OURS, 0);
    return switch (phase) {
      case DOWN -> down;
      case INIT -> received(down, packet(BfdPhase.DOWN), 0);
      case UP ->
          received(
              received(received(down, packet(BfdPhase.INIT), 0), packet(BfdPhase.UP), 0),
              packet(BfdPhase.UP, false, true, 50_000, false),
              0);
      case ADMIN_DOWN ->
          step(received(down, packet(BfdPhase.DOWN), 0), new BfdEvent.Disabled(), 0).next();
    };
  }

  private static List<BfdPacket> sent(BfdStep step) {
    return step.actions().stream()
        .filter(BfdAction.Send.class::isInstance)
        .map(action -> ((BfdAction.Send) action).packet())
        .toList();
  }

  /** RFC 5880 section 6.8.6: our phase, the phase that a packet says, our phase after it. */
  @ParameterizedTest
  @CsvSource({
    "ADMIN_DOWN, ADMIN_DOWN, ADMIN_DOWN, ADMINISTRATIVELY_DOWN",
    "ADMIN_DOWN, DOWN,       ADMIN_DOWN, ADMINISTRATIVELY_DOWN",
    "ADMIN_DOWN, INIT,       ADMIN_DOWN, ADMINISTRATIVELY_DOWN",
    "ADMIN_DOWN, UP,         ADMIN_DOWN, ADMINISTRATIVELY_DOWN",
    "DOWN,       ADMIN_DOWN, DOWN,       NONE",
    "DOWN,       DOWN,       INIT,       NONE",
    "DOWN,       INIT,       UP,         NONE",
    "DOWN,       UP,         DOWN,       NONE",
    "INIT,       ADMIN_DOWN, DOWN,       NEIGHBOUR_SIGNALLED_DOWN",
    "INIT,       DOWN,       INIT,       NONE",
    "INIT,       INIT,       UP,         NONE",
    "INIT,       UP,         UP,         NONE",
    "UP,         ADMIN_DOWN, DOWN,       NEIGHBOUR_SIGNALLED_DOWN",
    "UP,         DOWN,       DOWN,       NEIGHBOUR_SIGNALLED_DOWN",
    "UP,         INIT,       UP,         NONE",
    "UP,         UP,         UP,         NONE",
  })
  void followsTheTable(BfdPhase from, BfdPhase told, BfdPhase to, Diagnostic why) {
    BfdStep step = step(in(from), new BfdEvent.Received(packet(told)), MILLI);
    assertThat(step.next().phase()).isEqualTo(to);
    assertThat(step.next().diagnostic()).isEqualTo(why);
    assertThat(step.actions().stream().anyMatch(BfdAction.Changed.class::isInstance))
        .isEqualTo(from != to);
    // A change is told at once; otherwise nothing goes before its time.
    assertThat(sent(step)).hasSize(from == to ? 0 : 1);
  }

  @ParameterizedTest
  @CsvSource({
    "ADMIN_DOWN, UP,   ADMIN_DOWN, ADMINISTRATIVELY_DOWN",
    "DOWN,       UP,   DOWN,       NONE",
    "INIT,       DOWN, DOWN,       DETECTION_TIME_EXPIRED",
    "UP,         UP,   DOWN,       DETECTION_TIME_EXPIRED",
  })
  void silenceEndsASession(BfdPhase from, BfdPhase last, BfdPhase to, Diagnostic why) {
    BfdState state = received(in(from), packet(last), 0);
    // The peer's multiplier, and the slower of its 100 ms and our 200 ms.
    assertThat(state.detectAt()).hasValue(800 * MILLI);
    BfdState before = step(state, new BfdEvent.Time(), 800 * MILLI - 1).next();
    assertThat(before.phase()).isEqualTo(from);
    BfdStep step = step(before, new BfdEvent.Time(), 800 * MILLI);
    assertThat(step.next().phase()).isEqualTo(to);
    assertThat(step.next().diagnostic()).isEqualTo(why);
    assertThat(step.next().detectAt()).isEmpty();
    assertThat(step.next().remote()).isEqualTo(BfdState.Remote.UNKNOWN);
    if (from != to) {
      assertThat(sent(step)).singleElement().matches(packet -> packet.yourDiscriminator() == 0);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "ADMIN_DOWN, DOWN",
    "DOWN, DOWN",
    "INIT, INIT",
    "UP, UP",
  })
  void anAdministratorTakesItDownAndUp(BfdPhase from, BfdPhase enabled) {
    assertThat(step(in(from), new BfdEvent.Enabled(), MILLI).next().phase()).isEqualTo(enabled);
    BfdStep disabled = step(in(from), new BfdEvent.Disabled(), MILLI);
    assertThat(disabled.next().phase()).isEqualTo(BfdPhase.ADMIN_DOWN);
    assertThat(disabled.next().diagnostic()).isEqualTo(Diagnostic.ADMINISTRATIVELY_DOWN);
    // It goes on telling so.
    assertThat(disabled.next().sendAt()).isPresent();
  }

  @Test
  void isSlowUntilUpAndThenPollsTheNewInterval() {
    BfdState down = BfdMachine.initial(SETTINGS, OURS, 0);
    BfdStep first = step(down, new BfdEvent.Time(), 0);
    assertThat(sent(first))
        .singleElement()
        .satisfies(
            packet -> {
              assertThat(packet.desiredMinTx()).isEqualTo(1_000_000);
              assertThat(packet.requiredMinRx()).isEqualTo(200_000);
              assertThat(packet.yourDiscriminator()).isZero();
              assertThat(packet.poll()).isFalse();
              assertThat(packet.independent()).isFalse();
            });
    assertThat(first.next().sendAt().orElseThrow()).isBetween(999 * MILLI, 1_000 * MILLI);

    BfdStep up = step(first.next(), new BfdEvent.Received(packet(BfdPhase.INIT)), 10 * MILLI);
    assertThat(up.next().phase()).isEqualTo(BfdPhase.UP);
    assertThat(sent(up))
        .singleElement()
        .satisfies(
            packet -> {
              assertThat(packet.phase()).isEqualTo(BfdPhase.UP);
              assertThat(packet.desiredMinTx()).isEqualTo(300_000);
              assertThat(packet.poll()).isTrue();
              assertThat(packet.yourDiscriminator()).isEqualTo(THEIRS);
            });
    assertThat(up.next().sendAt().orElseThrow()).isBetween(309 * MILLI, 310 * MILLI);
    BfdStep again = step(up.next(), new BfdEvent.Time(), up.next().sendAt().getAsLong());
    assertThat(sent(again)).singleElement().matches(BfdPacket::poll);
    BfdState agreed =
        received(again.next(), packet(BfdPhase.UP, false, true, 50_000, false), 320 * MILLI);
    assertThat(agreed.poll()).isEqualTo(Poll.NONE);
  }

  @Test
  void answersAPollAtOnceAndOutOfTurn() {
    BfdState up = in(BfdPhase.UP);
    BfdStep step =
        step(up, new BfdEvent.Received(packet(BfdPhase.UP, true, false, 50_000, false)), MILLI);
    assertThat(sent(step))
        .singleElement()
        .satisfies(
            packet -> {
              assertThat(packet.isFinal()).isTrue();
              assertThat(packet.poll()).isFalse();
            });
    assertThat(step.next().sendAt()).isEqualTo(up.sendAt());
  }

  @Test
  void becomesSlowerOnlyWhenThePeerHasAgreed() {
    BfdState up = in(BfdPhase.UP);
    BfdSettings slower = settings(2_000, 200, 3);
    BfdStep asked = BfdMachine.step(slower, up, new BfdEvent.Reconfigured(), MILLI, 0);
    assertThat(asked.next().desiredMinTx()).isEqualTo(2_000_000);
    assertThat(asked.next().usedMinTx()).isEqualTo(300_000);
    assertThat(sent(asked)).singleElement().matches(BfdPacket::poll);
    BfdStep agreed =
        BfdMachine.step(
            slower,
            asked.next(),
            new BfdEvent.Received(packet(BfdPhase.UP, false, true, 50_000, false)),
            MILLI,
            0);
    assertThat(agreed.next().usedMinTx()).isEqualTo(2_000_000);
  }

  @Test
  void becomesLessPatientOnlyWhenThePeerHasAgreed() {
    BfdState up = in(BfdPhase.UP);
    BfdSettings quicker = settings(300, 150, 3);
    BfdStep asked = BfdMachine.step(quicker, up, new BfdEvent.Reconfigured(), MILLI, 0);
    assertThat(asked.next().requiredMinRx()).isEqualTo(150_000);
    assertThat(asked.next().detectionTime()).isEqualTo(800_000);
    BfdState heard =
        BfdMachine.step(
                quicker, asked.next(), new BfdEvent.Received(packet(BfdPhase.UP)), 2 * MILLI, 0)
            .next();
    assertThat(heard.detectAt()).hasValue(802 * MILLI);
    BfdState agreed =
        BfdMachine.step(
                quicker,
                heard,
                new BfdEvent.Received(packet(BfdPhase.UP, false, true, 50_000, false)),
                3 * MILLI,
                0)
            .next();
    assertThat(agreed.detectAt()).hasValue(603 * MILLI);
  }

  @Test
  void aChangeDuringAPollSequenceGetsOneOfItsOwn() {
    BfdState up = in(BfdPhase.UP);
    BfdState first =
        BfdMachine.step(settings(2_000, 200, 3), up, new BfdEvent.Reconfigured(), 0, 0).next();
    BfdSettings last = settings(3_000, 200, 3);
    BfdState second = BfdMachine.step(last, first, new BfdEvent.Reconfigured(), 0, 0).next();
    assertThat(second.poll()).isEqualTo(Poll.AGAIN);
    BfdEvent answer = new BfdEvent.Received(packet(BfdPhase.UP, false, true, 50_000, false));
    BfdStep once = BfdMachine.step(last, second, answer, 0, 0);
    assertThat(once.next().poll()).isEqualTo(Poll.RUNNING);
    assertThat(once.next().usedMinTx()).isEqualTo(300_000);
    assertThat(sent(once)).singleElement().matches(BfdPacket::poll);
    BfdState twice = BfdMachine.step(last, once.next(), answer, 0, 0).next();
    assertThat(twice.poll()).isEqualTo(Poll.NONE);
    assertThat(twice.usedMinTx()).isEqualTo(3_000_000);
  }

  @Test
  void sendsNoFasterThanThePeerTakes() {
    BfdState up = in(BfdPhase.UP);
    BfdState slowed = received(up, packet(BfdPhase.UP, false, false, 5_000_000, false), MILLI);
    assertThat(slowed.sendInterval()).isEqualTo(5_000_000);
    assertThat(slowed.sendAt()).as("the one that is due still goes").isEqualTo(up.sendAt());
    long at = slowed.sendAt().orElseThrow();
    BfdState next = step(slowed, new BfdEvent.Time(), at).next();
    assertThat(next.sendAt().orElseThrow() - at).isBetween(4_999 * MILLI, 5_000 * MILLI);
    BfdState hurried = received(next, packet(BfdPhase.UP), at + MILLI);
    assertThat(hurried.sendAt().orElseThrow() - at).isBetween(300 * MILLI, 302 * MILLI);
  }

  @Test
  void sendsNothingByItselfToAPeerThatTakesNothing() {
    BfdState up = in(BfdPhase.UP);
    BfdState quiet = received(up, packet(BfdPhase.UP, false, false, 0, false), MILLI);
    assertThat(quiet.sendAt()).isEmpty();
    // The peer is lost, and whoever comes next is not bound by it.
    BfdState lost = step(quiet, new BfdEvent.Time(), quiet.detectAt().getAsLong()).next();
    assertThat(lost.phase()).isEqualTo(BfdPhase.DOWN);
    assertThat(lost.sendAt()).isPresent();
  }

  @Test
  void respectsDemandModeOfThePeerExceptForPolls() {
    BfdState up = in(BfdPhase.UP);
    BfdPacket onDemand = packet(BfdPhase.UP, false, false, 50_000, true);
    BfdState quiet = received(up, onDemand, MILLI);
    assertThat(quiet.sendAt()).isEmpty();
    BfdState polling =
        BfdMachine.step(settings(400, 200, 3), quiet, new BfdEvent.Reconfigured(), 2 * MILLI, 0)
            .next();
    assertThat(polling.sendAt()).isPresent();
    assertThat(received(quiet, packet(BfdPhase.UP), 2 * MILLI).sendAt()).isPresent();
  }

  /** RFC 5880 section 6.8.7. */
  @ParameterizedTest
  @CsvSource({
    "3, 0.0, 225",
    "3, 0.999999, 300",
    "1, 0.0, 225",
    "1, 0.999999, 270",
  })
  void jitterShortensIntervals(int multiplier, double random, long millis) {
    BfdSettings settings = settings(300, 200, multiplier);
    BfdState up = in(BfdPhase.UP);
    long at = up.sendAt().orElseThrow();
    BfdState next = BfdMachine.step(settings, up, new BfdEvent.Time(), at, random).next();
    assertThat(next.sendAt().orElseThrow() - at).isBetween((millis - 1) * MILLI, millis * MILLI);
  }

  @Test
  void timeIsComparedAcrossTheEndOfTheClock() {
    long late = Long.MAX_VALUE - 10;
    BfdState down = BfdMachine.initial(SETTINGS, OURS, late);
    BfdState next = step(down, new BfdEvent.Time(), late).next();
    OptionalLong due = next.sendAt();
    assertThat(due.orElseThrow()).isNegative();
    assertThat(sent(step(next, new BfdEvent.Time(), late + 5))).isEmpty();
    assertThat(sent(step(next, new BfdEvent.Time(), due.getAsLong()))).hasSize(1);
  }
}
