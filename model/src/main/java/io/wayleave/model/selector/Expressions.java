package io.wayleave.model.selector;

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
import java.util.Collections;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Builds expressions in normal form, so that selectors that differ only in how they are written
 * have equal text and can share one set of addresses:
 *
 * <ul>
 *   <li>nested {@code &&} and {@code ||} are flattened, their operands sorted and without doubles;
 *   <li>{@code all()} disappears from a conjunction and swallows a disjunction, and the other way
 *       round for {@code !all()};
 *   <li>{@code !!x} is {@code x}, and {@code !} before a comparison is the opposite comparison;
 *   <li>a set of one value is a comparison, an empty one is {@code !all()} or {@code all()}.
 * </ul>
 *
 * <p>It does not decide whether two formulas are logically equivalent: {@code a == "x" && a != "x"}
 * stays as it is.
 */
final class Expressions {
  private static final Expression ALL = new All();
  private static final Expression NONE = new Not(ALL);

  private Expressions() {}

  static Expression all() {
    return ALL;
  }

  static Expression in(String label, SortedSet<String> values) {
    return switch (values.size()) {
      case 0 -> NONE;
      case 1 -> new Equal(label, values.first());
      default -> new In(label, Collections.unmodifiableSortedSet(new TreeSet<>(values)));
    };
  }

  static Expression not(Expression operand) {
    return switch (operand) {
      case Not(Expression inner) -> inner;
      case Equal(String label, String value) -> new NotEqual(label, value);
      case NotEqual(String label, String value) -> new Equal(label, value);
      case In(String label, SortedSet<String> values) -> new NotIn(label, values);
      case NotIn(String label, SortedSet<String> values) -> new In(label, values);
      case All _, Global _, Has _, Contains _, StartsWith _, EndsWith _, And _, Or _ ->
          new Not(operand);
    };
  }

  static Expression and(List<Expression> operands) {
    TreeMap<String, Expression> flat = new TreeMap<>();
    for (Expression operand : operands) {
      if (operand instanceof And(List<Expression> inner)) {
        inner.forEach(part -> flat.put(part.toString(), part));
      } else {
        flat.put(operand.toString(), operand);
      }
    }
    flat.remove(ALL.toString());
    if (flat.containsKey(NONE.toString())) {
      return NONE;
    }
    return switch (flat.size()) {
      case 0 -> ALL;
      case 1 -> flat.firstEntry().getValue();
      default -> new And(List.copyOf(flat.values()));
    };
  }

  static Expression or(List<Expression> operands) {
    TreeMap<String, Expression> flat = new TreeMap<>();
    for (Expression operand : operands) {
      if (operand instanceof Or(List<Expression> inner)) {
        inner.forEach(part -> flat.put(part.toString(), part));
      } else {
        flat.put(operand.toString(), operand);
      }
    }
    flat.remove(NONE.toString());
    if (flat.containsKey(ALL.toString())) {
      return ALL;
    }
    return switch (flat.size()) {
      case 0 -> NONE;
      case 1 -> flat.firstEntry().getValue();
      default -> new Or(List.copyOf(flat.values()));
    };
  }
}
