package io.wayleave.test.policy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Whether labels match a selector: reads the text anew for every object and decides while it reads.
 * It knows the language as docs/policy.md describes it, takes texts for well-formed, and shares
 * nothing with the selectors of the model.
 */
final class NaiveSelector {
  private final String text;
  private final Map<String, String> labels;
  private int at;

  private NaiveSelector(String text, Map<String, String> labels) {
    this.text = text;
    this.labels = labels;
  }

  static boolean matches(String text, Map<String, String> labels) {
    NaiveSelector reader = new NaiveSelector(text, labels);
    reader.space();
    if (reader.at == text.length()) {
      return true;
    }
    boolean result = reader.or();
    if (reader.at != text.length()) {
      throw new IllegalArgumentException(text + " goes on at " + reader.at);
    }
    return result;
  }

  private boolean or() {
    boolean result = and();
    while (eat("||")) {
      // Both sides are read, whatever the first one is.
      result |= and();
    }
    return result;
  }

  private boolean and() {
    boolean result = not();
    while (eat("&&")) {
      result &= not();
    }
    return result;
  }

  private boolean not() {
    return eat("!") ? !not() : term();
  }

  private boolean term() {
    if (eat("(")) {
      boolean inner = or();
      require(")");
      return inner;
    }
    String word = word();
    if (eat("(")) {
      return function(word);
    }
    String value = labels.get(word);
    if (eat("==")) {
      return string().equals(value);
    }
    if (eat("!=")) {
      return !string().equals(value);
    }
    String operator = word();
    return switch (operator) {
      case "contains" -> {
        String part = string();
        yield value != null && value.contains(part);
      }
      case "starts", "startswith" -> {
        if (operator.equals("starts")) {
          require("with");
        }
        String start = string();
        yield value != null && value.startsWith(start);
      }
      case "ends", "endswith" -> {
        if (operator.equals("ends")) {
          require("with");
        }
        String end = string();
        yield value != null && value.endsWith(end);
      }
      case "in" -> set().contains(value);
      case "notin" -> !set().contains(value);
      case "not" -> {
        require("in");
        yield !set().contains(value);
      }
      default -> throw new IllegalArgumentException(operator + " in " + text);
    };
  }

  private boolean function(String name) {
    if (name.equals("has")) {
      String label = word();
      require(")");
      return labels.containsKey(label);
    }
    require(")");
    if (name.equals("all") || name.equals("global")) {
      return true;
    }
    throw new IllegalArgumentException(name + "() in " + text);
  }

  private List<String> set() {
    List<String> values = new ArrayList<>();
    require("{");
    while (!eat("}")) {
      values.add(string());
      eat(",");
    }
    return values;
  }

  private String string() {
    space();
    int end = text.indexOf(text.charAt(at), at + 1);
    String string = text.substring(at + 1, end);
    at = end + 1;
    space();
    return string;
  }

  private String word() {
    int start = at;
    while (at < text.length()
        && (Character.isLetterOrDigit(text.charAt(at)) || "_./-".indexOf(text.charAt(at)) >= 0)) {
      at++;
    }
    String word = text.substring(start, at);
    space();
    return word;
  }

  private void require(String token) {
    if (!eat(token)) {
      throw new IllegalArgumentException(token + " is missing at " + at + " of " + text);
    }
  }

  private boolean eat(String token) {
    if (!text.startsWith(token, at)) {
      return false;
    }
    at += token.length();
    space();
    return true;
  }

  private void space() {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
  }
}
