package io.wayleave.policy.calc;

import io.wayleave.model.EndpointPort;
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
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

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
  private static final Map<String, String> NO_NAMESPACE = Map.of("", "");

  /** What a subject can be found by. */
  private enum Aspect {
    LABEL,
    NAMESPACE_LABEL,
    PORT
  }

  /** Something that a query needs: a value of a label, or the label when the value is empty. */
  private record Need(Aspect aspect, String label, Optional<String> value) {}

  private static final class Place<I, Q> {
    final Set<I> items = new HashSet<>(2);
    final List<Entry<I, Q>> queries = new ArrayList<>(0);
  }

  private static final class Label<I, Q> {
    final Map<String, Place<I, Q>> values = new HashMap<>(2);
    final List<Entry<I, Q>> queries = new ArrayList<>(0);
    int items;

    boolean isEmpty() {
      return values.isEmpty() && queries.isEmpty();
    }
  }

  private static final class Entry<I, Q> {
    final Q query;

    /** Where it stands; empty when it is compared with all. */
    final Optional<List<Need>> needs;

    final Set<I> items = new HashSet<>();

    Entry(Q query, Optional<List<Need>> needs) {
      this.query = query;
      this.needs = needs;
    }
  }

  private static final class Known<I, Q> {
    Subject subject;
    final List<Entry<I, Q>> chosenBy = new ArrayList<>(0);

    Known(Subject subject) {
      this.subject = subject;
    }
  }

  private final Map<I, Known<I, Q>> known = new HashMap<>();
  private final Map<Q, Entry<I, Q>> entries = new HashMap<>();
  private final Map<String, Label<I, Q>> labels = new HashMap<>();
  private final Map<String, Label<I, Q>> namespaceLabels = new HashMap<>();
  private final Map<String, Label<I, Q>> ports = new HashMap<>();
  private final Set<Entry<I, Q>> comparedWithAll = new LinkedHashSet<>();
  private long evaluations;

  /** A subject that is new or has changed. */
  void put(I item, Subject subject) {
    Known<I, Q> state = known.get(item);
    if (state == null) {
      state = new Known<>(subject);
      known.put(item, state);
      enter(item, subject);
    } else {
      Subject before = state.subject;
      state.subject = subject;
      if (looksAlike(before, subject)) {
        return;
      }
      leave(item, before);
      enter(item, subject);
    }
    Set<Entry<I, Q>> now = choosing(subject);
    for (Entry<I, Q> entry : state.chosenBy) {
      if (!now.contains(entry)) {
        entry.items.remove(item);
      }
    }
    now.forEach(entry -> entry.items.add(item));
    state.chosenBy.clear();
    state.chosenBy.addAll(now);
  }

  void remove(I item) {
    Known<I, Q> state = known.remove(item);
    if (state != null) {
      leave(item, state.subject);
      state.chosenBy.forEach(entry -> entry.items.remove(item));
    }
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
      known.keySet().forEach(item -> compare(entry, item));
      return;
    }
    for (Need need : entry.needs.get()) {
      Label<I, Q> label = aspect(need.aspect()).computeIfAbsent(need.label(), _ -> new Label<>());
      if (need.value().isPresent()) {
        Place<I, Q> place = label.values.computeIfAbsent(need.value().get(), _ -> new Place<>());
        place.queries.add(entry);
        place.items.forEach(item -> compare(entry, item));
      } else {
        label.queries.add(entry);
        label.values.values().forEach(place -> place.items.forEach(item -> compare(entry, item)));
      }
    }
  }

  void remove(Q query) {
    Entry<I, Q> entry = entries.remove(query);
    comparedWithAll.remove(entry);
    for (Need need : entry.needs.orElse(List.of())) {
      Map<String, Label<I, Q>> aspect = aspect(need.aspect());
      Label<I, Q> label = aspect.get(need.label());
      if (need.value().isPresent()) {
        Place<I, Q> place = label.values.get(need.value().get());
        place.queries.remove(entry);
        dropIfUnused(label, need.value().get(), place);
      } else {
        label.queries.remove(entry);
      }
      if (label.isEmpty()) {
        aspect.remove(need.label());
      }
    }
    for (I item : entry.items) {
      known.get(item).chosenBy.remove(entry);
    }
  }

  /** The queries that choose it; a copy. */
  List<Q> queriesOf(I item) {
    Known<I, Q> state = known.get(item);
    return state == null ? List.of() : state.chosenBy.stream().map(entry -> entry.query).toList();
  }

  /** What the query chooses; a view, empty for one that is not there. */
  Set<I> itemsOf(Q query) {
    Entry<I, Q> entry = entries.get(query);
    return entry == null ? Set.of() : Collections.unmodifiableSet(entry.items);
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

  private Set<Entry<I, Q>> choosing(Subject subject) {
    // One that stands at several of the subject's places is compared once.
    Set<Entry<I, Q>> candidates = new LinkedHashSet<>(comparedWithAll);
    collect(labels, subject.labels(), candidates);
    collect(namespaceLabels, namespaceLabelsOf(subject), candidates);
    for (EndpointPort port : subject.ports()) {
      collect(ports, Map.of(port.name().name(), ""), candidates);
    }
    candidates.removeIf(entry -> !matches(entry, subject));
    return candidates;
  }

  private static <I, Q> void collect(
      Map<String, Label<I, Q>> aspect, Map<String, String> own, Set<Entry<I, Q>> into) {
    own.forEach(
        (key, value) -> {
          Label<I, Q> label = aspect.get(key);
          if (label != null) {
            into.addAll(label.queries);
            Place<I, Q> place = label.values.get(value);
            if (place != null) {
              into.addAll(place.queries);
            }
          }
        });
  }

  private void compare(Entry<I, Q> entry, I item) {
    Known<I, Q> state = known.get(item);
    if (!entry.items.contains(item) && matches(entry, state.subject)) {
      entry.items.add(item);
      state.chosenBy.add(entry);
    }
  }

  private boolean matches(Entry<I, Q> entry, Subject subject) {
    evaluations++;
    return entry.query.matches(subject);
  }

  private void enter(I item, Subject subject) {
    enter(labels, subject.labels(), item);
    enter(namespaceLabels, namespaceLabelsOf(subject), item);
    for (String name : portNames(subject)) {
      enter(ports, Map.of(name, ""), item);
    }
  }

  private static <I, Q> void enter(
      Map<String, Label<I, Q>> aspect, Map<String, String> own, I item) {
    own.forEach(
        (key, value) -> {
          Label<I, Q> label = aspect.computeIfAbsent(key, _ -> new Label<>());
          label.values.computeIfAbsent(value, _ -> new Place<>()).items.add(item);
          label.items++;
        });
  }

  private void leave(I item, Subject subject) {
    leave(labels, subject.labels(), item);
    leave(namespaceLabels, namespaceLabelsOf(subject), item);
    for (String name : portNames(subject)) {
      leave(ports, Map.of(name, ""), item);
    }
  }

  private static <I, Q> void leave(
      Map<String, Label<I, Q>> aspect, Map<String, String> own, I item) {
    own.forEach(
        (key, value) -> {
          Label<I, Q> label = aspect.get(key);
          Place<I, Q> place = label.values.get(value);
          place.items.remove(item);
          label.items--;
          dropIfUnused(label, value, place);
          if (label.isEmpty()) {
            aspect.remove(key);
          }
        });
  }

  private static <I, Q> void dropIfUnused(Label<I, Q> label, String value, Place<I, Q> place) {
    if (place.items.isEmpty() && place.queries.isEmpty()) {
      label.values.remove(value);
    }
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

  private static Map<String, String> namespaceLabelsOf(Subject subject) {
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
                      return place == null ? 0 : place.items.size();
                    })
                .orElse(label.items);
      }
    }
    return items;
  }
}
