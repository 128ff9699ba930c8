package io.wayleave.test.lab;

import io.wayleave.model.InvalidInputException;
import java.util.Locale;

/** A container runtime that lab hosts have. Every host has both; a rack prefers one. */
public enum RuntimeKind {
  PODMAN,
  CONTAINERD;

  static RuntimeKind parse(String text) {
    return switch (text) {
      case "podman" -> PODMAN;
      case "containerd" -> CONTAINERD;
      default -> throw new InvalidInputException("--runtime", text, "podman or containerd");
    };
  }

  /** Podman in odd racks, containerd in even ones. */
  static RuntimeKind inRack(int rack) {
    return rack % 2 == 1 ? PODMAN : CONTAINERD;
  }

  String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
