package io.wayleave.test.lab;

import io.wayleave.model.InvalidInputException;
import java.util.Locale;

/** The routing daemon that a top-of-rack switch of the lab runs. */
public enum RouterKind {
  BIRD,
  FRR;

  /** What {@code --tor} asks for: one kind in all racks, or both in turn. */
  public enum Choice {
    BIRD,
    FRR,
    /** BIRD in odd racks, FRR in even ones. */
    MIXED;

    static Choice parse(String text) {
      return switch (text) {
        case "bird" -> BIRD;
        case "frr" -> FRR;
        case "mixed" -> MIXED;
        default -> throw new InvalidInputException("--tor", text, "bird, frr or mixed");
      };
    }

    RouterKind inRack(int rack) {
      return switch (this) {
        case BIRD -> RouterKind.BIRD;
        case FRR -> RouterKind.FRR;
        case MIXED -> rack % 2 == 1 ? RouterKind.BIRD : RouterKind.FRR;
      };
    }
  }

  /** The name in print and in the state file. */
  String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
