package io.wayleave.bgp.fsm;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.Timers;
import io.wayleave.bgp.wire.BgpMessage.Notification;
import io.wayleave.bgp.wire.BgpMessage.Open;
import io.wayleave.bgp.wire.Capability;
import io.wayleave.bgp.wire.Notifications;
import io.wayleave.bgp.wire.Octets;
import io.wayleave.model.Asn;
import io.wayleave.model.RouterId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Every event of RFC 4271 section 8.1 in every state, and event 29 of RFC 9687, against section
 * 8.2.2 as it is written, for these optional attributes: DampPeerOscillations on; DelayOpen,
 * TrackTcpState, SendNOTIFICATIONwithoutOPEN and CollisionDetectEstablishedState off. So 12 and 20
 * (DelayOpen), 14 and 15 (TrackTcpState) do not exist.
 *
 * <p>A line is: numbers of events | state that follows | messages sent, a NOTIFICATION by its code
 * | ConnectRetryCounter: 0, +1 or = | the rest: {@code dial}, {@code drop} of the connection,
 * {@code routes} deleted or kept as stale, {@code damp} (the IdleHoldTimer will start it again),
 * timers started {@code +} and stopped {@code -} (R ConnectRetry, H Hold, K Keepalive, S SendHold),
 * and {@code release} for "releases all BGP resources", which H, K and S are.
 *
 * <p>Where {@link Fsm} does something else on purpose, {@link #DEVIATIONS} has the line that holds
 * and the reason; {@link #OWN} has what the RFC leaves open or does not have.
 */
class FsmTest {
  private static final Map<String, String> RFC = new LinkedHashMap<>();

  static {
    RFC.put(
        "Idle",
        """
        1 3                                        | Connect | | 0 | +R dial
        4 5                                        | Active  | | 0 | +R
        2 8 9 10 11 18 19 21 22 23 24 25 26 27 28 29 | Idle  | | = |
        16 17                                      | Idle    | | = | drop
        """);
    RFC.put(
        "Connect",
        """
        1 3 4 5 6 7                        | Connect  |      | =  |
        2                                  | Idle     |      | 0  | drop release -R
        9                                  | Connect  |      | =  | drop +R dial
        16 17                              | OpenSent | OPEN | =  | -R +H
        18                                 | Idle     |      | =  | -R drop release
        21 22 24                           | Idle     |      | +1 | -R release drop damp
        8 10 11 13 19 23 25 26 27 28 29    | Idle     |      | +1 | -R release drop damp
        """);
    RFC.put(
        "Active",
        """
        1 3 4 5 6 7                        | Active   |      | =  |
        2                                  | Idle     |      | 0  | release drop -R
        9                                  | Connect  |      | =  | +R dial
        16 17                              | OpenSent | OPEN | =  | -R +H
        18                                 | Idle     |      | +1 | +R release damp
        21 22 24                           | Idle     |      | +1 | -R release drop damp
        8 10 11 13 19 23 25 26 27 28 29    | Idle     |      | +1 | -R release drop damp
        """);
    RFC.put(
        "OpenSent",
        """
        1 3 4 5 6 7                | OpenSent    |           | =  |
        2                          | Idle        | 6         | 0  | -R release drop
        8                          | Idle        | 6         | +1 | -R release drop damp
        10                         | Idle        | 4         | +1 | -R release drop damp
        16 17                      | OpenSent    |           | =  |
        18                         | Active      |           | =  | drop +R
        19                         | OpenConfirm | KEEPALIVE | =  | -R +K +H
        21                         | Idle        | 1         | +1 | -R release drop damp
        22                         | Idle        | 2         | +1 | -R release drop damp
        23                         | Idle        | 6         | +1 | -R release drop damp
        24                         | Idle        |           | =  | -R release drop
        9 11 13 25 26 27 28 29     | Idle        | 5         | +1 | -R release drop damp
        """);
    RFC.put(
        "OpenConfirm",
        """
        1 3 4 5 6 7                | OpenConfirm |           | =  |
        2                          | Idle        | 6         | 0  | release drop -R
        8                          | Idle        | 6         | +1 | -R release drop damp
        10                         | Idle        | 4         | +1 | -R release drop damp
        11                         | OpenConfirm | KEEPALIVE | =  | +K
        16 17                      | OpenConfirm |           | =  |
        18 25                      | Idle        |           | +1 | -R release drop damp
        24                         | Idle        |           | =  | -R release drop
        19                         | Idle        | 6         | +1 | -R release drop damp
        21                         | Idle        | 1         | +1 | -R release drop damp
        22                         | Idle        | 2         | +1 | -R release drop damp
        23                         | Idle        | 6         | +1 | -R release drop damp
        26                         | Established |           | =  | +H +S
        9 13 27 28 29              | Idle        | 5         | +1 | -R release drop damp
        """);
    RFC.put(
        "Established",
        """
        1 3 4 5 6 7                | Established |           | =  |
        2                          | Idle        | 6         | 0  | -R routes release drop
        8                          | Idle        | 6         | +1 | -R routes release drop damp
        10                         | Idle        | 4         | +1 | -R routes release drop damp
        11                         | Established | KEEPALIVE | =  | +K
        16 17                      | Established |           | =  |
        18 24 25                   | Idle        |           | +1 | -R routes release drop
        19                         | Established |           | =  |
        23                         | Idle        | 6         | +1 | -R routes release drop damp
        26 27                      | Established |           | =  | +H
        28                         | Idle        | 3         | +1 | -R routes release drop damp
        9 13 21 22                 | Idle        | 5         | +1 | routes -R release drop damp
        29                         | Idle        | 8         | +1 | -R routes release drop damp
        """);
  }

  /** State | a line as above | why. */
  private static final String DEVIATIONS =
      """
      Idle        | 4 5   | Active | | 0  |                       | a passive peer would dial when it expires
      Idle*       | 2     | Idle   | | 0  |                       | the session would come back after the stop
      Connect     | 18    | Active | | =  | drop +R               | Idle refuses the peer's own dial, the likely way back
      Active      | 18    | Idle   | | +1 | -R release drop damp  | event 9 means nothing in Idle, the IdleHoldTimer starts it again
      OpenSent    | 18    | Active | | =  | drop +R -H            | what the peer's next connection has not said it cannot be late with
      OpenSent    | 24    | Idle   | | +1 | -R release drop damp  | the other version that section 4.2 would try at once does not exist
      OpenConfirm | 24    | Idle   | | +1 | -R release drop damp  | the same
      OpenSent    | 25    | Idle   | | +1 | -R release drop damp  | section 6.4 knows no NOTIFICATION that answers one
      OpenConfirm | 19    | Idle   | 5 | +1 | -R release drop damp | a second OPEN on one connection is no collision (RFC 6608 section 3)
      Established | 18 24 25 | Idle | | +1 | -R routes release drop damp | nothing but the IdleHoldTimer starts it again
      Established | 19    | Idle   | 5 | +1 | -R routes release drop damp | a second OPEN on one connection (RFC 6608 section 3)
      Established | 21    | Idle   | 1 | +1 | -R routes release drop damp | section 6.1 names the fault
      Established | 22    | Idle   | 2 | +1 | -R routes release drop damp | section 6.2 names the fault
      """;

  /**
   * State | a line as above. The Idle that a failure led to; events 6, 7 and 13 in Idle, which
   * section 8.2.2 leaves open; {@code restart}, the silent stop of RFC 4724; {@code refresh}, the
   * message of RFC 2918, which is to the machine what UPDATE is.
   */
  private static final String OWN =
      """
      Idle  | 6  | Connect | | 0 | +R dial
      Idle  | 7  | Active  | | 0 |
      Idle  | 13 | Idle    | | = |
      Idle  | restart | Idle | | 0 |
      Idle  | refresh | Idle | | = |
      Idle* | 1 3 6 | Connect | | 0 | +R dial
      Idle* | 4 5 7 | Active  | | 0 |
      Idle* | 13    | Connect | | = | +R dial
      Idle* | 8 9 10 11 18 19 21 22 23 24 25 26 27 28 29 refresh | Idle | | = | damp
      Idle* | 16 17 | Idle    | | = | drop damp
      Idle* | restart | Idle  | | 0 |
      Connect     | restart | Idle | | 0  | drop release -R
      Connect     | refresh | Idle | | +1 | -R release drop damp
      Active      | restart | Idle | | 0  | drop release -R
      Active      | refresh | Idle | | +1 | -R release drop damp
      OpenSent    | restart | Idle | | 0  | drop release -R
      OpenSent    | refresh | Idle | 5 | +1 | -R release drop damp
      OpenConfirm | restart | Idle | | 0  | drop release -R
      OpenConfirm | refresh | Idle | 5 | +1 | -R release drop damp
      Established | restart | Idle | | 0  | routes drop release -R
      Established | refresh | Established | | = | +H
      """;

  /** Timers that run in the state before the event. */
  private static final Map<String, String> RUNNING =
      Map.of(
          "Idle", "",
          "Idle*", "",
          "Connect", "R",
          "Active", "R",
          "OpenSent", "H",
          "OpenConfirm", "HK",
          "Established", "HKS");

  private static final int FAILURES = 3;

  private static final FsmSettings ACTIVE = new FsmSettings(false, Timers.DEFAULT);
  private static final FsmSettings PASSIVE = new FsmSettings(true, Timers.DEFAULT);
  private static final Negotiated NEGOTIATED = negotiated(90);

  private static final Map<String, State> STATES = new LinkedHashMap<>();
  private static final Map<String, Event> EVENTS = new LinkedHashMap<>();

  /** Those that start a passive peer. */
  private static final Set<String> PASSIVE_STARTS = Set.of("4", "5", "7");

  static {
    STATES.put("Idle", new State.Idle(FAILURES, false));
    STATES.put("Idle*", new State.Idle(FAILURES, true));
    STATES.put("Connect", new State.Connect(FAILURES));
    STATES.put("Active", new State.Active(FAILURES));
    STATES.put("OpenSent", new State.OpenSent(FAILURES));
    STATES.put("OpenConfirm", new State.OpenConfirm(FAILURES, NEGOTIATED));
    STATES.put("Established", new State.Established(FAILURES, NEGOTIATED, 0));
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

  private record Line(String state, String event, Outcome outcome) {
    String key() {
      return event + " in " + state;
    }
  }

  /**
   * @param timers what each of R, H, K, S does afterwards: not there when it does not run, with a +
   *     when it was started anew
   */
  private record Outcome(
      String next, String sent, String counter, Set<String> done, Set<String> timers) {}

  @TestFactory
  Stream<DynamicTest> everyEventInEveryState() {
    Map<String, Line> deviations = byKey(withState(DEVIATIONS));
    return Stream.concat(rfc(), withState(OWN))
        .map(
            line ->
                DynamicTest.dynamicTest(
                    line.key(),
                    () -> {
                      Outcome actual = outcome(line.state(), line.event());
                      Line deviation = deviations.get(line.key());
                      if (deviation == null) {
                        assertThat(actual).isEqualTo(line.outcome());
                      } else {
                        assertThat(actual).isEqualTo(deviation.outcome());
                        assertThat(actual).as("needs no exception").isNotEqualTo(line.outcome());
                      }
                    }));
  }

  @Test
  void theStopOfADampedIdleIsTheOnlyExceptionWithoutALine() {
    Map<String, Line> known = byKey(Stream.concat(rfc(), withState(OWN)));
    assertThat(
            byKey(withState(DEVIATIONS)).keySet().stream().filter(key -> !known.containsKey(key)))
        .containsExactly("2 in Idle*");
    assertThat(outcome("Idle*", "2"))
        .isEqualTo(byKey(withState(DEVIATIONS)).get("2 in Idle*").outcome());
  }

  @Test
  void theTablesAreComplete() {
    List<String> keys = new ArrayList<>(List.of("2 in Idle*"));
    Stream.concat(rfc(), withState(OWN)).map(Line::key).forEach(keys::add);
    List<String> all = new ArrayList<>();
    for (String state : STATES.keySet()) {
      EVENTS.keySet().forEach(event -> all.add(event + " in " + state));
    }
    assertThat(keys).containsExactlyInAnyOrderElementsOf(all);
    assertThat(EVENTS.values().stream().map(Object::getClass).distinct().count())
        .isEqualTo(Event.class.getPermittedSubclasses().length);
  }

  /** RFC 6608 section 3; where no message is at fault, the unspecific subcode. */
  @Test
  void anUnexpectedMessageIsNamed() {
    List<String> messages = List.of("26", "27", "28", "refresh");
    for (String event : messages) {
      int type = event.equals("26") ? 4 : event.equals("refresh") ? 5 : 2;
      assertThat(sent(STATES.get("OpenSent"), EVENTS.get(event)))
          .isEqualTo(new Notification(5, 1, Octets.of((byte) type)));
    }
    assertThat(sent(STATES.get("OpenConfirm"), EVENTS.get("27")))
        .isEqualTo(new Notification(5, 2, Octets.of((byte) 2)));
    assertThat(sent(STATES.get("OpenConfirm"), EVENTS.get("19")))
        .isEqualTo(new Notification(5, 2, Octets.of((byte) 1)));
    assertThat(sent(STATES.get("Established"), EVENTS.get("19")))
        .isEqualTo(new Notification(5, 3, Octets.of((byte) 1)));
    assertThat(sent(STATES.get("Established"), EVENTS.get("9"))).isEqualTo(new Notification(5, 0));
    assertThat(sent(STATES.get("OpenSent"), EVENTS.get("23"))).isEqualTo(new Notification(6, 7));
    assertThat(sent(STATES.get("Established"), EVENTS.get("29"))).isEqualTo(new Notification(8, 0));
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
    // Nor the SendHoldTimer: RFC 9687 section 4.3.
    assertThat(
            Fsm.step(ACTIVE, new State.OpenConfirm(0, none), new Event.KeepaliveReceived(), 0)
                .actions())
        .containsExactly(new Action.SessionUp(none));
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
    assertThat(never.next()).isEqualTo(new State.Idle(FAILURES + 1, false));
    assertThat(never.actions()).noneMatch(Action.StartTimer.class::isInstance);
  }

  /** RFC 9687 section 6. */
  @Test
  void sendHoldIsTheGreaterOfEightMinutesAndTwiceTheHoldTime() {
    assertThat(sendHold(ACTIVE, 90)).isEqualTo(Duration.ofMinutes(8));
    assertThat(sendHold(ACTIVE, 600)).isEqualTo(Duration.ofMinutes(20));
    FsmSettings own = new FsmSettings(false, Timers.DEFAULT.withSendHold(Duration.ofSeconds(91)));
    assertThat(sendHold(own, 30)).isEqualTo(Duration.ofSeconds(91));
  }

  private static Duration sendHold(FsmSettings settings, int holdTime) {
    return Fsm.step(
            settings,
            new State.OpenConfirm(0, negotiated(holdTime)),
            new Event.KeepaliveReceived(),
            0)
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

  private static Outcome outcome(String stateName, String event) {
    FsmSettings settings = PASSIVE_STARTS.contains(event) ? PASSIVE : ACTIVE;
    State state = STATES.get(stateName);
    Step step = Fsm.step(settings, state, EVENTS.get(event), 0);
    List<String> sent = new ArrayList<>();
    Set<String> done = new TreeSet<>();
    Set<String> timers = running(stateName);
    for (Action action : step.actions()) {
      switch (action) {
        case Action.Dial() -> done.add("dial");
        case Action.SendOpen() -> sent.add("OPEN");
        case Action.SendKeepalive() -> sent.add("KEEPALIVE");
        case Action.SendNotification(Notification notification) ->
            sent.add(Integer.toString(notification.code()));
        case Action.CloseConnection() -> done.add("drop");
        case Action.StartTimer(FsmTimer timer, Duration _) -> {
          timers.remove(letter(timer));
          timers.add("+" + letter(timer));
        }
        case Action.StopTimer(FsmTimer timer) -> timers.remove(letter(timer));
        case Action.SessionDown(DownCause _) -> done.add("routes");
        case Action.SessionUp(Negotiated _) -> {}
        case Action.AttemptFailed(DownCause _) -> {}
      }
    }
    boolean held = step.next() instanceof State.Idle(int _, boolean on) && on;
    boolean started = timers.remove("+I");
    assertThat(started).as("the IdleHoldTimer").isEqualTo(held && !stateName.equals("Idle*"));
    if (held) {
      done.add("damp");
    }
    int failures = step.next().failures();
    String counter =
        failures == 0 ? "0" : failures == FAILURES ? "=" : "%+d".formatted(failures - FAILURES);
    return new Outcome(
        step.next().phase().toString(), String.join(" ", sent), counter, done, timers);
  }

  private static Set<String> running(String state) {
    Set<String> timers = new TreeSet<>();
    RUNNING.get(state).chars().forEach(letter -> timers.add(Character.toString(letter)));
    return timers;
  }

  private static Stream<Line> rfc() {
    return RFC.entrySet().stream()
        .flatMap(
            table -> table.getValue().lines().flatMap(line -> lines(table.getKey(), cells(line))));
  }

  private static Stream<Line> withState(String table) {
    return table
        .lines()
        .map(FsmTest::cells)
        .flatMap(cells -> lines(cells.getFirst(), cells.subList(1, cells.size())));
  }

  private static Stream<Line> lines(String state, List<String> cells) {
    Set<String> done = new TreeSet<>();
    Set<String> timers = running(state);
    for (String word : cells.get(4).split(" +", -1)) {
      if (word.equals("release")) {
        timers.removeAll(Set.of("H", "K", "S"));
      } else if (word.startsWith("+") || word.startsWith("-")) {
        timers.remove(word.substring(1));
        if (word.startsWith("+")) {
          timers.add(word);
        }
      } else if (!word.isEmpty()) {
        done.add(word);
      }
    }
    Outcome outcome = new Outcome(cells.get(1), cells.get(2), cells.get(3), done, timers);
    return Stream.of(cells.getFirst().split(" +", -1))
        .map(event -> new Line(state, event, outcome));
  }

  private static Map<String, Line> byKey(Stream<Line> lines) {
    return lines.collect(Collectors.toMap(Line::key, line -> line));
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
