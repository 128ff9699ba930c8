package io.wayleave.bgp.fsm;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.Timers;
import io.wayleave.bgp.wire.BgpMessage.Notification;
import io.wayleave.bgp.wire.BgpMessage.Open;
import io.wayleave.model.Asn;
import io.wayleave.model.RouterId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Every event in every state (RFC 4271 section 8.2.2). A cell is the state that follows, with
 * {@code *} for an Idle that starts again by itself, and the NOTIFICATION that goes out.
 */
class FsmTest {
  private static final String TABLE =
      """
      event                | Idle    | Idle*   | Connect | Active   | OpenSent    | OpenConfirm | Established
      Start                | Connect | Connect | Connect | Active   | OpenSent    | OpenConfirm | Established
      Stop                 | Idle    | Idle    | Idle    | Idle     | Idle 6/2    | Idle 6/2    | Idle 6/2
      StopForRestart       | Idle    | Idle    | Idle    | Idle     | Idle        | Idle        | Idle
      ConnectRetryExpired  | Idle    | Idle*   | Connect | Connect  | Idle* 5/0   | Idle* 5/0   | Idle* 5/0
      HoldExpired          | Idle    | Idle*   | Idle*   | Idle*    | Idle* 4/0   | Idle* 4/0   | Idle* 4/0
      KeepaliveExpired     | Idle    | Idle*   | Idle*   | Idle*    | Idle* 5/0   | OpenConfirm | Established
      IdleHoldExpired      | Idle    | Connect | Idle*   | Idle*    | Idle* 5/0   | Idle* 5/0   | Idle* 5/0
      TcpConnected         | Idle    | Idle*   | OpenSent| OpenSent | OpenSent    | OpenConfirm | Established
      TcpFailed            | Idle    | Idle*   | Active  | Idle*    | Active      | Idle*       | Idle*
      OpenReceived         | Idle    | Idle*   | Idle*   | Idle*    | OpenConfirm | Idle* 5/2   | Idle* 5/3
      HeaderError          | Idle    | Idle*   | Idle*   | Idle*    | Idle* 1/2   | Idle* 1/2   | Idle* 1/2
      OpenError            | Idle    | Idle*   | Idle*   | Idle*    | Idle* 2/2   | Idle* 2/2   | Idle* 2/2
      CollisionDump        | Idle    | Idle*   | Idle*   | Idle*    | Idle* 6/7   | Idle* 6/7   | Idle* 6/7
      VersionError         | Idle    | Idle*   | Idle*   | Idle*    | Idle*       | Idle*       | Idle*
      NotificationReceived | Idle    | Idle*   | Idle*   | Idle*    | Idle*       | Idle*       | Idle*
      KeepaliveReceived    | Idle    | Idle*   | Idle*   | Idle*    | Idle* 5/1   | Established | Established
      UpdateReceived       | Idle    | Idle*   | Idle*   | Idle*    | Idle* 5/1   | Idle* 5/2   | Established
      UpdateError          | Idle    | Idle*   | Idle*   | Idle*    | Idle* 5/1   | Idle* 5/2   | Idle* 3/1
      RouteRefreshReceived | Idle    | Idle*   | Idle*   | Idle*    | Idle* 5/1   | Idle* 5/2   | Established
      """;

  private static final FsmSettings ACTIVE = new FsmSettings(false, Timers.DEFAULT);
  private static final FsmSettings PASSIVE = new FsmSettings(true, Timers.DEFAULT);
  private static final Negotiated NEGOTIATED = negotiated(90);

  private static final Map<String, State> STATES = new LinkedHashMap<>();
  private static final Map<String, Event> EVENTS = new LinkedHashMap<>();

  static {
    STATES.put("Idle", new State.Idle(0, false));
    STATES.put("Idle*", new State.Idle(1, true));
    STATES.put("Connect", new State.Connect(0));
    STATES.put("Active", new State.Active(0));
    STATES.put("OpenSent", new State.OpenSent(0));
    STATES.put("OpenConfirm", new State.OpenConfirm(0, NEGOTIATED));
    STATES.put("Established", new State.Established(0, NEGOTIATED, 0));
    EVENTS.put("Start", new Event.Start());
    EVENTS.put("Stop", new Event.Stop(new Notification(6, 2)));
    EVENTS.put("StopForRestart", new Event.StopForRestart());
    EVENTS.put("ConnectRetryExpired", new Event.ConnectRetryExpired());
    EVENTS.put("HoldExpired", new Event.HoldExpired());
    EVENTS.put("KeepaliveExpired", new Event.KeepaliveExpired());
    EVENTS.put("IdleHoldExpired", new Event.IdleHoldExpired());
    EVENTS.put("TcpConnected", new Event.TcpConnected());
    EVENTS.put("TcpFailed", new Event.TcpFailed("Connection reset by peer"));
    EVENTS.put("OpenReceived", new Event.OpenReceived(NEGOTIATED));
    EVENTS.put("HeaderError", new Event.HeaderError(new Notification(1, 2)));
    EVENTS.put("OpenError", new Event.OpenError(new Notification(2, 2)));
    EVENTS.put("CollisionDump", new Event.CollisionDump());
    EVENTS.put("VersionError", new Event.NotificationReceived(new Notification(2, 1)));
    EVENTS.put("NotificationReceived", new Event.NotificationReceived(new Notification(6, 4)));
    EVENTS.put("KeepaliveReceived", new Event.KeepaliveReceived());
    EVENTS.put("UpdateReceived", new Event.UpdateReceived());
    EVENTS.put("UpdateError", new Event.UpdateError(new Notification(3, 1)));
    EVENTS.put("RouteRefreshReceived", new Event.RouteRefreshReceived());
  }

  @TestFactory
  Stream<DynamicTest> everyEventInEveryState() {
    List<String> lines = TABLE.lines().toList();
    List<String> columns = cells(lines.getFirst());
    List<DynamicTest> tests = new ArrayList<>();
    for (String line : lines.subList(1, lines.size())) {
      List<String> cells = cells(line);
      for (int i = 1; i < cells.size(); i++) {
        String event = cells.getFirst();
        String state = columns.get(i);
        String expected = cells.get(i);
        tests.add(
            DynamicTest.dynamicTest(
                event + " in " + state,
                () ->
                    assertThat(outcome(STATES.get(state), EVENTS.get(event))).isEqualTo(expected)));
      }
    }
    return tests.stream();
  }

  @Test
  void theTableIsComplete() {
    List<String> lines = TABLE.lines().toList();
    assertThat(cells(lines.getFirst()).subList(1, 8)).containsExactlyElementsOf(STATES.keySet());
    assertThat(lines.stream().skip(1).map(line -> cells(line).getFirst()))
        .containsExactlyElementsOf(EVENTS.keySet());
    // One row for each kind of event; NotificationReceived has two.
    assertThat(EVENTS.values().stream().map(Object::getClass).distinct().count())
        .isEqualTo(Event.class.getPermittedSubclasses().length);
  }

  @Test
  void whatEndsASessionClosesItAndSaysSoOnce() {
    for (State state : STATES.values()) {
      for (Event event : EVENTS.values()) {
        Step step = Fsm.step(ACTIVE, state, event, 0);
        boolean ended =
            state instanceof State.Established && !(step.next() instanceof State.Established);
        long downs = step.actions().stream().filter(Action.SessionDown.class::isInstance).count();
        assertThat(downs).as("%s in %s", event, state).isEqualTo(ended ? 1 : 0);
        boolean hadConnection = state.phase().compareTo(Phase.OPEN_SENT) >= 0;
        if (hadConnection && step.next().phase().compareTo(Phase.OPEN_SENT) < 0) {
          List<Class<?>> kinds = new ArrayList<>();
          step.actions().forEach(action -> kinds.add(action.getClass()));
          assertThat(kinds).as("%s in %s", event, state).contains(Action.CloseConnection.class);
          assertThat(kinds.indexOf(Action.SendNotification.class))
              .as("the NOTIFICATION goes before the connection")
              .isLessThan(kinds.indexOf(Action.CloseConnection.class));
          assertThat(step.actions()).contains(new Action.StopTimer(FsmTimer.HOLD));
        }
      }
    }
  }

  @Test
  void aPassivePeerNeverDials() {
    for (State state : STATES.values()) {
      for (Event event : EVENTS.values()) {
        if (!(state instanceof State.Connect)) {
          assertThat(Fsm.step(PASSIVE, state, event, 0).actions())
              .as("%s in %s", event, state)
              .noneMatch(Action.Dial.class::isInstance);
        }
      }
    }
    assertThat(Fsm.step(PASSIVE, Fsm.initial(), new Event.Start(), 0).next())
        .isEqualTo(new State.Active(0));
  }

  @Test
  void openStartsTheNegotiatedTimers() {
    Step step = Fsm.step(ACTIVE, new State.OpenSent(0), new Event.OpenReceived(negotiated(30)), 0);
    assertThat(step.actions())
        .contains(
            new Action.SendKeepalive(),
            new Action.StartTimer(FsmTimer.HOLD, Duration.ofSeconds(30)),
            new Action.StartTimer(FsmTimer.KEEPALIVE, Duration.ofSeconds(10)));
  }

  @Test
  void holdTimeZeroTurnsKeepalivesOff() {
    Negotiated none = negotiated(0);
    Step open = Fsm.step(ACTIVE, new State.OpenSent(0), new Event.OpenReceived(none), 0);
    assertThat(open.actions())
        .contains(new Action.StopTimer(FsmTimer.HOLD))
        .noneMatch(Action.StartTimer.class::isInstance);
    State up = new State.Established(0, none, 0);
    assertThat(Fsm.step(ACTIVE, up, new Event.KeepaliveReceived(), 0).actions()).isEmpty();
    assertThat(Fsm.step(ACTIVE, up, new Event.UpdateReceived(), 0).actions()).isEmpty();
  }

  @Test
  void failuresInARowWaitLongerUpToTheMaximum() {
    assertThat(waitAfter(new State.OpenSent(0), 0)).isEqualTo(Duration.ofSeconds(1));
    assertThat(waitAfter(new State.OpenSent(1), 0)).isEqualTo(Duration.ofSeconds(2));
    assertThat(waitAfter(new State.OpenSent(4), 0)).isEqualTo(Duration.ofSeconds(16));
    assertThat(waitAfter(new State.OpenSent(5), 0)).isEqualTo(Duration.ofSeconds(30));
    assertThat(waitAfter(new State.OpenSent(4_000_000), 0)).isEqualTo(Duration.ofSeconds(30));
    // A session that lasted has paid for what was before it, one that did not has not.
    State up = new State.Established(5, NEGOTIATED, 0);
    assertThat(waitAfter(up, Duration.ofSeconds(29).toNanos())).isEqualTo(Duration.ofSeconds(30));
    assertThat(waitAfter(up, Duration.ofSeconds(30).toNanos())).isEqualTo(Duration.ofSeconds(1));
  }

  private static Duration waitAfter(State state, long now) {
    return Fsm.step(ACTIVE, state, new Event.NotificationReceived(new Notification(6, 4)), now)
        .actions()
        .stream()
        .filter(Action.StartTimer.class::isInstance)
        .map(action -> ((Action.StartTimer) action).after())
        .findFirst()
        .orElseThrow();
  }

  private static String outcome(State state, Event event) {
    Step step = Fsm.step(ACTIVE, state, event, 0);
    String held = step.next() instanceof State.Idle(int _, boolean on) && on ? "*" : "";
    String notification =
        step.actions().stream()
            .filter(Action.SendNotification.class::isInstance)
            .map(action -> ((Action.SendNotification) action).notification())
            .map(sent -> " " + sent.code() + "/" + sent.subcode())
            .findFirst()
            .orElse("");
    return step.next().phase() + held + notification;
  }

  private static List<String> cells(String line) {
    return Stream.of(line.split("\\|")).map(String::trim).toList();
  }

  private static Negotiated negotiated(int holdTime) {
    Open open = Open.of(Asn.of(65001), holdTime, RouterId.parse("10.0.0.1"), List.of());
    return Negotiated.of(open, open);
  }
}
