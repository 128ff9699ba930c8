package io.wayleave.cni;

import io.wayleave.model.InvalidInputException;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The variable CNI_ARGS: {@code KEY=value} after {@code KEY=value}, with semicolons between. Read
 * in any case, so that a malformed one is never passed over.
 */
final class CniArguments {
  /** Labels of the endpoint; a variable of the same name has them too. */
  static final String LABELS = "WAYLEAVE_LABELS";

  private static final String IGNORE_UNKNOWN = "IgnoreUnknown";
  private static final Set<String> KNOWN = Set.of("IP", IGNORE_UNKNOWN, LABELS);

  private final Map<String, String> values;

  private CniArguments(Map<String, String> values) {
    this.values = values;
  }

  static CniArguments of(RequestFrame frame) {
    String text = frame.variable("CNI_ARGS").orElse("");
    Map<String, String> values = new HashMap<>();
    for (String pair : text.isEmpty() ? new String[0] : text.split(";", -1)) {
      int equals = pair.indexOf('=');
      if (equals < 1) {
        throw new InvalidInputException(
            "CNI_ARGS", text, "KEY=value, more of them after semicolons");
      }
      values.put(pair.substring(0, equals), pair.substring(equals + 1));
    }
    boolean ignoreUnknown = Set.of("1", "true").contains(values.getOrDefault(IGNORE_UNKNOWN, ""));
    for (String key : values.keySet()) {
      if (!KNOWN.contains(key) && !key.startsWith("K8S_") && !ignoreUnknown) {
        throw new InvalidInputException(
            "CNI_ARGS",
            key,
            "IP, IgnoreUnknown, WAYLEAVE_LABELS and K8S_*; others only with IgnoreUnknown=1");
      }
    }
    return new CniArguments(values);
  }

  Optional<String> get(String key) {
    return Optional.ofNullable(values.get(key));
  }
}
