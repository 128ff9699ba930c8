package io.wayleave.model;

import io.wayleave.model.selector.Selector;
import java.util.List;

/** Checks of fields that several kinds of resource, and configurations, have alike. */
public final class Checks {
  private Checks() {}

  /** Refuses a text that is no selector, naming the field and the character in it. */
  static void selector(String field, String text) {
    try {
      Selector.parse(text);
    } catch (InvalidInputException e) {
      throw e.within(field);
    }
  }

  /** Refuses names that no resource can have, naming the field and the place in the list. */
  public static void names(String field, List<String> names) {
    for (int i = 0; i < names.size(); i++) {
      try {
        Metadata.of(names.get(i));
      } catch (InvalidInputException e) {
        throw new InvalidInputException(field + "[" + i + "]", names.get(i), e.allowed());
      }
    }
  }
}
