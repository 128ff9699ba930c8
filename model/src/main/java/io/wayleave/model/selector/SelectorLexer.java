package io.wayleave.model.selector;

import io.wayleave.model.InvalidInputException;

/**
 * Cuts a selector's text into tokens. Which words are operators depends on where they stand (a
 * label may be named {@code in}), so words are left to the parser. NOT thread safe.
 */
final class SelectorLexer {
  /** Longer names than this are no labels in Calico either. */
  private static final int MAX_WORD = 512;

  enum Kind {
    WORD,
    STRING,
    LEFT_PAREN,
    RIGHT_PAREN,
    LEFT_BRACE,
    RIGHT_BRACE,
    COMMA,
    EQUAL,
    NOT_EQUAL,
    NOT,
    AND,
    OR,
    END
  }

  /**
   * @param start offset of the first character in the text
   * @param value the word, the string without its quotes, or the token as written
   */
  record Token(Kind kind, int start, String value) {
    boolean isWord(String word) {
      return kind == Kind.WORD && value.equals(word);
    }
  }

  private final String text;
  private int at;

  SelectorLexer(String text) {
    this.text = text;
  }

  Token next() {
    while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
      at++;
    }
    if (at == text.length()) {
      return new Token(Kind.END, at, "");
    }
    char first = text.charAt(at);
    return switch (first) {
      case '(' -> symbol(Kind.LEFT_PAREN, 1);
      case ')' -> symbol(Kind.RIGHT_PAREN, 1);
      case '{' -> symbol(Kind.LEFT_BRACE, 1);
      case '}' -> symbol(Kind.RIGHT_BRACE, 1);
      case ',' -> symbol(Kind.COMMA, 1);
      case '!' -> text.startsWith("!=", at) ? symbol(Kind.NOT_EQUAL, 2) : symbol(Kind.NOT, 1);
      case '=' -> doubled("==", Kind.EQUAL);
      case '&' -> doubled("&&", Kind.AND);
      case '|' -> doubled("||", Kind.OR);
      case '"', '\'' -> string(first);
      default -> word();
    };
  }

  /** The refusal of the text at this offset. */
  InvalidInputException expected(String what, int offset) {
    int character = text.codePointCount(0, offset) + 1;
    return new InvalidInputException("", text, what + " at character " + character);
  }

  private Token symbol(Kind kind, int length) {
    Token token = new Token(kind, at, text.substring(at, at + length));
    at += length;
    return token;
  }

  private Token doubled(String operator, Kind kind) {
    if (!text.startsWith(operator, at)) {
      throw expected(operator, at);
    }
    return symbol(kind, 2);
  }

  private Token string(char quote) {
    int end = text.indexOf(quote, at + 1);
    if (end < 0) {
      throw expected("a closing " + quote + " for the string that starts", at);
    }
    Token token = new Token(Kind.STRING, at, text.substring(at + 1, end));
    at = end + 1;
    return token;
  }

  private Token word() {
    int end = at;
    while (end < text.length() && isWordCharacter(text.charAt(end))) {
      end++;
    }
    if (end == at) {
      throw expected("a label, an operator or a string", at);
    }
    if (end - at > MAX_WORD) {
      throw expected("a label of at most " + MAX_WORD + " characters", at);
    }
    Token token = new Token(Kind.WORD, at, text.substring(at, end));
    at = end;
    return token;
  }

  private static boolean isWordCharacter(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || c == '_'
        || c == '.'
        || c == '/'
        || c == '-';
  }
}
