package io.wayleave.model.selector;

import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.stream.Collectors;

/**
 * The syntax tree of a selector. A comparison with a label that is absent is false; its negation
 * ({@code !=}, {@code not in}) is true. {@code toString} writes the tree in the language itself;
 * {@link Expressions} gives the normal form in which equal trees have equal text.
 */
public sealed interface Expression {

  /** Whether an object with these labels is selected. */
  boolean matches(Map<String, String> labels);

  /** {@code all()}: everything. */
  record All() implements Expression {
    @Override
    public boolean matches(Map<String, String> labels) {
      return true;
    }

    @Override
    public String toString() {
      return "all()";
    }
  }

  /**
   * {@code global()}: everything too. It differs from {@code all()} only where a selector chooses
   * namespaces: there it stands for "in no namespace".
   */
  record Global() implements Expression {
    @Override
    public boolean matches(Map<String, String> labels) {
      return true;
    }

    @Override
    public String toString() {
      return "global()";
    }
  }

  /** {@code has(label)}: the label exists, whatever its value. */
  record Has(String label) implements Expression {
    @Override
    public boolean matches(Map<String, String> labels) {
      return labels.containsKey(label);
    }

    @Override
    public String toString() {
      return "has(" + label + ")";
    }
  }

  /** {@code label == "value"}. */
  record Equal(String label, String value) implements Expression {
    @Override
    public boolean matches(Map<String, String> labels) {
      return value.equals(labels.get(label));
    }

    @Override
    public String toString() {
      return label + " == " + quote(value);
    }
  }

  /** {@code label != "value"}; true when the label is absent. */
  record NotEqual(String label, String value) implements Expression {
    @Override
    public boolean matches(Map<String, String> labels) {
      return !value.equals(labels.get(label));
    }

    @Override
    public String toString() {
      return label + " != " + quote(value);
    }
  }

  /** {@code label in {"a", "b"}}. */
  record In(String label, SortedSet<String> values) implements Expression {
    @Override
    public boolean matches(Map<String, String> labels) {
      String actual = labels.get(label);
      return actual != null && values.contains(actual);
    }

    @Override
    public String toString() {
      return label + " in " + set(values);
    }
  }

  /** {@code label not in {"a", "b"}}; true when the label is absent. */
  record NotIn(String label, SortedSet<String> values) implements Expression {
    @Override
    public boolean matches(Map<String, String> labels) {
      String actual = labels.get(label);
      return actual == null || !values.contains(actual);
    }

    @Override
    public String toString() {
      return label + " not in " + set(values);
    }
  }

  /** {@code label contains "part"}. */
  record Contains(String label, String part) implements Expression {
    @Override
    public boolean matches(Map<String, String> labels) {
      String actual = labels.get(label);
      return actual != null && actual.contains(part);
    }

    @Override
    public String toString() {
      return label + " contains " + quote(part);
    }
  }

  /** {@code label starts with "part"}. */
  record StartsWith(String label, String part) implements Expression {
    @Override
    public boolean matches(Map<String, String> labels) {
      String actual = labels.get(label);
      return actual != null && actual.startsWith(part);
    }

    @Override
    public String toString() {
      return label + " starts with " + quote(part);
    }
  }

  /** {@code label ends with "part"}. */
  record EndsWith(String label, String part) implements Expression {
    @Override
    public boolean matches(Map<String, String> labels) {
      String actual = labels.get(label);
      return actual != null && actual.endsWith(part);
    }

    @Override
    public String toString() {
      return label + " ends with " + quote(part);
    }
  }

  /** {@code !operand}. */
  record Not(Expression operand) implements Expression {
    @Override
    public boolean matches(Map<String, String> labels) {
      return !operand.matches(labels);
    }

    @Override
    public String toString() {
      // The parentheses of a conjunction or disjunction are its own.
      return "!" + operand;
    }
  }

  /** {@code a && b && …}, of at least two operands. */
  record And(List<Expression> operands) implements Expression {
    public And {
      operands = List.copyOf(operands);
    }

    @Override
    public boolean matches(Map<String, String> labels) {
      for (Expression operand : operands) {
        if (!operand.matches(labels)) {
          return false;
        }
      }
      return true;
    }

    @Override
    public String toString() {
      return join(operands, " && ");
    }
  }

  /** {@code a || b || …}, of at least two operands. */
  record Or(List<Expression> operands) implements Expression {
    public Or {
      operands = List.copyOf(operands);
    }

    @Override
    public boolean matches(Map<String, String> labels) {
      for (Expression operand : operands) {
        if (operand.matches(labels)) {
          return true;
        }
      }
      return false;
    }

    @Override
    public String toString() {
      return join(operands, " || ");
    }
  }

  private static String join(List<Expression> operands, String operator) {
    return operands.stream()
        .map(Expression::toString)
        .collect(Collectors.joining(operator, "(", ")"));
  }

  private static String set(SortedSet<String> values) {
    return values.stream().map(Expression::quote).collect(Collectors.joining(", ", "{", "}"));
  }

  /** The language has no escapes: a literal that holds one kind of quote stands in the other. */
  private static String quote(String value) {
    char mark = value.indexOf('"') >= 0 ? '\'' : '"';
    return mark + value + mark;
  }
}
