package io.wayleave.policy.calc;

import io.wayleave.model.Family;
import io.wayleave.model.PortName;
import io.wayleave.model.Protocol;
import io.wayleave.model.policy.Subject;
import io.wayleave.model.policy.SubjectSelector;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The sets that active rules refer to, with the addresses and ports of the subjects that each
 * chooses. Users of one set share it. Nobody is told before {@link #tellAdditions}, so a set that
 * is released and used again meanwhile stays.
 *
 * <p>NOT thread safe.
 *
 * @param <I> what the owner knows a subject by
 */
final class SetsInUse<I> {
  /** The sets of both families that choose alike; one comparison serves both. */
  private static final class Source implements SubjectQuery {
    final SubjectSelector chosen;
    final Optional<PortName> portName;
    final Map<Family, SetMembers> sets = new EnumMap<>(Family.class);

    Source(Choice choice) {
      this.chosen = choice.chosen();
      this.portName = choice.portName();
    }

    @Override
    public SubjectSelector chosen() {
      return chosen;
    }

    @Override
    public Optional<PortName> portName() {
      return portName;
    }
  }

  /** A {@link SetId} without the family. */
  private record Choice(
      SubjectSelector chosen, Optional<PortName> portName, Optional<Protocol> protocol) {
    static Choice of(SetId set) {
      return switch (set) {
        case SetId.Nets nets -> new Choice(nets.chosen(), Optional.empty(), Optional.empty());
        case SetId.NamedPort port ->
            new Choice(port.chosen(), Optional.of(port.name()), Optional.of(port.protocol()));
      };
    }
  }

  private final SubjectIndex<I, Source> subjects = new SubjectIndex<>();
  private final Map<Choice, Source> sources = new HashMap<>();
  private final Map<SetId, SetMembers> sets = new HashMap<>();
  private final Map<SetId, Integer> users = new HashMap<>();

  /** Sets whose members have changed, and sets that had no user for a moment at least. */
  private Set<SetMembers> changed = new LinkedHashSet<>();

  private final Set<SetId> released = new LinkedHashSet<>();

  /** A subject that is new or has changed. */
  void put(I item, Subject subject) {
    Optional<SubjectIndex.Before<Source>> before = subjects.put(item, subject);
    if (before.isPresent()) {
      Subject old = before.get().subject();
      if (old.equals(subject)) {
        return;
      }
      removeMembers(before.get().chosenBy(), old);
    }
    for (Source source : subjects.queriesOf(item)) {
      for (SetMembers set : source.sets.values()) {
        set.add(subject);
        changed.add(set);
      }
    }
  }

  void remove(I item) {
    subjects.remove(item).ifPresent(old -> removeMembers(old.chosenBy(), old.subject()));
  }

  private void removeMembers(List<Source> sources, Subject subject) {
    for (Source source : sources) {
      for (SetMembers set : source.sets.values()) {
        set.remove(subject);
        changed.add(set);
      }
    }
  }

  /** One more refers to the set. */
  void use(SetId id) {
    users.merge(id, 1, Integer::sum);
    if (sets.containsKey(id)) {
      return;
    }
    Source source = sources.get(Choice.of(id));
    if (source == null) {
      source = new Source(Choice.of(id));
      sources.put(Choice.of(id), source);
      subjects.add(source);
    }
    SetMembers set = new SetMembers(id);
    source.sets.put(id.family(), set);
    sets.put(id, set);
    subjects.forEachSubject(source, set::add);
    changed.add(set);
  }

  /** One fewer refers to it. */
  void release(SetId id) {
    if (users.merge(id, -1, (a, b) -> a + b == 0 ? null : a + b) == null) {
      released.add(id);
    }
  }

  /** Tells the sets and members that are new. */
  void tellAdditions(CalculationSink sink) {
    released.removeIf(users::containsKey);
    released.forEach(id -> changed.remove(sets.get(id)));
    changed.forEach(set -> set.tellAdditions(sink));
  }

  /** Tells what is gone; to be called after {@link #tellAdditions}. */
  void tellRemovals(CalculationSink sink) {
    changed.forEach(set -> set.tellRemovals(sink));
    changed = new LinkedHashSet<>(); // clearing costs what was ever in it
    for (SetId id : released) {
      sets.remove(id).tellGone(sink);
      Choice choice = Choice.of(id);
      Source source = sources.get(choice);
      source.sets.remove(id.family());
      if (source.sets.isEmpty()) {
        subjects.remove(source);
        sources.remove(choice);
      }
    }
    released.clear();
  }

  /** The subject as it was put last. */
  Optional<Subject> subjectOf(I item) {
    return subjects.subjectOf(item);
  }

  /** The members of a set that is in use. */
  Optional<SetMembers> members(SetId id) {
    return Optional.ofNullable(sets.get(id));
  }

  boolean isEmpty() {
    return subjects.isEmpty() && sources.isEmpty() && sets.isEmpty() && users.isEmpty();
  }

  /** How often a selector has been compared with a subject so far. */
  long evaluations() {
    return subjects.evaluations();
  }
}
