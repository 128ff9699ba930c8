package io.wayleave.bgp.filter;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.RoutePolicy;

/**
 * Lets no route pass. It stands for a filter that cannot be had: a peer whose filter is missing
 * must not be treated as one that has none.
 *
 * @param reason for people
 */
public record RejectAll(String reason) implements RoutePolicy {
  public RejectAll {
    requireNonNull(reason, "reason is null");
  }

  @Override
  public Verdict judge(Subject subject) {
    return new Verdict.Reject(reason);
  }
}
