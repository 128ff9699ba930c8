package io.wayleave.model.selector;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import io.wayleave.model.InvalidInputException;
import java.util.Map;

/**
 * Chooses objects by their labels. The language is Calico's:
 *
 * <pre>
 *   selector    = [ or ]                     the empty selector is all()
 *   or          = and { "||" and }
 *   and         = unary { "&amp;&amp;" unary }
 *   unary       = { "!" } primary
 *   primary     = "(" or ")" | "all()" | "global()" | "has(" LABEL ")" | LABEL comparison
 *   comparison  = ( "==" | "!=" | "contains" | "starts with" | "ends with" ) STRING
 *               | ( "in" | "not in" ) "{" [ STRING { "," STRING } [ "," ] ] "}"
 *   LABEL       = 1 to 512 of a-z A-Z 0-9 _ . / -
 *   STRING      = "…" or '…', without escapes
 * </pre>
 *
 * <p>Two selectors are equal when their normal forms are (see {@link #toString}); matching
 * allocates nothing. Immutable.
 */
public final class Selector {
  private final Expression expression;
  private final String canonical;

  private Selector(Expression expression) {
    this.expression = expression;
    String text = expression.toString();
    // The outermost parentheses of a conjunction or disjunction say nothing.
    this.canonical = text.startsWith("(") ? text.substring(1, text.length() - 1) : text;
  }

  /**
   * Reads a selector.
   *
   * @throws InvalidInputException naming the character, counted from 1, and what is expected there
   */
  @JsonCreator
  public static Selector parse(String text) {
    return new Selector(new SelectorParser(text).parse());
  }

  /** The selector {@code all()}. */
  public static Selector all() {
    return new Selector(Expressions.all());
  }

  public boolean matches(Map<String, String> labels) {
    return expression.matches(labels);
  }

  /** The syntax tree, in normal form. */
  public Expression expression() {
    return expression;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Selector selector && selector.canonical.equals(canonical);
  }

  @Override
  public int hashCode() {
    return canonical.hashCode();
  }

  /** The canonical text: parsing it gives this selector again, and equal selectors share it. */
  @Override
  @JsonValue
  public String toString() {
    return canonical;
  }
}
