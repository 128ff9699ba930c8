package io.wayleave.agent;

import com.fasterxml.jackson.databind.JsonNode;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Syncer;
import io.wayleave.model.Direction;
import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.Metadata;
import io.wayleave.model.PolicyRule;
import io.wayleave.model.PolicyRule.Action;
import io.wayleave.model.PolicySpec;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.Tier;
import io.wayleave.model.selector.Selector;
import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;

/**
 * Reads policies, and fails closed: one that this version cannot read, such as one with a field
 * that only a newer version knows, becomes a policy that denies everything to the endpoints that
 * its selector chooses, and to all when the selector cannot be read either. To take it for absent
 * would open what it was written to close.
 */
final class ClosedPolicies implements Syncer.Decoder<String, GlobalNetworkPolicy> {
  private static final String CLOSED = "wayleave.io/closed-because-unreadable";

  /** Before every policy that somebody wrote. */
  private static final double FIRST = -Double.MAX_VALUE;

  private final Syncer.Decoder<String, GlobalNetworkPolicy> strict =
      ResourceStore.decoder(GlobalNetworkPolicy.class);
  private final BiConsumer<String, String> onInvalid;

  /**
   * Makes a reader.
   *
   * @param onInvalid told the key of a policy that cannot be read, and why
   */
  ClosedPolicies(BiConsumer<String, String> onInvalid) {
    this.onInvalid = onInvalid;
  }

  @Override
  public String key(String key) {
    return strict.key(key);
  }

  @Override
  public GlobalNetworkPolicy value(String name, Entry entry) {
    try {
      return strict.value(name, entry);
    } catch (IllegalArgumentException e) {
      onInvalid.accept(entry.key(), e.getMessage() + "; the endpoints it selects are closed");
      return closed(name, selector(entry.value()));
    }
  }

  static boolean isClosed(GlobalNetworkPolicy policy) {
    return policy.metadata().annotations().containsKey(CLOSED);
  }

  private static GlobalNetworkPolicy closed(String name, String selector) {
    PolicyRule deny = PolicyRule.of(Action.Deny);
    return new GlobalNetworkPolicy(
        Metadata.of(name).withAnnotations(Map.of(CLOSED, "true")),
        new PolicySpec(
            Tier.DEFAULT,
            Optional.of(FIRST),
            selector,
            Optional.empty(),
            EnumSet.allOf(Direction.class),
            List.of(deny),
            List.of(deny),
            Optional.empty()));
  }

  private static String selector(byte[] value) {
    try {
      JsonNode selector = ResourceCodec.jsonMapper().readTree(value).path("spec").path("selector");
      if (selector.isTextual()) {
        Selector.parse(selector.asText());
        return selector.asText();
      }
      return "all()";
    } catch (IOException | InvalidInputException e) {
      return "all()";
    }
  }
}
