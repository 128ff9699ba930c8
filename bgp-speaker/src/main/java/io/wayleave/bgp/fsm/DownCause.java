package io.wayleave.bgp.fsm;

import io.wayleave.bgp.wire.BgpMessage.Notification;
import io.wayleave.bgp.wire.NotificationText;

/** Why a connection ended. Whether routes are kept depends on it. */
public sealed interface DownCause {
  /** In words, for people. */
  String describe();

  /** The connection went away and no NOTIFICATION was seen. */
  record TcpLost(String reason) implements DownCause {
    @Override
    public String describe() {
      return "connection lost: " + reason;
    }
  }

  record NotificationReceived(Notification notification) implements DownCause {
    @Override
    public String describe() {
      return "received NOTIFICATION " + NotificationText.of(notification);
    }
  }

  record NotificationSent(Notification notification) implements DownCause {
    @Override
    public String describe() {
      return "sent NOTIFICATION " + NotificationText.of(notification);
    }
  }

  /** Our side closed without a word, to come back (RFC 4724). */
  record LocalRestart() implements DownCause {
    @Override
    public String describe() {
      return "closed for a restart of this speaker";
    }
  }

  /** The machine saw an event that its state does not know and had nobody to tell it to. */
  record Unexpected(State state, Event event) implements DownCause {
    @Override
    public String describe() {
      return event.getClass().getSimpleName() + " in state " + state.phase();
    }
  }
}
