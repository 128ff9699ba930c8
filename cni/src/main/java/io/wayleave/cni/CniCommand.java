package io.wayleave.cni;

import java.util.Arrays;
import java.util.Optional;

/** What a runtime can ask for, with the first version of the specification that has it. */
public enum CniCommand {
  ADD(CniVersion.V0_3_1),
  DEL(CniVersion.V0_3_1),
  CHECK(CniVersion.V0_4_0),
  STATUS(CniVersion.V1_1_0),
  GC(CniVersion.V1_1_0);

  private final CniVersion since;

  CniCommand(CniVersion since) {
    this.since = since;
  }

  /** VERSION is not among them: the launcher answers it. */
  static Optional<CniCommand> of(String text) {
    return Arrays.stream(values()).filter(command -> command.name().equals(text)).findFirst();
  }

  public CniVersion since() {
    return since;
  }

  /** Whether it is about one interface of one container. */
  boolean needsAttachment() {
    return switch (this) {
      case ADD, DEL, CHECK -> true;
      case STATUS, GC -> false;
    };
  }
}
