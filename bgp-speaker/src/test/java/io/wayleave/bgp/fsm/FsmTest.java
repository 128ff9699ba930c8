package io.wayleave.bgp.fsm;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.Timers;
import io.wayleave.bgp.wire.BgpMessage.Notification;
import io.wayleave.bgp.wire.BgpMessage.Open;
import io.wayleave.bgp.wire.Capability;
import io.wayleave.bgp.wire.Notifications;
import io.wayleave.model.Asn;
import io.wayleave.model.RouterId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Every event of RFC 4271 section 8.1 in every state of section 8.2.2, and event 29 of RFC 9687.
 *
 * <p>A line is: numbers of events | state that follows | actions in their order. {@code Idle*} is
 * an Idle that starts again by itself. Actions: {@code dial}, {@code close}, messages sent by name,
 * a NOTIFICATION by its codes, {@code up}, {@code down} (of a session that was up), {@code failed}
 * (of an attempt), and timers started {@code +} and stopped {@code -}: R ConnectRetry, H Hold, K
 * Keepalive, S SendHold, I IdleHold.
 *
 * <p>Not there, because the optional attributes behind them are off: 12 and 20 (DelayOpen), 14 and
 * 15 (TrackTcpState). {@code restart} and {@code refresh} are our own: the silent stop of RFC 4724
 * and the message of RFC 2918.
 */
class FsmTest {
  private static final Map<String, String> TABLES = new LinkedHashMap<>();

  static {
    TABLES.put(
        "Idle",
        """
        1 3 6                                                 | Connect | -I +R dial
        4 5 7                                                 | Active  | -I
        2 restart                                             | Idle    | -I
        8 9 10 11 13 18 19 21 22 23 24 25 26 27 28 29 refresh | Idle    |
        16 17                                                 | Idle    | close
        """);
    TABLES.put(
        "Idle*",
        """
        1 3 6                                              | Connect | -I +R dial
        4 5 7                                              | Active  | -I
        2 restart                                          | Idle    | -I
        8 9 10 11 18 19 21 22 23 24 25 26 27 28 29 refresh | Idle*   |
        13                                                 | Connect | +R dial
        16 17                                              | Idle*   | close
        """);
    TABLES.put(
        "Connect",
        """
        1 3 4 5 6 7                                      | Connect  |
        2 restart                                        | Idle     | close -R
        8 10 11 13 19 21 22 23 24 25 26 27 28 29 refresh | Idle*    | close -R -H -K -S failed +I
        9                                                | Connect  | close +R dial
        16 17                                            | OpenSent | -R OPEN +H
        18                                               | Active   | close -H +R failed
        """);
    TABLES.put(
        "Active",
        """
        1 3 4 5 6 7                                         | Active   |
        2 restart                                           | Idle     | close -R
        8 10 11 13 18 19 21 22 23 24 25 26 27 28 29 refresh | Idle*    | close -R -H -K -S failed +I
        9                                                   | Connect  | +R dial
        16 17                                               | OpenSent | -R OPEN +H
        """);
    TABLES.put(
        "OpenSent",
        """
        1 3 4 5 6 7 16 17 | OpenSent    |
        2                 | Idle        | 6/2 close -R -H -K -S failed
        restart           | Idle        | close -R -H -K -S failed
        8                 | Idle*       | 6/1 close -R -H -K -S failed +I
        9 11 13 29        | Idle*       | 5/0 close -R -H -K -S failed +I
        10                | Idle*       | 4/0 close -R -H -K -S failed +I
        18                | Active      | close -H +R failed
        19                | OpenConfirm | -R KEEPALIVE +K +H +S
        21                | Idle*       | 1/2 close -R -H -K -S failed +I
        22                | Idle*       | 2/2 close -R -H -K -S failed +I
        23                | Idle*       | 6/7 close -R -H -K -S failed +I
        24 25             | Idle*       | close -R -H -K -S failed +I
        26 27 28 refresh  | Idle*       | 5/1 close -R -H -K -S failed +I
        """);
    TABLES.put(
        "OpenConfirm",
        """
        1 3 4 5 6 7 16 17 | OpenConfirm |
        2                 | Idle        | 6/2 close -R -H -K -S failed
        restart           | Idle        | close -R -H -K -S failed
        8                 | Idle*       | 6/1 close -R -H -K -S failed +I
        9 13              | Idle*       | 5/0 close -R -H -K -S failed +I
        10                | Idle*       | 4/0 close -R -H -K -S failed +I
        11                | OpenConfirm | KEEPALIVE +K
        18 24 25          | Idle*       | close -R -H -K -S failed +I
        19 27 28 refresh  | Idle*       | 5/2 close -R -H -K -S failed +I
        21                | Idle*       | 1/2 close -R -H -K -S failed +I
        22                | Idle*       | 2/2 close -R -H -K -S failed +I
        23                | Idle*       | 6/7 close -R -H -K -S failed +I
        26                | Established | +H up
        29                | Idle*       | 8/0 close -R -H -K -S failed +I
        """);
    TABLES.put(
        "Established",
        """
        1 3 4 5 6 7 16 17 | Established |
        2                 | Idle        | 6/2 close -R -H -K -S down
        restart           | Idle        | close -R -H -K -S down
        8                 | Idle*       | 6/1 close -R -H -K -S down +I
        9 13              | Idle*       | 5/0 close -R -H -K -S down +I
        10                | Idle*       | 4/0 close -R -H -K -S down +I
        11                | Established | KEEPALIVE +K
        18 24 25          | Idle*       | close -R -H -K -S down +I
        19                | Idle*       | 5/3 close -R -H -K -S down +I
        21                | Idle*       | 1/2 close -R -H -K -S down +I
        22                | Idle*       | 2/2 close -R -H -K -S down +I
        23                | Idle*       | 6/7 close -R -H -K -S down +I
        26 27 refresh     | Established | +H
        28                | Idle*       | 3/1 close -R -H -K -S down +I
        29                | Idle*       | 8/0 close -R -H -K -S down +I
        """);
  }

  private static final FsmSettings ACTIVE = new FsmSettings(false, Timers.DEFAULT);
  private static final FsmSettings PASSIVE = new FsmSettings(true, Timers.DEFAULT);
  private static final Negotiated NEGOTIATED = negotiated(90);

  private static final Map<String, State> STATES = new LinkedHashMap<>();
  private static final Map<String, Event> EVENTS = new LinkedHashMap<>();

  /** Those that start a passive peer. */
  private static final Set<String> PASSIVE_STARTS = Set.of("4", "5", "7");

  static {
    STATES.put("Idle", new State.Idle(0, false));
    STATES.put("Idle*", new State.Idle(1, true));
    STATES.put("Connect", new State.Connect(0));
    STATES.put("Active", new State.Active(0));
    STATES.put("OpenSent", new State.OpenSent(0));
    STATES.put("OpenConfirm", new State.OpenConfirm(0, NEGOTIATED));
    STATES.put("Established", new State.Established(0, NEGOTIATED, 0));
    for (String start : List.of("1", "3", "4", "5", "6", "7")) {
      EVENTS.put(start, new Event.Start());
    }
    EVENTS.put("2", new Event.Stop(new Notification(6, 2)));
    EVENTS.put("8", new Event.AutomaticStop(new Notification(6, 1), new Event.Comeback.Damped()));
    EVENTS.put("9", new Event.ConnectRetryExpired());
    EVENTS.put("10", new Event.HoldExpired());
    EVENTS.put("11", new Event.KeepaliveExpired());
    EVENTS.put("13", new Event.IdleHoldExpired());
    EVENTS.put("16", new Event.TcpConnected());
    EVENTS.put("17", new Event.TcpConnected());
    EVENTS.put("18", new Event.TcpFailed("Connection reset by peer"));
    EVENTS.put("19", new Event.OpenReceived(NEGOTIATED));
    EVENTS.put("21", new Event.HeaderError(new Notification(1, 2)));
    EVENTS.put("22", new Event.OpenError(new Notification(2, 2)));
    EVENTS.put("23", new Event.CollisionDump());
    EVENTS.put("24", new Event.NotificationReceived(new Notification(2, 1)));
    EVENTS.put("25", new Event.NotificationReceived(new Notification(6, 4)));
    EVENTS.put("26", new Event.KeepaliveReceived());
    EVENTS.put("27", new Event.UpdateReceived());
    EVENTS.put("28", new Event.UpdateError(new Notification(3, 1)));
    EVENTS.put("29", new Event.SendHoldExpired());
    EVENTS.put("restart", new Event.StopForRestart());
    EVENTS.put("refresh", new Event.RouteRefreshReceived());
  }

  @TestFactory
  Stream<DynamicTest> everyEventInEveryState() {
    List<DynamicTest> tests = new ArrayList<>();
    TABLES.forEach(
        (state, table) ->
            table
                .lines()
                .forEach(
                    line -> {
                      List<String> cells = cells(line);
                      String expected = cells.get(1) + " | " + cells.get(2);
                      for (String event : cells.getFirst().split(" ", -1)) {
                        tests.add(
                            DynamicTest.dynamicTest(
                                event + " in " + state,
                                () ->
                                    assertThat(outcome(STATES.get(state), event))
                                        .isEqualTo(expected)));
                      }
                    }));
    return tests.stream();
  }

  @Test
  void theTablesAreComplete() {
    assertThat(TABLES.keySet()).isEqualTo(STATES.keySet());
    TABLES.forEach(
        (state, table) ->
            assertThat(
                    table
                        .lines()
                        .flatMap(line -> Stream.of(cells(line).getFirst().split(" ", -1)))
                        .toList())
                .as(state)
                .containsExactlyInAnyOrderElementsOf(EVENTS.keySet()));
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
        .noneMatch(
            action ->
                action instanceof Action.StartTimer(FsmTimer timer, Duration _)
                    && timer != FsmTimer.SEND_HOLD);
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

  /** RFC 8538 section 3: the peer would keep our routes after the bare Cease. */
  @Test
  void whereNotificationsAreGracefulAFinalOneIsAHardReset() {
    State graceful = new State.Established(0, gracefulNotification(), 0);
    Notification shutdown = Notifications.shutdown("bye");
    assertThat(sent(graceful, new Event.Stop(shutdown)))
        .isEqualTo(Notifications.hardReset(shutdown));
    Notification bfd = new Notification(6, 10);
    assertThat(sent(graceful, new Event.AutomaticStop(bfd, new Event.Comeback.Damped())))
        .isEqualTo(Notifications.hardReset(bfd));
    Notification reset = Notifications.reset("");
    assertThat(sent(graceful, new Event.Stop(reset))).isEqualTo(reset);
    assertThat(sent(STATES.get("Established"), new Event.Stop(shutdown))).isEqualTo(shutdown);
  }

  private static Notification sent(State state, Event event) {
    return Fsm.step(ACTIVE, state, event, 0).actions().stream()
        .filter(Action.SendNotification.class::isInstance)
        .map(action -> ((Action.SendNotification) action).notification())
        .findFirst()
        .orElseThrow();
  }

  @Test
  void anAutomaticStopComesBackAsItSays() {
    State up = STATES.get("Established");
    Notification cease = new Notification(6, 1);
    Step after =
        Fsm.step(
            ACTIVE,
            up,
            new Event.AutomaticStop(cease, new Event.Comeback.After(Duration.ofMinutes(5))),
            0);
    assertThat(after.actions())
        .contains(new Action.StartTimer(FsmTimer.IDLE_HOLD, Duration.ofMinutes(5)));
    Step never =
        Fsm.step(ACTIVE, up, new Event.AutomaticStop(cease, new Event.Comeback.Never()), 0);
    assertThat(never.next()).isEqualTo(new State.Idle(1, false));
    assertThat(never.actions()).noneMatch(Action.StartTimer.class::isInstance);
  }

  /** RFC 9687 section 6. */
  @Test
  void sendHoldIsTheGreaterOfEightMinutesAndTwiceTheHoldTime() {
    assertThat(sendHold(ACTIVE, 90)).isEqualTo(Duration.ofMinutes(8));
    assertThat(sendHold(ACTIVE, 0)).isEqualTo(Duration.ofMinutes(8));
    assertThat(sendHold(ACTIVE, 600)).isEqualTo(Duration.ofMinutes(20));
    FsmSettings own = new FsmSettings(false, Timers.DEFAULT.withSendHold(Duration.ofSeconds(30)));
    assertThat(sendHold(own, 600)).isEqualTo(Duration.ofSeconds(30));
  }

  private static Duration sendHold(FsmSettings settings, int holdTime) {
    return Fsm.step(
            settings, new State.OpenSent(0), new Event.OpenReceived(negotiated(holdTime)), 0)
        .actions()
        .stream()
        .filter(Action.StartTimer.class::isInstance)
        .map(Action.StartTimer.class::cast)
        .filter(action -> action.timer() == FsmTimer.SEND_HOLD)
        .map(Action.StartTimer::after)
        .findFirst()
        .orElseThrow();
  }

  private static Negotiated gracefulNotification() {
    Open open =
        Open.of(
            Asn.of(65001),
            90,
            RouterId.parse("10.0.0.1"),
            List.of(new Capability.GracefulRestart(false, true, 120, List.of())));
    return Negotiated.of(open, open);
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

  private static String outcome(State state, String event) {
    FsmSettings settings = PASSIVE_STARTS.contains(event) ? PASSIVE : ACTIVE;
    Step step = Fsm.step(settings, state, EVENTS.get(event), 0);
    String held = step.next() instanceof State.Idle(int _, boolean on) && on ? "*" : "";
    List<String> actions = step.actions().stream().map(FsmTest::shortName).toList();
    return step.next().phase() + held + " | " + String.join(" ", actions);
  }

  private static String shortName(Action action) {
    return switch (action) {
      case Action.Dial() -> "dial";
      case Action.SendOpen() -> "OPEN";
      case Action.SendKeepalive() -> "KEEPALIVE";
      case Action.SendNotification(Notification sent) -> sent.code() + "/" + sent.subcode();
      case Action.CloseConnection() -> "close";
      case Action.StartTimer(FsmTimer timer, Duration _) -> "+" + letter(timer);
      case Action.StopTimer(FsmTimer timer) -> "-" + letter(timer);
      case Action.SessionUp(Negotiated _) -> "up";
      case Action.SessionDown(DownCause _) -> "down";
      case Action.AttemptFailed(DownCause _) -> "failed";
    };
  }

  private static String letter(FsmTimer timer) {
    return switch (timer) {
      case CONNECT_RETRY -> "R";
      case HOLD -> "H";
      case KEEPALIVE -> "K";
      case SEND_HOLD -> "S";
      case IDLE_HOLD -> "I";
    };
  }

  private static List<String> cells(String line) {
    return Stream.of(line.split("\\|", -1)).map(String::trim).toList();
  }

  private static Negotiated negotiated(int holdTime) {
    Open open = Open.of(Asn.of(65001), holdTime, RouterId.parse("10.0.0.1"), List.of());
    return Negotiated.of(open, open);
  }
}
