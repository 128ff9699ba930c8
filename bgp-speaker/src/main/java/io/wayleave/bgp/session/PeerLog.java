package io.wayleave.bgp.session;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.PeerStatus;
import io.wayleave.bgp.fsm.DownCause;
import io.wayleave.bgp.fsm.Phase;
import io.wayleave.bgp.wire.BgpMessage;
import io.wayleave.bgp.wire.NotificationText;
import java.time.Instant;
import java.util.Optional;

/** What happened with a peer, for people: counters and last words. Owned by the loop thread. */
final class PeerLog {
  private final Loop loop;
  private Instant since;
  private Optional<PeerStatus.Event> lastError = Optional.empty();
  private Optional<PeerStatus.Event> lastNotificationSent = Optional.empty();
  private Optional<PeerStatus.Event> lastNotificationReceived = Optional.empty();
  // What the decoder or the OPEN check found, which the NOTIFICATION after it says less well.
  private Optional<String> fault = Optional.empty();
  // Since the session was up; empty for none.
  private String lastFailure = "";
  private final MessageCount received = new MessageCount();
  private final MessageCount sent = new MessageCount();
  private long established;

  PeerLog(Loop loop) {
    this.loop = requireNonNull(loop, "loop is null");
    since = loop.wallClock();
  }

  void entered() {
    since = loop.wallClock();
  }

  void up() {
    established++;
    lastFailure = "";
    fault = Optional.empty();
  }

  void received(BgpMessage message) {
    received.add(message, 1);
    if (message instanceof BgpMessage.Notification notification) {
      lastNotificationReceived = Optional.of(event(NotificationText.of(notification)));
    }
  }

  void sent(BgpMessage message, int count) {
    sent.add(message, count);
    if (message instanceof BgpMessage.Notification notification) {
      lastNotificationSent = Optional.of(event(NotificationText.of(notification)));
    }
  }

  void sentUpdates(int count) {
    sent.updates(count);
  }

  void fault(String text) {
    fault = Optional.of(text);
    lastError = Optional.of(event(text));
  }

  /**
   * A session or an attempt ended.
   *
   * @return whether this is news: a peer that is away is dialled every few seconds
   */
  boolean failed(DownCause cause) {
    String text = fault.map(found -> found + "; ").orElse("") + cause.describe();
    fault = Optional.empty();
    boolean same = text.equals(lastFailure);
    lastFailure = text;
    lastError = Optional.of(event(text));
    return !same;
  }

  Instant since() {
    return since;
  }

  /** Why there is no session, in a phase that is not Established. */
  String whyDown(Phase phase) {
    return lastError
        .map(PeerStatus.Event::text)
        .orElse(
            switch (phase) {
              case IDLE -> "stopped";
              case CONNECT -> "connecting";
              case ACTIVE -> "waiting for the peer to connect";
              case OPEN_SENT, OPEN_CONFIRM, ESTABLISHED -> "exchanging OPEN";
            });
  }

  Optional<PeerStatus.Event> lastError() {
    return lastError;
  }

  Optional<PeerStatus.Event> lastNotificationSent() {
    return lastNotificationSent;
  }

  Optional<PeerStatus.Event> lastNotificationReceived() {
    return lastNotificationReceived;
  }

  PeerStatus.Counters counters() {
    return new PeerStatus.Counters(received.total(), sent.total(), established);
  }

  private PeerStatus.Event event(String text) {
    return new PeerStatus.Event(loop.wallClock(), text);
  }
}
