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
  private final String peer;
  private Instant since;
  private Optional<PeerStatus.Event> lastError = Optional.empty();
  private Optional<PeerStatus.Event> lastNotificationSent = Optional.empty();
  private Optional<PeerStatus.Event> lastNotificationReceived = Optional.empty();
  private final LineLimit lines;
  private long linesLeftOut;
  private long faults;
  // What the decoder or the OPEN check found, which the NOTIFICATION after it says less well.
  private Optional<String> fault = Optional.empty();
  // What the last session ended by; empty while it is up.
  private Optional<String> ending = Optional.empty();
  // As last written, since the session was up; empty for none.
  private String lastFailure = "";
  private final MessageCount received = new MessageCount();
  private final MessageCount sent = new MessageCount();
  private long established;

  /**
   * @param peer the peer's name, as others may have the same limit
   * @param lines how much of what the peer makes us say goes into the log
   */
  PeerLog(Loop loop, String peer, LineLimit lines) {
    this.loop = requireNonNull(loop, "loop is null");
    this.peer = requireNonNull(peer, "peer is null");
    this.lines = requireNonNull(lines, "lines is null");
    since = loop.wallClock();
  }

  void entered() {
    since = loop.wallClock();
  }

  void up() {
    established++;
    lastFailure = "";
    fault = Optional.empty();
    ending = Optional.empty();
  }

  /** The session that was up ended. */
  void down(DownCause cause) {
    lastFailure = ended(cause);
    ending = lastError.map(PeerStatus.Event::text);
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

  /**
   * A line that the peer can have us write as often as it likes, with a text that it may choose.
   *
   * @return whether it may be written now
   */
  boolean admits(String line) {
    return counted(lines.admits(peer + ": " + line));
  }

  /**
   * One of few lines of ours, whose text no peer chooses; faults of the peer do not keep it out.
   *
   * @return whether it may be written now
   */
  boolean admitsOwn(String line) {
    return counted(lines.admitsOwn(peer + ": " + line));
  }

  private boolean counted(boolean admitted) {
    if (!admitted) {
      linesLeftOut++;
    }
    return admitted;
  }

  /** A fault that ends the connection. */
  void fault(String text) {
    fault = Optional.of(text);
    complaint(text);
  }

  /** A fault that the session survives. */
  void complaint(String text) {
    faults++;
    lastError = Optional.of(event(text));
  }

  /**
   * An attempt failed.
   *
   * @return whether to write it: a peer that is away is dialled every few seconds, and one that
   *     connects may fail as often as it likes
   */
  boolean failed(DownCause cause) {
    String text = ended(cause);
    if (text.equals(lastFailure) || !admits("attempt failed " + text)) {
      return false;
    }
    lastFailure = text;
    return true;
  }

  private String ended(DownCause cause) {
    String text = fault.map(found -> found + "; ").orElse("") + cause.describe();
    fault = Optional.empty();
    lastError = Optional.of(event(text));
    return text;
  }

  Instant since() {
    return since;
  }

  /**
   * Why there is no session, in a phase that is not Established: what the last one ended by, such
   * as the other operator's message, and what became of the attempts since.
   */
  String whyDown(Phase phase) {
    Optional<String> last = lastError.map(PeerStatus.Event::text);
    return ending
        .filter(end -> !last.equals(Optional.of(end)))
        .map(end -> end + last.map(text -> "; since then: " + text).orElse(""))
        .or(() -> last)
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
    return new PeerStatus.Counters(
        received.total(), sent.total(), established, faults, linesLeftOut);
  }

  private PeerStatus.Event event(String text) {
    return new PeerStatus.Event(loop.wallClock(), text);
  }
}
