package io.wayleave.bgp.fsm;

import io.wayleave.bgp.wire.BgpMessage.Notification;
import io.wayleave.bgp.wire.Iana;
import io.wayleave.bgp.wire.Notifications;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The state machine of RFC 4271 section 8.2.2 for one connection, as a pure function: state and
 * event give the next state and a list of actions. It does no I/O, keeps nothing, reads no clock.
 *
 * <p>A peer has one machine that dials (or waits), and a second one while a connection of the peer
 * comes in beside the first one's; {@link Collision} says which survives.
 *
 * <p>Where it departs from section 8.2.2, on purpose; {@code FsmTest} holds each line:
 *
 * <ul>
 *   <li>A dial that fails (18) leads from Connect to Active instead of Idle. Idle refuses
 *       connections, and the peer's own dial is what the session most likely comes from then.
 *   <li>A passive peer (4, 5) has no ConnectRetryTimer: the RFC would dial when it expires.
 *   <li>18 in Active stops the ConnectRetryTimer instead of restarting it: Idle follows, where it
 *       means nothing, and the IdleHoldTimer is what starts the session again. For the same reason
 *       18, 24 and 25 in Established are damped, which the RFC does not mention there.
 *   <li>A NOTIFICATION (25) in OpenSent is not answered by a NOTIFICATION (section 6.4 has no way
 *       to do so), it ends the connection.
 *   <li>24 (our version is refused) counts as a failure and is damped like 25: there is no other
 *       version to try at once (section 4.2), and what refuses 4 now will do so again.
 *   <li>ManualStop in a damped Idle ends the damping; the RFC ignores it there.
 *   <li>A malformed message in Established is answered by the NOTIFICATION of section 6 that names
 *       the fault, not by the FSM Error that section 8.2.2 has for events 21 and 22.
 *   <li>A second OPEN on one connection (19 in OpenConfirm and Established) is answered as an
 *       unexpected message (RFC 6608). The RFC looks for a collision, but an OPEN of another
 *       connection is another machine's event.
 *   <li>UPDATEs do not start the KeepaliveTimer again. A KEEPALIVE more than needed costs nothing;
 *       a timer started with each of many messages does.
 * </ul>
 *
 * <p>Optional events that do not exist here: 12 and 20, as there is no DelayOpen (it lets a speaker
 * that does not know its peer wait for the peer's OPEN, and ours knows each), and 14 and 15, as the
 * kernel's SYN is not seen: {@link io.wayleave.bgp.session} knows the peer of a connection before
 * the machine hears of it. Events 16 and 17 are one, 3 to 7 are event 1 under other settings.
 * CollisionDetectEstablishedState is off and DampPeerOscillations always on.
 */
public final class Fsm {
  /** RFC 4271 section 8.2.2, "a large value", 4 minutes suggested. */
  static final Duration LARGE_HOLD_TIME = Duration.ofMinutes(4);

  private static final Duration LEAST_SEND_HOLD = Duration.ofMinutes(8);

  private Fsm() {}

  /** The state of a session that nobody asked for yet. */
  public static State initial() {
    return new State.Idle(0, false);
  }

  /** The state in which a machine takes over a connection that was accepted beside another one. */
  public static State accepting() {
    return new State.Active(0);
  }

  /**
   * Answers one event.
   *
   * @param nowNanos the owner's monotonic time
   */
  public static Step step(FsmSettings settings, State state, Event event, long nowNanos) {
    return switch (state) {
      case State.Idle idle -> idle(settings, idle, event);
      case State.Connect connect -> connect(settings, connect, event);
      case State.Active active -> active(settings, active, event);
      case State.OpenSent openSent -> openSent(settings, openSent, event);
      case State.OpenConfirm openConfirm -> openConfirm(settings, openConfirm, event, nowNanos);
      case State.Established established -> established(settings, established, event, nowNanos);
    };
  }

  private static Step idle(FsmSettings settings, State.Idle idle, Event event) {
    return switch (event) {
      // A person's start does not wait for the damping.
      case Event.Start() -> begin(settings, 0, new Action.StopTimer(FsmTimer.IDLE_HOLD));
      case Event.IdleHoldExpired() ->
          idle.held() ? begin(settings, idle.failures()) : Step.to(idle);
      case Event.Stop(Notification _) ->
          idle.held()
              ? Step.to(new State.Idle(0, false), new Action.StopTimer(FsmTimer.IDLE_HOLD))
              : Step.to(idle);
      // "The ManualStop event (Event 2) and AutomaticStop (Event 8) event are ignored in the Idle
      // state"; ManualStop ends the damping here, or the session would come back.
      case Event.AutomaticStop(Notification _, Event.Comeback _) -> Step.to(idle);
      case Event.StopForRestart() ->
          Step.to(new State.Idle(0, false), new Action.StopTimer(FsmTimer.IDLE_HOLD));
      // "In this state, BGP FSM refuses all incoming BGP connections for this peer."
      case Event.TcpConnected() -> Step.to(idle, new Action.CloseConnection());
      case Event.ConnectRetryExpired() -> Step.to(idle);
      case Event.HoldExpired() -> Step.to(idle);
      case Event.SendHoldExpired() -> Step.to(idle);
      case Event.KeepaliveExpired() -> Step.to(idle);
      case Event.TcpFailed(String _) -> Step.to(idle);
      case Event.OpenReceived(Negotiated _) -> Step.to(idle);
      case Event.HeaderError(Notification _) -> Step.to(idle);
      case Event.OpenError(Notification _) -> Step.to(idle);
      case Event.CollisionDump() -> Step.to(idle);
      case Event.NotificationReceived(Notification _) -> Step.to(idle);
      case Event.KeepaliveReceived() -> Step.to(idle);
      case Event.UpdateReceived() -> Step.to(idle);
      case Event.UpdateError(Notification _) -> Step.to(idle);
      case Event.RouteRefreshReceived() -> Step.to(idle);
    };
  }

  private static Step begin(FsmSettings settings, int failures, Action... first) {
    List<Action> actions = new ArrayList<>(List.of(first));
    if (settings.passive()) {
      return new Step(new State.Active(failures), actions);
    }
    actions.add(connectRetry(settings));
    actions.add(new Action.Dial());
    return new Step(new State.Connect(failures), actions);
  }

  private static Step connect(FsmSettings settings, State.Connect connect, Event event) {
    return switch (event) {
      case Event.Start() -> Step.to(connect);
      case Event.Stop(Notification _) -> release(new State.Idle(0, false));
      case Event.StopForRestart() -> release(new State.Idle(0, false));
      case Event.ConnectRetryExpired() ->
          Step.to(connect, new Action.CloseConnection(), connectRetry(settings), new Action.Dial());
      case Event.TcpConnected() -> open(connect.failures());
      case Event.TcpFailed failed -> backToActive(settings, connect.failures(), failed);
      case Event.HeaderError(Notification _) -> giveUp(settings, connect, event);
      case Event.OpenError(Notification _) -> giveUp(settings, connect, event);
      case Event.NotificationReceived(Notification _) -> giveUp(settings, connect, event);
      // "In response to any other events": 8, 10, 11, 13, 19, 23, 26 to 29.
      case Event.HoldExpired() -> giveUp(settings, connect, event);
      case Event.AutomaticStop(Notification _, Event.Comeback _) ->
          giveUp(settings, connect, event);
      case Event.SendHoldExpired() -> giveUp(settings, connect, event);
      case Event.KeepaliveExpired() -> giveUp(settings, connect, event);
      case Event.IdleHoldExpired() -> giveUp(settings, connect, event);
      case Event.OpenReceived(Negotiated _) -> giveUp(settings, connect, event);
      case Event.CollisionDump() -> giveUp(settings, connect, event);
      case Event.KeepaliveReceived() -> giveUp(settings, connect, event);
      case Event.UpdateReceived() -> giveUp(settings, connect, event);
      case Event.UpdateError(Notification _) -> giveUp(settings, connect, event);
      case Event.RouteRefreshReceived() -> giveUp(settings, connect, event);
    };
  }

  private static Step active(FsmSettings settings, State.Active active, Event event) {
    return switch (event) {
      case Event.Start() -> Step.to(active);
      case Event.Stop(Notification _) -> release(new State.Idle(0, false));
      case Event.StopForRestart() -> release(new State.Idle(0, false));
      case Event.ConnectRetryExpired() ->
          settings.passive()
              ? Step.to(active)
              : Step.to(
                  new State.Connect(active.failures()), connectRetry(settings), new Action.Dial());
      case Event.TcpConnected() -> open(active.failures());
      case Event.TcpFailed(String _) -> giveUp(settings, active, event);
      case Event.HeaderError(Notification _) -> giveUp(settings, active, event);
      case Event.OpenError(Notification _) -> giveUp(settings, active, event);
      case Event.NotificationReceived(Notification _) -> giveUp(settings, active, event);
      // "In response to any other event": 8, 10, 11, 13, 19, 23, 26 to 29.
      case Event.HoldExpired() -> giveUp(settings, active, event);
      case Event.AutomaticStop(Notification _, Event.Comeback _) -> giveUp(settings, active, event);
      case Event.SendHoldExpired() -> giveUp(settings, active, event);
      case Event.KeepaliveExpired() -> giveUp(settings, active, event);
      case Event.IdleHoldExpired() -> giveUp(settings, active, event);
      case Event.OpenReceived(Negotiated _) -> giveUp(settings, active, event);
      case Event.CollisionDump() -> giveUp(settings, active, event);
      case Event.KeepaliveReceived() -> giveUp(settings, active, event);
      case Event.UpdateReceived() -> giveUp(settings, active, event);
      case Event.UpdateError(Notification _) -> giveUp(settings, active, event);
      case Event.RouteRefreshReceived() -> giveUp(settings, active, event);
    };
  }

  private static Step openSent(FsmSettings settings, State.OpenSent openSent, Event event) {
    return switch (event) {
      case Event.Start() -> Step.to(openSent);
      case Event.Stop(Notification cease) -> stop(openSent, cease);
      case Event.AutomaticStop stop -> automaticStop(settings, openSent, stop, 0);
      case Event.StopForRestart() -> stopForRestart(openSent);
      case Event.HoldExpired() -> refuse(settings, openSent, Notifications.holdTimerExpired(), 0);
      // A second connection is another machine's until its OPEN arrives.
      case Event.TcpConnected() -> Step.to(openSent);
      case Event.TcpFailed failed -> backToActive(settings, openSent.failures(), failed);
      case Event.OpenReceived(Negotiated negotiated) -> confirm(openSent, negotiated);
      case Event.HeaderError(Notification answer) -> refuse(settings, openSent, answer, 0);
      case Event.OpenError(Notification answer) -> refuse(settings, openSent, answer, 0);
      case Event.CollisionDump() -> refuse(settings, openSent, collision(), 0);
      case Event.NotificationReceived(Notification notification) ->
          fail(settings, openSent, new DownCause.NotificationReceived(notification), 0);
      // "In response to any other event": 9, 11, 13, 26 to 29; a message by RFC 6608.
      case Event.ConnectRetryExpired() -> refuse(settings, openSent, Notifications.fsmError(), 0);
      case Event.SendHoldExpired() -> refuse(settings, openSent, Notifications.fsmError(), 0);
      case Event.KeepaliveExpired() -> refuse(settings, openSent, Notifications.fsmError(), 0);
      case Event.IdleHoldExpired() -> refuse(settings, openSent, Notifications.fsmError(), 0);
      case Event.KeepaliveReceived() ->
          refuse(
              settings,
              openSent,
              unexpected(Iana.FSM_UNEXPECTED_IN_OPEN_SENT, Iana.MSG_KEEPALIVE),
              0);
      case Event.UpdateReceived() ->
          refuse(
              settings, openSent, unexpected(Iana.FSM_UNEXPECTED_IN_OPEN_SENT, Iana.MSG_UPDATE), 0);
      case Event.UpdateError(Notification _) ->
          refuse(
              settings, openSent, unexpected(Iana.FSM_UNEXPECTED_IN_OPEN_SENT, Iana.MSG_UPDATE), 0);
      case Event.RouteRefreshReceived() ->
          refuse(
              settings,
              openSent,
              unexpected(Iana.FSM_UNEXPECTED_IN_OPEN_SENT, Iana.MSG_ROUTE_REFRESH),
              0);
    };
  }

  private static Step openConfirm(
      FsmSettings settings, State.OpenConfirm confirm, Event event, long nowNanos) {
    return switch (event) {
      case Event.Start() -> Step.to(confirm);
      case Event.Stop(Notification cease) -> stop(confirm, cease);
      case Event.AutomaticStop stop -> automaticStop(settings, confirm, stop, nowNanos);
      case Event.StopForRestart() -> stopForRestart(confirm);
      case Event.HoldExpired() ->
          refuse(settings, confirm, Notifications.holdTimerExpired(), nowNanos);
      case Event.KeepaliveExpired() -> keepalive(confirm, confirm.negotiated());
      case Event.TcpConnected() -> Step.to(confirm);
      case Event.TcpFailed(String reason) ->
          fail(settings, confirm, new DownCause.TcpLost(reason), nowNanos);
      case Event.NotificationReceived(Notification notification) ->
          fail(settings, confirm, new DownCause.NotificationReceived(notification), nowNanos);
      case Event.HeaderError(Notification answer) -> refuse(settings, confirm, answer, nowNanos);
      case Event.OpenError(Notification answer) -> refuse(settings, confirm, answer, nowNanos);
      case Event.CollisionDump() -> refuse(settings, confirm, collision(), nowNanos);
      case Event.KeepaliveReceived() -> establish(settings, confirm, nowNanos);
      // A second OPEN on one connection, and "any other event": 9, 13, 27 to 29.
      case Event.OpenReceived(Negotiated _) ->
          refuse(
              settings,
              confirm,
              unexpected(Iana.FSM_UNEXPECTED_IN_OPEN_CONFIRM, Iana.MSG_OPEN),
              nowNanos);
      case Event.ConnectRetryExpired() ->
          refuse(settings, confirm, Notifications.fsmError(), nowNanos);
      case Event.IdleHoldExpired() -> refuse(settings, confirm, Notifications.fsmError(), nowNanos);
      case Event.SendHoldExpired() -> refuse(settings, confirm, Notifications.fsmError(), nowNanos);
      case Event.UpdateReceived() ->
          refuse(
              settings,
              confirm,
              unexpected(Iana.FSM_UNEXPECTED_IN_OPEN_CONFIRM, Iana.MSG_UPDATE),
              nowNanos);
      case Event.UpdateError(Notification _) ->
          refuse(
              settings,
              confirm,
              unexpected(Iana.FSM_UNEXPECTED_IN_OPEN_CONFIRM, Iana.MSG_UPDATE),
              nowNanos);
      case Event.RouteRefreshReceived() ->
          refuse(
              settings,
              confirm,
              unexpected(Iana.FSM_UNEXPECTED_IN_OPEN_CONFIRM, Iana.MSG_ROUTE_REFRESH),
              nowNanos);
    };
  }

  private static Step established(
      FsmSettings settings, State.Established up, Event event, long nowNanos) {
    return switch (event) {
      case Event.Start() -> Step.to(up);
      case Event.Stop(Notification cease) -> stop(up, cease);
      case Event.AutomaticStop stop -> automaticStop(settings, up, stop, nowNanos);
      case Event.StopForRestart() -> stopForRestart(up);
      case Event.HoldExpired() -> refuse(settings, up, Notifications.holdTimerExpired(), nowNanos);
      case Event.SendHoldExpired() ->
          refuse(settings, up, Notifications.sendHoldTimerExpired(), nowNanos);
      case Event.KeepaliveExpired() -> keepalive(up, up.negotiated());
      // CollisionDetectEstablishedState is off: the second connection is the one that goes.
      case Event.TcpConnected() -> Step.to(up);
      case Event.TcpFailed(String reason) ->
          fail(settings, up, new DownCause.TcpLost(reason), nowNanos);
      case Event.NotificationReceived(Notification notification) ->
          fail(settings, up, new DownCause.NotificationReceived(notification), nowNanos);
      case Event.KeepaliveReceived() -> heard(up, up.negotiated());
      case Event.UpdateReceived() -> heard(up, up.negotiated());
      case Event.RouteRefreshReceived() -> heard(up, up.negotiated());
      case Event.UpdateError(Notification answer) -> refuse(settings, up, answer, nowNanos);
      case Event.HeaderError(Notification answer) -> refuse(settings, up, answer, nowNanos);
      case Event.OpenError(Notification answer) -> refuse(settings, up, answer, nowNanos);
      case Event.CollisionDump() -> refuse(settings, up, collision(), nowNanos);
      // "In response to any other event": 9, 13, and an OPEN.
      case Event.OpenReceived(Negotiated _) ->
          refuse(
              settings,
              up,
              unexpected(Iana.FSM_UNEXPECTED_IN_ESTABLISHED, Iana.MSG_OPEN),
              nowNanos);
      case Event.ConnectRetryExpired() -> refuse(settings, up, Notifications.fsmError(), nowNanos);
      case Event.IdleHoldExpired() -> refuse(settings, up, Notifications.fsmError(), nowNanos);
    };
  }

  /** The TCP connection is there: OPEN goes out and the peer's is awaited. */
  private static Step open(int failures) {
    return Step.to(
        new State.OpenSent(failures),
        new Action.StopTimer(FsmTimer.CONNECT_RETRY),
        new Action.SendOpen(),
        new Action.StartTimer(FsmTimer.HOLD, LARGE_HOLD_TIME));
  }

  private static Step backToActive(FsmSettings settings, int failures, Event.TcpFailed failed) {
    List<Action> actions = new ArrayList<>();
    actions.add(new Action.CloseConnection());
    actions.add(new Action.StopTimer(FsmTimer.HOLD));
    if (!settings.passive()) {
      actions.add(connectRetry(settings));
    }
    actions.add(new Action.AttemptFailed(new DownCause.TcpLost(failed.reason())));
    return new Step(new State.Active(failures), actions);
  }

  private static Step confirm(State.OpenSent openSent, Negotiated negotiated) {
    List<Action> actions = new ArrayList<>();
    actions.add(new Action.StopTimer(FsmTimer.CONNECT_RETRY));
    actions.add(new Action.SendKeepalive());
    if (negotiated.holdTime().isZero()) {
      // Section 4.2: no KEEPALIVEs and no HoldTimer when the negotiated value is zero.
      actions.add(new Action.StopTimer(FsmTimer.HOLD));
    } else {
      actions.add(new Action.StartTimer(FsmTimer.KEEPALIVE, negotiated.keepaliveInterval()));
      actions.add(new Action.StartTimer(FsmTimer.HOLD, negotiated.holdTime()));
    }
    return new Step(new State.OpenConfirm(openSent.failures(), negotiated), actions);
  }

  /** RFC 9687 section 6: the greater of 8 minutes and twice the hold time, where not configured. */
  private static Duration sendHold(FsmSettings settings, Negotiated negotiated) {
    Duration twice = negotiated.holdTime().multipliedBy(2);
    Duration usual = twice.compareTo(LEAST_SEND_HOLD) > 0 ? twice : LEAST_SEND_HOLD;
    return settings.timers().sendHold().orElse(usual);
  }

  private static Step establish(FsmSettings settings, State.OpenConfirm confirm, long nowNanos) {
    Negotiated negotiated = confirm.negotiated();
    List<Action> actions = new ArrayList<>();
    if (!negotiated.holdTime().isZero()) {
      actions.add(new Action.StartTimer(FsmTimer.HOLD, negotiated.holdTime()));
      // RFC 9687 section 4.3: not before, and not where both sides gave up to watch each other.
      actions.add(new Action.StartTimer(FsmTimer.SEND_HOLD, sendHold(settings, negotiated)));
    }
    actions.add(new Action.SessionUp(negotiated));
    return new Step(new State.Established(confirm.failures(), negotiated, nowNanos), actions);
  }

  private static Step keepalive(State state, Negotiated negotiated) {
    return negotiated.holdTime().isZero()
        ? Step.to(state)
        : Step.to(
            state,
            new Action.SendKeepalive(),
            new Action.StartTimer(FsmTimer.KEEPALIVE, negotiated.keepaliveInterval()));
  }

  /** Any message of an established peer starts its HoldTimer again, unless that is off. */
  private static Step heard(State.Established up, Negotiated negotiated) {
    return negotiated.holdTime().isZero()
        ? Step.to(up)
        : Step.to(up, new Action.StartTimer(FsmTimer.HOLD, negotiated.holdTime()));
  }

  private static Step stop(State state, Notification cease) {
    Notification last = lastWords(state, cease);
    return end(
        state,
        new State.Idle(0, false),
        List.of(new Action.SendNotification(last)),
        new DownCause.NotificationSent(last),
        List.of());
  }

  private static Step automaticStop(
      FsmSettings settings, State state, Event.AutomaticStop stop, long nowNanos) {
    Notification last = lastWords(state, stop.cease());
    State.Idle damped = held(settings, state, nowNanos);
    State.Idle next =
        switch (stop.comeback()) {
          case Event.Comeback.Damped() -> damped;
          case Event.Comeback.After(Duration _) -> damped;
          case Event.Comeback.Never() -> new State.Idle(damped.failures(), false);
        };
    List<Action> comeback =
        switch (stop.comeback()) {
          case Event.Comeback.Damped() -> List.of(idleHold(settings, damped));
          case Event.Comeback.After(Duration wait) ->
              List.of(new Action.StartTimer(FsmTimer.IDLE_HOLD, wait));
          case Event.Comeback.Never() -> List.of();
        };
    return end(
        state,
        next,
        List.of(new Action.SendNotification(last)),
        new DownCause.NotificationSent(last),
        comeback);
  }

  /** RFC 8538 section 3: what ends a session for good must say so where it would be graceful. */
  private static Notification lastWords(State state, Notification cease) {
    return state instanceof State.Established up
            && up.negotiated().gracefulNotification()
            && Notifications.isFinal(cease)
            && !Notifications.isHardReset(cease)
        ? Notifications.hardReset(cease)
        : cease;
  }

  private static Step stopForRestart(State state) {
    return end(state, new State.Idle(0, false), List.of(), new DownCause.LocalRestart(), List.of());
  }

  /** Says what is wrong, and closes. */
  private static Step refuse(
      FsmSettings settings, State state, Notification answer, long nowNanos) {
    State.Idle next = held(settings, state, nowNanos);
    return end(
        state,
        next,
        List.of(new Action.SendNotification(answer)),
        new DownCause.NotificationSent(answer),
        List.of(idleHold(settings, next)));
  }

  /** Closes without a word: the peer is gone or knows. */
  private static Step fail(FsmSettings settings, State state, DownCause cause, long nowNanos) {
    State.Idle next = held(settings, state, nowNanos);
    return end(state, next, List.of(), cause, List.of(idleHold(settings, next)));
  }

  /** An event without meaning in Connect or Active, where there is no connection to answer on. */
  private static Step giveUp(FsmSettings settings, State state, Event event) {
    return fail(settings, state, new DownCause.Unexpected(state, event), 0);
  }

  private static Step release(State.Idle next) {
    return Step.to(
        next, new Action.CloseConnection(), new Action.StopTimer(FsmTimer.CONNECT_RETRY));
  }

  private static Step end(
      State state, State.Idle next, List<Action> first, DownCause cause, List<Action> last) {
    List<Action> actions = new ArrayList<>(first);
    actions.add(new Action.CloseConnection());
    actions.add(new Action.StopTimer(FsmTimer.CONNECT_RETRY));
    actions.add(new Action.StopTimer(FsmTimer.HOLD));
    actions.add(new Action.StopTimer(FsmTimer.KEEPALIVE));
    actions.add(new Action.StopTimer(FsmTimer.SEND_HOLD));
    actions.add(
        state instanceof State.Established
            ? new Action.SessionDown(cause)
            : new Action.AttemptFailed(cause));
    actions.addAll(last);
    return new Step(next, actions);
  }

  /** Idle after a failure. A session that lasted counts the failures from the start again. */
  private static State.Idle held(FsmSettings settings, State state, long nowNanos) {
    boolean lasted =
        state instanceof State.Established up
            && nowNanos - up.sinceNanos() >= settings.timers().idleHoldMax().toNanos();
    return new State.Idle(lasted ? 1 : state.failures() + 1, true);
  }

  private static Action idleHold(FsmSettings settings, State.Idle idle) {
    long first = settings.timers().idleHold().toNanos();
    long max = settings.timers().idleHoldMax().toNanos();
    int doublings = Math.min(idle.failures() - 1, 30);
    long wait = first > max >> doublings ? max : first << doublings;
    return new Action.StartTimer(FsmTimer.IDLE_HOLD, Duration.ofNanos(wait));
  }

  private static Action connectRetry(FsmSettings settings) {
    return new Action.StartTimer(FsmTimer.CONNECT_RETRY, settings.timers().connectRetry());
  }

  /** RFC 6608: a message that the state does not allow. */
  private static Notification unexpected(int subcode, int messageType) {
    return Notifications.unexpectedMessage(subcode, messageType);
  }

  private static Notification collision() {
    return Notifications.cease(Iana.CEASE_CONNECTION_COLLISION);
  }
}
