package io.wayleave.model.selector;

import io.wayleave.model.InvalidInputException;
import io.wayleave.model.selector.SelectorLexer.Kind;
import io.wayleave.model.selector.SelectorLexer.Token;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/** Recursive descent over the grammar that {@link Selector} states. One parser reads one text. */
final class SelectorParser {
  /** Bounds the stack; nobody nests by hand this deep. */
  private static final int MAX_DEPTH = 100;

  private final SelectorLexer lexer;
  private Token token;
  private int depth;

  SelectorParser(String text) {
    this.lexer = new SelectorLexer(text);
    this.token = lexer.next();
  }

  Expression parse() {
    if (token.kind() == Kind.END) {
      return Expressions.all();
    }
    Expression parsed = or();
    if (token.kind() != Kind.END) {
      throw expected("&&, || or the end");
    }
    return parsed;
  }

  private Expression or() {
    List<Expression> operands = new ArrayList<>();
    operands.add(and());
    while (token.kind() == Kind.OR) {
      advance();
      operands.add(and());
    }
    return Expressions.or(operands);
  }

  private Expression and() {
    List<Expression> operands = new ArrayList<>();
    operands.add(unary());
    while (token.kind() == Kind.AND) {
      advance();
      operands.add(unary());
    }
    return Expressions.and(operands);
  }

  private Expression unary() {
    boolean negated = false;
    while (token.kind() == Kind.NOT) {
      negated = !negated;
      advance();
    }
    Expression operand = primary();
    return negated ? Expressions.not(operand) : operand;
  }

  private Expression primary() {
    if (token.kind() == Kind.LEFT_PAREN) {
      return parenthesised();
    }
    if (token.kind() != Kind.WORD) {
      throw expected("a label, has(…), all(), global(), ! or (");
    }
    Token word = advance();
    if (token.kind() == Kind.LEFT_PAREN) {
      return function(word);
    }
    return comparison(word.value());
  }

  private Expression parenthesised() {
    if (++depth > MAX_DEPTH) {
      throw expected("at most " + MAX_DEPTH + " nested parentheses");
    }
    advance();
    Expression inner = or();
    expect(Kind.RIGHT_PAREN, "&&, || or )");
    depth--;
    return inner;
  }

  private Expression function(Token name) {
    String function = name.value();
    switch (function) {
      case "all", "global", "has" -> advance();
      default ->
          throw lexer.expected(
              "has(…), all() or global() and not \"" + function + "(\"", name.start());
    }
    if (function.equals("has")) {
      if (token.kind() != Kind.WORD) {
        throw expected("a label");
      }
      String label = advance().value();
      expect(Kind.RIGHT_PAREN, ")");
      return new Expression.Has(label);
    }
    expect(Kind.RIGHT_PAREN, ")");
    return function.equals("all") ? Expressions.all() : new Expression.Global();
  }

  private Expression comparison(String label) {
    Token operator = token;
    return switch (operator.kind()) {
      case EQUAL -> {
        advance();
        yield new Expression.Equal(label, string());
      }
      case NOT_EQUAL -> {
        advance();
        yield new Expression.NotEqual(label, string());
      }
      case WORD -> wordComparison(label);
      case STRING, LEFT_PAREN, RIGHT_PAREN, LEFT_BRACE, RIGHT_BRACE, COMMA, NOT, AND, OR, END ->
          throw operatorExpected(label, operator);
    };
  }

  private Expression wordComparison(String label) {
    Token operator = advance();
    return switch (operator.value()) {
      case "contains" -> new Expression.Contains(label, string());
      case "startswith" -> new Expression.StartsWith(label, string());
      case "endswith" -> new Expression.EndsWith(label, string());
      case "starts" -> {
        expectWord("with");
        yield new Expression.StartsWith(label, string());
      }
      case "ends" -> {
        expectWord("with");
        yield new Expression.EndsWith(label, string());
      }
      case "in" -> Expressions.in(label, set());
      case "notin" -> Expressions.not(Expressions.in(label, set()));
      case "not" -> {
        expectWord("in");
        yield Expressions.not(Expressions.in(label, set()));
      }
      default -> throw operatorExpected(label, operator);
    };
  }

  private InvalidInputException operatorExpected(String label, Token found) {
    return lexer.expected(
        "after the label \""
            + label
            + "\" one of ==, !=, in, not in, contains, starts with, ends with",
        found.start());
  }

  private String string() {
    if (token.kind() != Kind.STRING) {
      throw expected("a quoted string");
    }
    return advance().value();
  }

  private SortedSet<String> set() {
    expect(Kind.LEFT_BRACE, "{ and quoted strings");
    SortedSet<String> values = new TreeSet<>();
    while (token.kind() == Kind.STRING) {
      values.add(advance().value());
      if (token.kind() != Kind.COMMA) {
        expect(Kind.RIGHT_BRACE, ", or }");
        return values;
      }
      advance();
    }
    expect(Kind.RIGHT_BRACE, "a quoted string or }");
    return values;
  }

  private void expect(Kind kind, String what) {
    if (token.kind() != kind) {
      throw expected(what);
    }
    advance();
  }

  private void expectWord(String word) {
    if (!token.isWord(word)) {
      throw expected(word);
    }
    advance();
  }

  private InvalidInputException expected(String what) {
    return lexer.expected(what, token.start());
  }

  /** Returns the token just left behind. */
  private Token advance() {
    Token passed = token;
    token = lexer.next();
    return passed;
  }
}
