package io.wayleave.test.ipam;

import io.wayleave.test.ipam.StressLog.Event;
import io.wayleave.test.ipam.StressLog.Kind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Compares what hosts were told with what the store holds in the end, and with what other hosts
 * were told meanwhile. An acknowledged allocation must be there until a release was sent, an
 * acknowledged release final, a refused allocation nowhere, an outcome that nobody knows is what
 * the store says, and no address may ever have been two hosts' at once. NOT thread safe.
 */
final class StressCheck {
  private final Map<String, List<String>> stored;
  private final List<String> violations = new ArrayList<>();
  private final Map<Kind, Integer> counts = new EnumMap<>(Kind.class);
  private final Map<String, Integer> refusals = new HashMap<>();
  // From being told of an address until asking for its release: certainly held.
  private final Map<String, List<Span>> spans = new HashMap<>();
  private int unknownAndThere;
  private int unknownAndNot;

  private record Span(long from, long to, String id) {}

  private StressCheck(Map<String, List<String>> stored) {
    this.stored = stored;
  }

  /**
   * Does the whole comparison.
   *
   * @param logs of every host
   */
  static StressCheck of(StoredAddresses store, List<List<Event>> logs) {
    StressCheck check = new StressCheck(store.handles());
    check.violations.addAll(store.violations());
    Map<String, List<Event>> byHandle = new LinkedHashMap<>();
    for (List<Event> log : logs) {
      for (Event event : log) {
        check.counts.merge(event.kind(), 1, Integer::sum);
        switch (event.kind()) {
          case CLAIMED, CLAIM_UNKNOWN -> {}
          case REFUSED -> {
            check.refusals.merge(String.join(" ", event.words()), 1, Integer::sum);
            byHandle.computeIfAbsent(event.id(), _ -> new ArrayList<>()).add(event);
          }
          case ALLOCATES,
              ALLOCATED,
              ALLOCATION_UNKNOWN,
              RELEASES,
              RELEASED,
              NOT_FOUND,
              RELEASE_UNKNOWN ->
              byHandle.computeIfAbsent(event.id(), _ -> new ArrayList<>()).add(event);
        }
      }
    }
    byHandle.forEach(check::checkHandle);
    for (String id : check.stored.keySet()) {
      if (!byHandle.containsKey(id)) {
        check.violations.add(id + " is in the store and nobody asked for it");
      }
    }
    check.checkSpans();
    return check;
  }

  private void checkHandle(String id, List<Event> events) {
    Optional<Event> given = Optional.empty();
    Optional<Event> asked = Optional.empty();
    boolean refused = false;
    boolean released = false;
    for (Event event : events) {
      switch (event.kind()) {
        case ALLOCATED -> {
          if (given.isPresent()) {
            violations.add(id + " was acknowledged twice");
          }
          given = Optional.of(event);
        }
        case REFUSED -> refused = true;
        case RELEASES -> asked = asked.isPresent() ? asked : Optional.of(event);
        case RELEASED -> released = true;
        case NOT_FOUND -> {
          // With an earlier release whose outcome nobody knows, it is that one's.
          if (given.isPresent() && !releaseWasUnknown(events, event)) {
            violations.add(id + " was given and is not found by its first release");
          }
          released |= given.isPresent();
        }
        case ALLOCATES, ALLOCATION_UNKNOWN, RELEASE_UNKNOWN, CLAIMED, CLAIM_UNKNOWN -> {}
      }
    }
    Optional<List<String>> there = Optional.ofNullable(stored.get(id));
    if (refused && there.isPresent()) {
      violations.add(id + " was refused, and the store has it with " + there.get());
    } else if (released && there.isPresent()) {
      violations.add(id + " was released, and the store has it with " + there.get());
    } else if (given.isPresent() && asked.isEmpty() && there.isEmpty()) {
      violations.add(id + " was given " + given.get().words() + ", and the store has it not");
    } else if (!refused && !released && (given.isEmpty() || asked.isPresent())) {
      if (there.isPresent()) {
        unknownAndThere++;
      } else {
        unknownAndNot++;
      }
    }
    if (given.isPresent() && there.isPresent() && !given.get().words().equals(there.get())) {
      violations.add(
          id + " was given " + given.get().words() + ", and the store has " + there.get());
    }
    if (given.isPresent()) {
      long to = there.isPresent() || asked.isEmpty() ? Long.MAX_VALUE : asked.get().nanos();
      for (String address : given.get().words()) {
        spans
            .computeIfAbsent(address, _ -> new ArrayList<>())
            .add(new Span(given.get().nanos(), to, id));
      }
    }
  }

  private static boolean releaseWasUnknown(List<Event> events, Event notFound) {
    return events.subList(0, events.indexOf(notFound)).stream()
            .filter(event -> event.kind() == Kind.RELEASES)
            .count()
        > 1;
  }

  private void checkSpans() {
    spans.forEach(
        (address, held) -> {
          held.sort(Comparator.comparingLong(Span::from));
          for (int i = 1; i < held.size(); i++) {
            Span before = held.get(i - 1);
            Span after = held.get(i);
            if (after.from() < before.to()) {
              violations.add(
                  address + " was " + before.id() + "'s and " + after.id() + "'s at once");
            }
          }
        });
  }

  /** What must not be, in words. */
  List<String> violations() {
    return violations;
  }

  int count(Kind kind) {
    return counts.getOrDefault(kind, 0);
  }

  /** Figures, for people. */
  @Override
  public String toString() {
    return "%d allocations acknowledged, %d refused %s, %d unknown; %d releases acknowledged, %d found nothing, %d unknown; %d claims and givings up, %d unknown; in the end %d outcomes known to nobody, of which %d had been done"
        .formatted(
            count(Kind.ALLOCATED),
            count(Kind.REFUSED),
            refusals,
            count(Kind.ALLOCATION_UNKNOWN),
            count(Kind.RELEASED),
            count(Kind.NOT_FOUND),
            count(Kind.RELEASE_UNKNOWN),
            count(Kind.CLAIMED),
            count(Kind.CLAIM_UNKNOWN),
            unknownAndThere + unknownAndNot,
            unknownAndThere);
  }
}
