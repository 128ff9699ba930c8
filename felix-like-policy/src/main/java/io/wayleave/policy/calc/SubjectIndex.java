package io.wayleave.policy.calc;

import io.wayleave.model.Labels;
import io.wayleave.model.PortName;
import io.wayleave.model.policy.Subject;
import io.wayleave.model.policy.SubjectSelector;
import io.wayleave.model.selector.Expression;
import io.wayleave.model.selector.Expression.All;
import io.wayleave.model.selector.Expression.And;
import io.wayleave.model.selector.Expression.Contains;
import io.wayleave.model.selector.Expression.EndsWith;
import io.wayleave.model.selector.Expression.Equal;
import io.wayleave.model.selector.Expression.Global;
import io.wayleave.model.selector.Expression.Has;
import io.wayleave.model.selector.Expression.In;
import io.wayleave.model.selector.Expression.Not;
import io.wayleave.model.selector.Expression.NotEqual;
import io.wayleave.model.selector.Expression.NotIn;
import io.wayleave.model.selector.Expression.Or;
import io.wayleave.model.selector.Expression.StartsWith;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Which subjects each query chooses, kept current. Subjects are found by their labels, the labels
 * of their namespaces and the names of their ports:
 *
 * <pre>
 *   label ─▶ value ─▶ { subjects with it } and { queries that need it }
 *        └─▶ { queries that need the label, whatever its value }
 * </pre>
 *
 * <p>A query stands where the fewest subjects were when it came, at one or more places of which a
 * subject that it chooses is at least at one. A changed subject is compared with the queries at its
 * own places, and a new query with the subjects at its own. Queries that need nothing, such as
 * {@code all()} and {@code !has(a)}, are compared with every subject.
 *
 * <p>NOT thread safe.
 *
 * @param <I> what the owner knows a subject by; compared by identity or {@code equals}
 */
final class SubjectIndex<I, Q extends SubjectQuery> {
  /** The labels of the namespace of what is in none: a label that nothing can have. */
  private static final Labels NO_NAMESPACE = Labels.of("", "");

  /** What a subject can be found by. */
  private enum Aspect {
    LABEL,
    NAMESPACE_LABEL,
    PORT
  }

  /** Something that a query needs: a value of a label, or the label when the value is empty. */
  private record Need(Aspect aspect, String label, Optional<String> value) {}

  /** A value of a label. */
  private static final class Place<I, Q> {
    final Label<I, Q> label;
    final String value;

    /** In no order, and more room than there are; each knows where it is. */
    Known<I, Q>[] subjects = room(1);

    int count;
    List<Entry<I, Q>> queries = List.of();

    Place(Label<I, Q> label, String value) {
      this.label = label;
      this.value = value;
    }

    /** Returns where it is. */
    int add(Known<I, Q> state) {
      if (count == subjects.length) {
        subjects = Arrays.copyOf(subjects, 2 * count);
      }
      subjects[count] = state;
      label.subjects++;
      return count++;
    }

    /** Who is last moves to where it was. */
    void remove(int position) {
      Known<I, Q> last = subjects[--count];
      subjects[count] = null;
      if (position < count) {
        subjects[position] = last;
        last.moved(this, position);
      }
      if (count > 0 && 4 * count < subjects.length) {
        subjects = Arrays.copyOf(subjects, subjects.length / 2);
      }
      label.subjects--;
    }

    void forEachSubject(Consumer<Known<I, Q>> action) {
      for (int i = 0; i < count; i++) {
        action.accept(subjects[i]);
      }
    }

    void add(Entry<I, Q> query) {
      queries = queries.isEmpty() ? new ArrayList<>(1) : queries;
      queries.add(query);
    }

    @SuppressWarnings("unchecked") // an array cannot be made of what is generic
    private static <I, Q> Known<I, Q>[] room(int length) {
      return (Known<I, Q>[]) new Known<?, ?>[length];
    }

    void dropIfUnused() {
      if (count == 0 && queries.isEmpty()) {
        label.values.remove(value);
        label.dropIfUnused();
      }
    }
  }

  private static final class Label<I, Q> {
    /** Where it is known by its name. */
    final Map<String, Label<I, Q>> aspect;

    final String name;
    final Map<String, Place<I, Q>> values = new HashMap<>(2);
    final List<Entry<I, Q>> queries = new ArrayList<>(0);
    int subjects;

    Label(Map<String, Label<I, Q>> aspect, String name) {
      this.aspect = aspect;
      this.name = name;
    }

    Place<I, Q> place(String value) {
      Place<I, Q> place = values.get(value);
      if (place == null) {
        place = new Place<>(this, value);
        values.put(value, place);
      }
      return place;
    }

    void dropIfUnused() {
      if (values.isEmpty() && queries.isEmpty()) {
        aspect.remove(name);
      }
    }
  }

  private static final class Entry<I, Q> {
    final Q query;

    /** Where it stands; empty when it is compared with all. */
    final Optional<List<Need>> needs;

    final Map<I, Known<I, Q>> chosen = new HashMap<>();

    /** The last {@link #round} in which it was compared with a subject, and the answer. */
    long round;

    boolean chose;

    Entry(Q query, Optional<List<Need>> needs) {
      this.query = query;
      this.needs = needs;
    }
  }

  private static final class Known<I, Q> {
    final I item;
    Subject subject;

    /** Where it stands. */
    List<Place<I, Q>> places = List.of();

    /** Of each place, where in its list of subjects. */
    int[] positions = {};

    List<Entry<I, Q>> chosenBy = List.of();

    Known(I item, Subject subject) {
      this.item = item;
      this.subject = subject;
    }

    void chosenBy(Entry<I, Q> entry) {
      if (chosenBy.isEmpty()) {
        chosenBy = new ArrayList<>(2);
      }
      chosenBy.add(entry);
    }

    void enter(List<Place<I, Q>> entered) {
      places = entered;
      positions = new int[entered.size()];
      for (int i = 0; i < positions.length; i++) {
        positions[i] = entered.get(i).add(this);
      }
    }

    void leave() {
      for (int i = 0; i < positions.length; i++) {
        Place<I, Q> place = places.get(i);
        place.remove(positions[i]);
        place.dropIfUnused();
      }
    }

    void moved(Place<I, Q> place, int position) {
      positions[places.indexOf(place)] = position;
    }
  }

  private final Map<I, Known<I, Q>> known = new HashMap<>();
  private final Map<Q, Entry<I, Q>> entries = new HashMap<>();
  private final Map<String, Label<I, Q>> labels = new HashMap<>();
  private final Map<String, Label<I, Q>> namespaceLabels = new HashMap<>();
  private final Map<String, Label<I, Q>> ports = new HashMap<>();
  private final Set<Entry<I, Q>> comparedWithAll = new LinkedHashSet<>();
  private long evaluations;

  /** Counts the subjects that were compared with queries. */
  private long round;

  /** What was known of a subject before it changed or went. */
  record Before<Q>(Subject subject, List<Q> chosenBy) {}

  /**
   * A subject that is new or has changed.
   *
   * @return empty when it is new
   */
  Optional<Before<Q>> put(I item, Subject subject) {
    Known<I, Q> state = known.get(item);
    if (state == null) {
      state = new Known<>(item, subject);
      known.put(item, state);
      state.enter(placesOf(subject));
      choose(state);
      return Optional.empty();
    }
    Before<Q> before = new Before<>(state.subject, queriesOf(state));
    state.subject = subject;
    if (!looksAlike(before.subject(), subject)) {
      state.leave();
      state.enter(placesOf(subject));
      choose(state);
    }
    return Optional.of(before);
  }

  /** Returns what was known of it; empty when it is not there. */
  Optional<Before<Q>> remove(I item) {
    Known<I, Q> state = known.remove(item);
    if (state == null) {
      return Optional.empty();
    }
    state.leave();
    state.chosenBy.forEach(entry -> entry.chosen.remove(item));
    return Optional.of(new Before<>(state.subject, queriesOf(state)));
  }

  boolean has(I item) {
    return known.containsKey(item);
  }

  /** The subject as it was put last. */
  Optional<Subject> subjectOf(I item) {
    return Optional.ofNullable(known.get(item)).map(state -> state.subject);
  }

  /** A query that is not there yet. */
  void add(Q query) {
    Entry<I, Q> entry = new Entry<>(query, needs(query));
    entries.put(query, entry);
    if (entry.needs.isEmpty()) {
      comparedWithAll.add(entry);
      known.values().forEach(state -> compare(entry, state));
      return;
    }
    for (Need need : entry.needs.get()) {
      Label<I, Q> label = label(aspect(need.aspect()), need.label());
      if (need.value().isPresent()) {
        Place<I, Q> place = label.place(need.value().get());
        place.add(entry);
        place.forEachSubject(state -> compare(entry, state));
      } else {
        label.queries.add(entry);
        label
            .values
            .values()
            .forEach(place -> place.forEachSubject(state -> compare(entry, state)));
      }
    }
  }

  void remove(Q query) {
    Entry<I, Q> entry = entries.remove(query);
    comparedWithAll.remove(entry);
    for (Need need : entry.needs.orElse(List.of())) {
      Label<I, Q> label = aspect(need.aspect()).get(need.label());
      if (need.value().isPresent()) {
        Place<I, Q> place = label.values.get(need.value().get());
        place.queries.remove(entry);
        place.dropIfUnused();
      } else {
        label.queries.remove(entry);
        label.dropIfUnused();
      }
    }
    entry.chosen.values().forEach(state -> state.chosenBy.remove(entry));
  }

  /** The queries that choose it; a copy. */
  List<Q> queriesOf(I item) {
    Known<I, Q> state = entries.isEmpty() ? null : known.get(item);
    return state == null ? List.of() : queriesOf(state);
  }

  private List<Q> queriesOf(Known<I, Q> state) {
    if (state.chosenBy.isEmpty()) {
      return List.of();
    }
    List<Q> queries = new ArrayList<>(state.chosenBy.size());
    state.chosenBy.forEach(entry -> queries.add(entry.query));
    return queries;
  }

  /** What the query chooses; a view, empty for one that is not there. */
  Set<I> itemsOf(Q query) {
    Entry<I, Q> entry = entries.get(query);
    return entry == null ? Set.of() : Collections.unmodifiableSet(entry.chosen.keySet());
  }

  /** The subjects that the query chooses. */
  void forEachSubject(Q query, Consumer<Subject> action) {
    entries.get(query).chosen.values().forEach(state -> action.accept(state.subject));
  }

  /** Whether it knows neither a subject nor a query, and keeps no place for one. */
  boolean isEmpty() {
    return known.isEmpty()
        && entries.isEmpty()
        && labels.isEmpty()
        && namespaceLabels.isEmpty()
        && ports.isEmpty()
        && comparedWithAll.isEmpty();
  }

  /** How often a query has been compared with a subject so far. */
  long evaluations() {
    return evaluations;
  }

  /** Compares a subject with all queries that may choose it. */
  private void choose(Known<I, Q> state) {
    round++;
    List<Entry<I, Q>> before = state.chosenBy;
    state.chosenBy = List.of();
    compareOnce(comparedWithAll, state);
    for (Place<I, Q> place : state.places) {
      if (!place.label.queries.isEmpty()) {
        compareOnce(place.label.queries, state);
      }
      if (!place.queries.isEmpty()) {
        compareOnce(place.queries, state);
      }
    }
    for (Entry<I, Q> entry : before) {
      if (entry.round != round || !entry.chose) {
        entry.chosen.remove(state.item);
      }
    }
  }

  /** One that stands at several of the subject's places is compared once. */
  private void compareOnce(Collection<Entry<I, Q>> candidates, Known<I, Q> state) {
    for (Entry<I, Q> entry : candidates) {
      if (entry.round != round) {
        entry.round = round;
        entry.chose = matches(entry, state.subject);
        if (entry.chose) {
          entry.chosen.put(state.item, state);
          state.chosenBy(entry);
        }
      }
    }
  }

  /** Compares a new query with a subject, which may be at several of its places. */
  private void compare(Entry<I, Q> entry, Known<I, Q> state) {
    // Whoever was found to be chosen by it has it last, as it is the newest.
    boolean found = !state.chosenBy.isEmpty() && state.chosenBy.getLast() == entry;
    if (!found && matches(entry, state.subject)) {
      entry.chosen.put(state.item, state);
      state.chosenBy(entry);
    }
  }

  private boolean matches(Entry<I, Q> entry, Subject subject) {
    evaluations++;
    return entry.query.matches(subject);
  }

  private List<Place<I, Q>> placesOf(Subject subject) {
    Labels ofNamespace = namespaceLabelsOf(subject);
    List<Place<I, Q>> places =
        new ArrayList<>(subject.labels().size() + ofNamespace.size() + subject.ports().size());
    subject.labels().forEach((name, value) -> places.add(label(labels, name).place(value)));
    ofNamespace.forEach((name, value) -> places.add(label(namespaceLabels, name).place(value)));
    for (String name : portNames(subject)) {
      places.add(label(ports, name).place(""));
    }
    return places;
  }

  private static <I, Q> Label<I, Q> label(Map<String, Label<I, Q>> aspect, String name) {
    Label<I, Q> label = aspect.get(name);
    if (label == null) {
      label = new Label<>(aspect, name);
      aspect.put(name, label);
    }
    return label;
  }

  /** Whether every query answers alike for both; addresses choose nothing. */
  private static boolean looksAlike(Subject a, Subject b) {
    return a.namespace().equals(b.namespace())
        && a.labels().equals(b.labels())
        && a.namespaceLabels().equals(b.namespaceLabels())
        && portNames(a).equals(portNames(b));
  }

  private static Set<String> portNames(Subject subject) {
    if (subject.ports().isEmpty()) {
      return Set.of();
    }
    Set<String> names = new HashSet<>();
    subject.ports().forEach(port -> names.add(port.name().name()));
    return names;
  }

  private static Labels namespaceLabelsOf(Subject subject) {
    return subject.namespace().isPresent() ? subject.namespaceLabels() : NO_NAMESPACE;
  }

  private Map<String, Label<I, Q>> aspect(Aspect aspect) {
    return switch (aspect) {
      case LABEL -> labels;
      case NAMESPACE_LABEL -> namespaceLabels;
      case PORT -> ports;
    };
  }

  /** The places where the query has the fewest subjects to be compared with. */
  private Optional<List<Need>> needs(Q query) {
    SubjectSelector chosen = query.chosen();
    Optional<List<Need>> best = needs(chosen.labels().expression(), Aspect.LABEL);
    if (chosen.namespace().isPresent()) {
      best =
          cheaper(
              best,
              Optional.of(
                  List.of(new Need(Aspect.LABEL, Subject.NAMESPACE_LABEL, chosen.namespace()))));
    }
    if (chosen.namespaceSelector().isPresent()) {
      Expression namespaces = chosen.namespaceSelector().get().expression();
      best =
          cheaper(
              best,
              namespaces instanceof Global
                  ? Optional.of(List.of(new Need(Aspect.NAMESPACE_LABEL, "", Optional.of(""))))
                  : needs(namespaces, Aspect.NAMESPACE_LABEL));
    }
    Optional<PortName> port = query.portName();
    if (port.isPresent()) {
      best =
          cheaper(
              best,
              Optional.of(List.of(new Need(Aspect.PORT, port.get().name(), Optional.of("")))));
    }
    return best;
  }

  /**
   * Of every subject that matches, at least one of the needs holds; empty when nothing can be said.
   */
  private Optional<List<Need>> needs(Expression expression, Aspect aspect) {
    return switch (expression) {
      case Equal(String label, String value) ->
          Optional.of(List.of(new Need(aspect, label, Optional.of(value))));
      case In(String label, var values) ->
          Optional.of(
              values.stream().map(value -> new Need(aspect, label, Optional.of(value))).toList());
      case Has(String label) -> labelOf(aspect, label);
      case Contains(String label, String _) -> labelOf(aspect, label);
      case StartsWith(String label, String _) -> labelOf(aspect, label);
      case EndsWith(String label, String _) -> labelOf(aspect, label);
      case And(List<Expression> operands) -> {
        Optional<List<Need>> best = Optional.empty();
        for (Expression operand : operands) {
          best = cheaper(best, needs(operand, aspect));
        }
        yield best;
      }
      case Or(List<Expression> operands) -> {
        Set<Need> any = new LinkedHashSet<>();
        for (Expression operand : operands) {
          Optional<List<Need>> needs = needs(operand, aspect);
          if (needs.isEmpty()) {
            yield Optional.empty();
          }
          any.addAll(needs.get());
        }
        yield Optional.of(List.copyOf(any));
      }
      // Of nothing, nothing is needed.
      case Not(All _) -> Optional.of(List.of());
      case Not _, All _, Global _, NotEqual _, NotIn _ -> Optional.empty();
    };
  }

  private static Optional<List<Need>> labelOf(Aspect aspect, String label) {
    return Optional.of(List.of(new Need(aspect, label, Optional.empty())));
  }

  private Optional<List<Need>> cheaper(Optional<List<Need>> a, Optional<List<Need>> b) {
    if (a.isEmpty() || b.isEmpty()) {
      return a.isEmpty() ? b : a;
    }
    return cost(b.get()) < cost(a.get()) ? b : a;
  }

  private long cost(List<Need> needs) {
    long items = 0;
    for (Need need : needs) {
      Label<I, Q> label = aspect(need.aspect()).get(need.label());
      if (label != null) {
        items +=
            need.value()
                .map(
                    value -> {
                      Place<I, Q> place = label.values.get(value);
                      return place == null ? 0 : place.count;
                    })
                .orElse(label.subjects);
      }
    }
    return items;
  }
}
