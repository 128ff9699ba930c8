package io.wayleave.bgp.unnumbered;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.IpAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is done on one interface: advertises this host (RFC 4861 section 6.2), asks for the other
 * one, and keeps who it is. A link has one neighbour: while it is believed to be there, others are
 * not heard. Without I/O and without a clock; NOT thread safe.
 */
final class LinkDiscovery {
  private static final Logger log = LoggerFactory.getLogger(LinkDiscovery.class);

  /** As FRR has it for unnumbered peers; RFC 4861 section 6.2.1 allows 4 seconds and more. */
  static final Duration LONGEST_INTERVAL = Duration.ofSeconds(10);

  static final Duration SHORTEST_INTERVAL = Duration.ofSeconds(5);

  // RFC 4861 section 10.
  private static final int INITIAL_ADVERTISEMENTS = 3;
  private static final Duration BETWEEN_ADVERTISEMENTS = Duration.ofSeconds(3);
  private static final Duration LONGEST_ANSWER_DELAY = Duration.ofMillis(500);
  private static final int SOLICITATIONS = 3;
  private static final Duration BETWEEN_SOLICITATIONS = Duration.ofSeconds(4);

  /** Until the interface's own address is usable, which takes a second or two. */
  private static final Duration RETRY = Duration.ofMillis(500);

  /** What the interface can do. Sending returns false when it was not possible now. */
  interface Outlet {
    boolean advertise(int interfaceIndex, Optional<IpAddress> to);

    boolean solicit(int interfaceIndex);

    void found(LinkNeighbour neighbour);

    void silent(LinkNeighbour neighbour);

    void lost(LinkNeighbour neighbour, String reason);
  }

  private record Answer(IpAddress to, long at) {}

  private record Heard(LinkNeighbour neighbour, long until) {}

  private final String name;
  private final Outlet outlet;
  private final RandomGenerator random;
  private Optional<Integer> index = Optional.empty();
  private Optional<Heard> heard = Optional.empty();
  // Fell silent, and nobody was heard in its place.
  private Optional<LinkNeighbour> silent = Optional.empty();
  private OptionalLong advertiseAt = OptionalLong.empty();
  private int initialLeft;
  private OptionalLong solicitAt = OptionalLong.empty();
  private int solicitationsLeft;
  private Optional<Answer> answer = Optional.empty();
  private Optional<IpAddress> ignored = Optional.empty();

  LinkDiscovery(String name, Outlet outlet, RandomGenerator random) {
    this.name = requireNonNull(name, "name is null");
    this.outlet = requireNonNull(outlet, "outlet is null");
    this.random = requireNonNull(random, "random is null");
  }

  /** The interface can pass packets. Under another index than before it is another one. */
  void usable(int interfaceIndex, long now) {
    if (index.isPresent() && index.get() == interfaceIndex) {
      return;
    }
    unusable("interface replaced");
    index = Optional.of(interfaceIndex);
    initialLeft = INITIAL_ADVERTISEMENTS;
    advertiseAt = OptionalLong.of(now);
    solicitationsLeft = SOLICITATIONS;
    solicitAt = OptionalLong.of(now);
  }

  void unusable(String reason) {
    index = Optional.empty();
    advertiseAt = OptionalLong.empty();
    solicitAt = OptionalLong.empty();
    answer = Optional.empty();
    lose(reason);
  }

  void advertised(IpAddress from, Duration validity, long now) {
    if (index.isEmpty()) {
      return;
    }
    LinkNeighbour neighbour = new LinkNeighbour(name, index.get(), from);
    if (heard.isPresent() && !heard.get().neighbour().equals(neighbour)) {
      if (!ignored.equals(Optional.of(from))) {
        ignored = Optional.of(from);
        log.warn(
            "second router on a link ignored interface={} router={} kept={}",
            name,
            from,
            heard.get().neighbour().address());
      }
      return;
    }
    boolean fresh = heard.isEmpty();
    heard = Optional.of(new Heard(neighbour, now + validity.toNanos()));
    if (fresh) {
      solicitAt = OptionalLong.empty();
      silent = Optional.empty();
      outlet.found(neighbour);
    }
  }

  /** RFC 4861 section 6.2.6: answered to the asker alone, which needs no wait for the others. */
  void solicited(IpAddress from, long now) {
    if (index.isEmpty() || answer.isPresent() || from.isUnspecified()) {
      return;
    }
    answer = Optional.of(new Answer(from, now + random.nextLong(LONGEST_ANSWER_DELAY.toNanos())));
  }

  void time(long now) {
    if (heard.isPresent() && now - heard.get().until() >= 0) {
      LinkNeighbour former = heard.get().neighbour();
      heard = Optional.empty();
      ignored = Optional.empty();
      silent = Optional.of(former);
      outlet.silent(former);
    }
    if (due(advertiseAt, now)) {
      advertise(now);
    }
    if (answer.isPresent() && now - answer.get().at() >= 0) {
      outlet.advertise(index.orElseThrow(), Optional.of(answer.get().to()));
      answer = Optional.empty();
    }
    if (due(solicitAt, now)) {
      solicit(now);
    }
  }

  private void advertise(long now) {
    if (!outlet.advertise(index.orElseThrow(), Optional.empty())) {
      advertiseAt = OptionalLong.of(now + RETRY.toNanos());
      return;
    }
    if (initialLeft > 1) {
      initialLeft--;
      advertiseAt = OptionalLong.of(now + BETWEEN_ADVERTISEMENTS.toNanos());
      return;
    }
    advertiseAt =
        OptionalLong.of(
            now + random.nextLong(SHORTEST_INTERVAL.toNanos(), LONGEST_INTERVAL.toNanos()));
  }

  private void solicit(long now) {
    if (!outlet.solicit(index.orElseThrow())) {
      solicitAt = OptionalLong.of(now + RETRY.toNanos());
      return;
    }
    solicitationsLeft--;
    solicitAt =
        solicitationsLeft == 0
            ? OptionalLong.empty()
            : OptionalLong.of(now + BETWEEN_SOLICITATIONS.toNanos());
  }

  /** When {@link #time} is to be called. */
  OptionalLong wakeAt() {
    OptionalLong next = earlier(advertiseAt, solicitAt);
    if (answer.isPresent()) {
      next = earlier(next, OptionalLong.of(answer.get().at()));
    }
    if (heard.isPresent()) {
      next = earlier(next, OptionalLong.of(heard.get().until()));
    }
    return next;
  }

  Optional<LinkNeighbour> neighbour() {
    return heard.map(Heard::neighbour);
  }

  Optional<Integer> index() {
    return index;
  }

  private void lose(String reason) {
    ignored = Optional.empty();
    Optional<LinkNeighbour> gone = heard.map(Heard::neighbour).or(() -> silent);
    heard = Optional.empty();
    silent = Optional.empty();
    gone.ifPresent(former -> outlet.lost(former, reason));
  }

  private static boolean due(OptionalLong at, long now) {
    return at.isPresent() && now - at.getAsLong() >= 0;
  }

  static OptionalLong earlier(OptionalLong a, OptionalLong b) {
    if (a.isEmpty() || b.isEmpty()) {
      return a.isEmpty() ? b : a;
    }
    return a.getAsLong() - b.getAsLong() <= 0 ? a : b;
  }
}
