package io.wayleave.policy.calc;

import io.wayleave.model.EndpointPort;
import io.wayleave.model.Labels;
import io.wayleave.model.policy.Subject;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Lets subjects share what is equal: the texts of labels, of which a fleet has far fewer than
 * endpoints, and all that the objects of a namespace have in common. Without it a large fleet's
 * labels fill the memory.
 *
 * <p>Whoever lets a subject share gives it back with {@link #release} when it forgets it. NOT
 * thread safe.
 */
final class SharedSubjects {
  private final Pool<Labels> namespaceLabels = new Pool<>(SharedSubjects::intern);
  private final Pool<List<EndpointPort>> ports = new Pool<>(UnaryOperator.identity());
  private final Pool<Optional<String>> namespaces = new Pool<>(UnaryOperator.identity());

  /** An equal subject whose parts are shared. */
  Subject share(Subject subject) {
    return new Subject(
        namespaces.acquire(subject.namespace()),
        intern(subject.labels()),
        namespaceLabels.acquire(subject.namespaceLabels()),
        subject.nets(),
        ports.acquire(subject.ports()));
  }

  void release(Subject subject) {
    namespaces.release(subject.namespace());
    namespaceLabels.release(subject.namespaceLabels());
    ports.release(subject.ports());
  }

  boolean isEmpty() {
    return namespaceLabels.values.isEmpty()
        && ports.values.isEmpty()
        && namespaces.values.isEmpty();
  }

  private static Labels intern(Labels labels) {
    return labels.withTexts(String::intern);
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
