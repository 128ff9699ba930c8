package io.wayleave.ctl;

import io.wayleave.model.Kind;
import java.util.List;
import java.util.Optional;

/** How resources are called in sentences. */
final class Names {
  /** How a command describes its names of resources of any kind. */
  static final String WHICH =
      "which ones; of kinds in namespaces as NAMESPACE/NAME, or NAME in the namespace default";

  private Names() {}

  /** The id of the resource that a person calls so. */
  static String id(Kind kind, String typed) {
    return typed.contains("/") ? typed : kind.idOf(Optional.empty(), typed);
  }

  /** {@code IPPool "web"}. */
  static String of(Kind kind, String name) {
    return kind.title() + " \"" + name + "\"";
  }

  /** {@code 1 address}, {@code 2 addresses}. */
  static String count(int number, String one, String many) {
    return number + " " + (number == 1 ? one : many);
  }

  /** The first few, and how many more there are. */
  static String some(List<String> names, int most) {
    return names.size() <= most
        ? String.join(", ", names)
        : String.join(", ", names.subList(0, most)) + " and " + (names.size() - most) + " more";
  }
}
