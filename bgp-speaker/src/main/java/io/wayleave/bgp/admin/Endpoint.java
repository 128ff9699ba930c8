package io.wayleave.bgp.admin;

import static java.util.Objects.requireNonNull;

import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * What one path of the admin API answers.
 *
 * @param changes whether it is asked by POST, because it does something
 * @param answer from the parameters of the request to a record for JSON, or {@link Text}; called on
 *     a virtual thread. An {@link io.wayleave.model.InvalidInputException} is the asker's mistake
 */
public record Endpoint(boolean changes, Function<Map<String, String>, Object> answer) {
  public Endpoint {
    requireNonNull(answer, "answer is null");
  }

  /** An answer that is not JSON. */
  public record Text(String contentType, String text) {}

  /** A question without parameters. */
  public static Endpoint get(Supplier<?> answer) {
    return new Endpoint(false, _ -> answer.get());
  }

  public static Endpoint get(Function<Map<String, String>, Object> answer) {
    return new Endpoint(false, answer);
  }

  /** Something to be done. */
  public static Endpoint post(Function<Map<String, String>, Object> answer) {
    return new Endpoint(true, answer);
  }

  String method() {
    return changes ? "POST" : "GET";
  }
}
