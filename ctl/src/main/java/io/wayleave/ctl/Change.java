package io.wayleave.ctl;

import io.wayleave.model.Kind;
import io.wayleave.model.Resource;

/** What a command did to one resource. */
record Change(Kind kind, String name, Outcome outcome) {
  /** What became of it. */
  enum Outcome {
    CREATED("created"),
    REPLACED("replaced"),
    UNCHANGED("unchanged"),
    DELETED("deleted"),
    DISABLED("disabled"),
    ENABLED("enabled"),
    ABSENT("absent");

    private final String word;

    Outcome(String word) {
      this.word = word;
    }

    String word() {
      return word;
    }
  }

  static Change of(Resource resource, Outcome outcome) {
    return new Change(resource.kind(), resource.id(), outcome);
  }

  /** {@code IPPool web created}. */
  @Override
  public String toString() {
    return kind.title() + " " + name + " " + outcome.word();
  }
}
