package io.wayleave.policy.calc;

import io.wayleave.model.EndpointPort;
import io.wayleave.model.policy.Subject;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Lets subjects share what is equal: the containers of one application have the same labels, and
 * all objects of a namespace the labels of that. Without it a large fleet's labels fill the memory.
 *
 * <p>Whoever lets a subject share gives it back with {@link #release} when it forgets it. NOT
 * thread safe.
 */
final class SharedSubjects {
  private final Pool<Map<String, String>> labels = new Pool<>(SharedSubjects::internLabels);
  private final Pool<List<EndpointPort>> ports = new Pool<>(UnaryOperator.identity());
  private final Pool<Optional<String>> namespaces = new Pool<>(UnaryOperator.identity());

  /** An equal subject whose parts are shared. */
  Subject share(Subject subject) {
    return new Subject(
        namespaces.acquire(subject.namespace()),
        labels.acquire(subject.labels()),
        labels.acquire(subject.namespaceLabels()),
        subject.nets(),
        ports.acquire(subject.ports()));
  }

  void release(Subject subject) {
    namespaces.release(subject.namespace());
    labels.release(subject.labels());
    labels.release(subject.namespaceLabels());
    ports.release(subject.ports());
  }

  boolean isEmpty() {
    return labels.values.isEmpty() && ports.values.isEmpty() && namespaces.values.isEmpty();
  }

  private static Map<String, String> internLabels(Map<String, String> labels) {
    Map<String, String> interned = new HashMap<>();
    labels.forEach((key, value) -> interned.put(key.intern(), value.intern()));
    return Map.copyOf(interned);
  }

  /** One of equal values, as long as somebody uses it. */
  private static final class Pool<T> {
    private final Map<T, Shared<T>> values = new HashMap<>();
    private final UnaryOperator<T> onFirst;

    private static final class Shared<T> {
      final T value;
      int users;

      Shared(T value) {
        this.value = value;
      }
    }

    Pool(UnaryOperator<T> onFirst) {
      this.onFirst = onFirst;
    }

    T acquire(T value) {
      Shared<T> shared = values.get(value);
      if (shared == null) {
        T first = onFirst.apply(value);
        shared = new Shared<>(first);
        values.put(first, shared);
      }
      shared.users++;
      return shared.value;
    }

    void release(T value) {
      Shared<T> shared = values.get(value);
      shared.users--;
      if (shared.users == 0) {
        values.remove(value);
      }
    }
  }
}
