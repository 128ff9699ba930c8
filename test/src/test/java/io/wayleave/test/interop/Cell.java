package io.wayleave.test.interop;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.test.lab.Await;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * One daemon against our speaker on a link of their own. What is asked of the one is asked of the
 * other, and both must say the same. Used by one thread.
 */
final class Cell implements AutoCloseable {
  static final Duration WAIT = Duration.ofSeconds(30);
  private static final Duration PAUSE = Duration.ofMillis(200);

  private final DaemonKind kind;
  private final Link link = new Link();
  private final Wayleave ours;
  private final Speaker theirs;
  private final List<Bird> sources = new ArrayList<>();
  private Setup ourSetup = Setup.of(Side.OURS, false, 65001, 65002);
  private Setup theirSetup = Setup.of(Side.THEIRS, false, 65002, 65001);

  Cell(DaemonKind kind) {
    this.kind = kind;
    ours = new Wayleave(link, Side.OURS);
    theirs = kind.make(link);
  }

  DaemonKind kind() {
    return kind;
  }

  Link link() {
    return link;
  }

  Wayleave ours() {
    return ours;
  }

  Speaker theirs() {
    return theirs;
  }

  /** Starts both: theirs first, since it is the quicker. */
  void start(Setup our, Setup their) {
    ourSetup = our;
    theirSetup = their;
    theirs.start(their);
    ours.start(our);
  }

  /** Starts theirs again. */
  void restartTheirs(Setup their) {
    theirSetup = their;
    theirs.start(their);
  }

  /** Starts ours again. */
  void restartOurs(Setup our) {
    ourSetup = our;
    ours.start(our);
  }

  /**
   * Starts a third speaker, a BIRD beside the one on that side, that announces to the one on the
   * other side.
   */
  Bird source(Setup setup) {
    var _ = link.ip(setup.at(), "address", "add", setup.address() + "/24", "dev", Link.INTERFACE);
    Bird source = new Bird(link, setup.at(), "source" + sources.size());
    sources.add(source);
    source.start(setup);
    return source;
  }

  /** Waits for the session, and for both to name the other's AS. */
  void establish() {
    until(
        "both say that the session is up",
        () -> ours.session().established() && theirs.session().established());
    assertThat(ours.session().peerAsn()).as("ours names their AS").isEqualTo(theirSetup.asn());
    assertThat(theirs.session().peerAsn()).as("theirs names our AS").isEqualTo(ourSetup.asn());
  }

  void startAndEstablish(Setup our, Setup their) {
    start(our, their);
    establish();
  }

  /**
   * What each announces arrives at the other as it must, with every attribute: what ours shows as
   * sent is what theirs shows as received, and the reverse.
   */
  void exchange() {
    Set<Route> fromOurs = expected(ourSetup);
    Set<Route> fromTheirs = expected(theirSetup);
    untilEqual("theirs received", fromOurs, () -> comparable(theirs.received()));
    untilEqual("ours received", fromTheirs, () -> comparable(notOurOwn(ours.received())));
    untilEqual("ours sent", fromOurs, () -> comparable(ours.sent()));
    untilEqual(
        "theirs sent", map(fromTheirs, Route::payload), () -> map(theirs.sent(), Route::payload));
  }

  /** As the other side must see them. */
  static Set<Route> expected(Setup from) {
    Set<Route> routes = new TreeSet<>();
    for (Route route : from.announced()) {
      Route told = route.nextHop(route.ipv6() ? from.at().ipv6() : from.at().ipv4());
      routes.add(
          from.internal()
              ? told.localPref(Optional.of(100L))
              : told.asPath(Long.toString(from.asn())));
    }
    return routes;
  }

  Set<Route> comparable(Set<Route> routes) {
    return ourSetup.internal() ? routes : map(routes, Route::external);
  }

  /** FRR tells our own routes back to us; that our AS is in their path makes them unusable. */
  Set<Route> notOurOwn(Set<Route> routes) {
    Set<Route> others = new TreeSet<>(routes);
    String own = Long.toString(ourSetup.asn());
    others.removeIf(route -> List.of(route.asPath().split(" ", -1)).contains(own));
    return others;
  }

  static Set<Route> map(Set<Route> routes, UnaryOperator<Route> change) {
    Set<Route> changed = new TreeSet<>();
    routes.forEach(route -> changed.add(change.apply(route)));
    return changed;
  }

  /** Both offered it, and each says that it heard so of the other. */
  void negotiated(Capability capability) {
    until(
        "both heard of " + capability,
        () ->
            ours.session().heard().contains(capability)
                && theirs.session().heard().contains(capability));
  }

  /** Ours offered it and theirs, which shows that it heard so, did not. */
  void notOffered(Capability capability) {
    assertThat(theirs.session().offered()).as("theirs offers").doesNotContain(capability);
    assertThat(ours.session().heard()).as("ours heard").doesNotContain(capability);
  }

  /** Waits for it. Asks seldom, because to ask most daemons is to start a program. */
  void until(String what, BooleanSupplier condition) {
    until(what, condition, this::evidence);
  }

  void untilEqual(String what, Set<Route> expected, Supplier<Set<Route>> actual) {
    until(
        what + " " + expected,
        () -> actual.get().equals(expected),
        () -> actual.get() + "\n" + evidence());
  }

  private static void until(String what, BooleanSupplier condition, Supplier<String> evidence) {
    long end = System.nanoTime() + WAIT.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - end >= 0) {
        throw new AssertionError(
            what + ": not within " + WAIT.toSeconds() + " s. Found: " + evidence.get());
      }
      LockSupport.parkNanos(PAUSE.toNanos());
    }
  }

  /** The condition holds all the time; for what must not happen. */
  void always(String what, Duration time, BooleanSupplier condition) {
    boolean broken = Await.holds(time, () -> !condition.getAsBoolean());
    assertThat(broken).as("not always %s\n%s", what, broken ? evidence() : "").isFalse();
  }

  /** One of the reasons has all of these words, in upper or lower case. */
  static boolean says(SessionFacts session, String... words) {
    return session.reasons().stream()
        .map(reason -> reason.toLowerCase(Locale.ROOT))
        .anyMatch(
            reason -> {
              for (String word : words) {
                if (!reason.contains(word.toLowerCase(Locale.ROOT))) {
                  return false;
                }
              }
              return true;
            });
  }

  String evidence() {
    return "\n--- ours\n" + ours.evidence() + "\n--- theirs\n" + theirs.evidence();
  }

  @Override
  public void close() {
    sources.forEach(Bird::close);
    try {
      ours.close();
    } finally {
      try {
        theirs.close();
      } finally {
        link.close();
      }
    }
  }
}
