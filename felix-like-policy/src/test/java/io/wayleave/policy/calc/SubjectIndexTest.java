package io.wayleave.policy.calc;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.EndpointPort;
import io.wayleave.model.Labels;
import io.wayleave.model.PortName;
import io.wayleave.model.Protocol;
import io.wayleave.model.policy.Subject;
import io.wayleave.model.policy.SubjectSelector;
import io.wayleave.model.selector.Selector;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class SubjectIndexTest {
  private final SubjectIndex<String, Query> index = new SubjectIndex<>();

  private static final class Query implements SubjectQuery {
    final SubjectSelector chosen;
    final Optional<PortName> portName;

    Query(SubjectSelector chosen, Optional<PortName> portName) {
      this.chosen = chosen;
      this.portName = portName;
    }

    static Query of(String selector) {
      return new Query(
          new SubjectSelector(Optional.empty(), Optional.empty(), Selector.parse(selector)),
          Optional.empty());
    }

    @Override
    public SubjectSelector chosen() {
      return chosen;
    }

    @Override
    public Optional<PortName> portName() {
      return portName;
    }

    @Override
    public String toString() {
      return chosen + " " + portName;
    }
  }

  @Test
  void followsBothSides() {
    Query x = Query.of("a == 'x'");
    Query all = Query.of("all()");
    index.add(x);
    index.put("i", subject(Map.of("a", "x")));
    index.put("j", subject(Map.of("a", "y")));
    index.add(all);
    assertThat(index.itemsOf(x)).containsExactly("i");
    assertThat(index.itemsOf(all)).containsExactlyInAnyOrder("i", "j");
    assertThat(index.queriesOf("i")).containsExactlyInAnyOrder(x, all);

    index.put("j", subject(Map.of("a", "x")));
    assertThat(index.itemsOf(x)).containsExactlyInAnyOrder("i", "j");
    index.remove("i");
    index.remove(x);
    assertThat(index.queriesOf("i")).isEmpty();
    assertThat(index.queriesOf("j")).containsExactly(all);
    assertThat(index.itemsOf(x)).isEmpty();
  }

  @Test
  void onlyWhatHasTheNeededLabelIsComparedWithANewQuery() {
    for (int i = 0; i < 1000; i++) {
      index.put("i" + i, subject(Map.of("app", "a" + i / 10, "env", "prod", "t" + i, "x")));
    }
    assertThat(comparisonsWith("app == 'a7'")).isEqualTo(10);
    assertThat(comparisonsWith("app in {'a7', 'a8'}")).isEqualTo(20);
    assertThat(comparisonsWith("app == 'a7' || app == 'a9'")).isEqualTo(20);
    assertThat(comparisonsWith("env == 'prod' && app == 'a7'")).isEqualTo(10);
    assertThat(comparisonsWith("has(t5)")).isEqualTo(1);
    assertThat(comparisonsWith("t5 starts with 'x' && env != 'test'")).isEqualTo(1);
    assertThat(comparisonsWith("has(absent)")).isZero();
    assertThat(comparisonsWith("!all()")).isZero();
    assertThat(comparisonsWith("!has(t5)")).isEqualTo(1000);
    assertThat(comparisonsWith("app == 'a7' || !has(t5)")).isEqualTo(1000);
  }

  private long comparisonsWith(String selector) {
    long before = index.evaluations();
    Query query = Query.of(selector);
    index.add(query);
    long compared = index.evaluations() - before;
    index.remove(query);
    return compared;
  }

  @Test
  void onlyQueriesThatNeedWhatItHasAreComparedWithANewSubject() {
    for (int i = 0; i < 1000; i++) {
      index.add(Query.of("app == 'a" + i + "' && env == 'prod'"));
    }
    index.add(Query.of("has(owner)"));
    index.add(Query.of("!has(owner)"));
    // The queries came first and stand where the alphabet put them.
    index.put("i", subject(Map.of("app", "a7", "env", "prod")));
    assertThat(index.evaluations()).isEqualTo(2);
    index.put("i", subject(Map.of("app", "a7", "env", "prod", "owner", "me")));
    assertThat(index.evaluations()).isEqualTo(2 + 3);
    index.put("i", subject(Map.of("app", "a7", "env", "prod", "owner", "me")));
    assertThat(index.evaluations()).isEqualTo(5);
  }

  @Test
  void agreesWithAskingEveryQueryAfterAnyChanges() {
    List<String> selectors =
        List.of(
            "all()",
            "a == 'x'",
            "a != 'x' && has(b)",
            "b in {'x', 'y'} || !has(a)",
            "a == 'x' || b == 'x'",
            "a == 'x' && b == 'x'",
            "has(a) && !(b == 'x')",
            "!all()");
    List<Map<String, String>> labels =
        List.of(Map.of(), Map.of("a", "x"), Map.of("a", "y", "b", "x"), Map.of("b", "z"));
    Random random = new Random(77);
    Map<String, Subject> items = new HashMap<>();
    Set<Query> queries = new HashSet<>();
    for (int step = 0; step < 5000; step++) {
      String item = "i" + random.nextInt(8);
      switch (random.nextInt(6)) {
        case 0 -> {
          index.remove(item);
          items.remove(item);
        }
        case 1 ->
            queries.stream()
                .findAny()
                .ifPresent(
                    query -> {
                      index.remove(query);
                      queries.remove(query);
                    });
        case 2 -> {
          if (queries.size() < 10) {
            Query query =
                new Query(
                    new SubjectSelector(
                        random.nextInt(3) == 0 ? Optional.of("shop") : Optional.empty(),
                        random.nextInt(3) == 0
                            ? Optional.of(
                                Selector.parse(random.nextBoolean() ? "a == 'x'" : "global()"))
                            : Optional.empty(),
                        Selector.parse(selectors.get(random.nextInt(selectors.size())))),
                    random.nextInt(3) == 0 ? Optional.of(new PortName("http")) : Optional.empty());
            index.add(query);
            queries.add(query);
          }
        }
        default -> {
          Subject subject =
              new Subject(
                  random.nextBoolean() ? Optional.of("shop") : Optional.empty(),
                  Labels.copyOf(labels.get(random.nextInt(labels.size()))),
                  Labels.copyOf(labels.get(random.nextInt(labels.size()))),
                  List.of(),
                  random.nextBoolean()
                      ? List.of()
                      : List.of(new EndpointPort(new PortName("http"), Protocol.TCP, 80)));
          Subject known =
              subject.namespace().isEmpty()
                  ? subject
                  : new Subject(
                      subject.namespace(),
                      Labels.of(Subject.NAMESPACE_LABEL, "shop").over(subject.labels()),
                      subject.namespaceLabels(),
                      List.of(),
                      subject.ports());
          index.put(item, known);
          items.put(item, known);
        }
      }
      for (Query query : queries) {
        Set<String> matching = new HashSet<>();
        items.forEach(
            (name, subject) -> {
              if (query.matches(subject)) {
                matching.add(name);
              }
            });
        assertThat(index.itemsOf(query)).as("step %s, %s", step, query).isEqualTo(matching);
        matching.forEach(name -> assertThat(index.queriesOf(name)).contains(query));
      }
    }
    Set.copyOf(queries).forEach(index::remove);
    items.keySet().forEach(index::remove);
    assertThat(index.isEmpty()).isTrue();
  }

  private static Subject subject(Map<String, String> labels) {
    return new Subject(Optional.empty(), Labels.copyOf(labels), Labels.NONE, List.of(), List.of());
  }
}
