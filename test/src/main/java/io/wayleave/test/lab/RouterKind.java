package io.wayleave.test.lab;

import io.wayleave.model.InvalidInputException;
import java.util.Locale;

/** The routing daemon that a top-of-rack switch of the lab runs. */
public enum RouterKind {
  BIRD,
  FRR;

  /** What {@code --tor} asks for: one kind everywhere, or both in turn. */
  public enum Choice {
    BIRD,
    FRR,
    /**
     * BIRD in odd racks, FRR in even ones; of the two switches of a rack the second is the other.
     */
    MIXED;

    static Choice parse(String text) {
      return switch (text) {
        case "bird" -> BIRD;
        case "frr" -> FRR;
        case "mixed" -> MIXED;
        default -> throw new InvalidInputException("--tor", text, "bird, frr or mixed");
      };
    }

    /**
     * @param number of the switch in its rack, counted from 1
     */
    RouterKind of(int rack, int number) {
      return switch (this) {
        case BIRD -> RouterKind.BIRD;
        case FRR -> RouterKind.FRR;
        case MIXED -> (rack + number) % 2 == 0 ? RouterKind.BIRD : RouterKind.FRR;
      };
    }
  }

  /** The name in print and in the state file. */
  String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
