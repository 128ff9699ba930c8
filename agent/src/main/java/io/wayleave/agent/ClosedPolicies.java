package io.wayleave.agent;

import com.fasterxml.jackson.databind.JsonNode;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Syncer;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.Kind;
import io.wayleave.model.Resource;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.policy.SubjectSelector;
import io.wayleave.model.selector.Selector;
import io.wayleave.policy.calc.PolicyCalculator;
import java.io.IOException;
import java.util.Optional;
import java.util.function.BiConsumer;

/**
 * Reads what policy depends on, and fails closed: what this version cannot read, such as a policy
 * with a field that only a newer version knows, is told as unreadable, so that the engine closes
 * what it may have been written to close. To take it for absent would open that.
 */
final class ClosedPolicies<R extends Resource>
    implements Syncer.Decoder<String, ClosedPolicies.Stored<R>> {

  /** What the datastore has under a key. */
  sealed interface Stored<R extends Resource> {
    record Known<R extends Resource>(R resource) implements Stored<R> {}

    /**
     * Something that cannot be read.
     *
     * @param closes of policies, the endpoints that it may govern: those of its selector, of all
     *     that it can be when that cannot be read either
     * @param why it cannot be read, and what comes of it
     */
    record Unreadable<R extends Resource>(SubjectSelector closes, String why)
        implements Stored<R> {}
  }

  private final Kind kind;
  private final Syncer.Decoder<String, R> strict;
  private final BiConsumer<String, String> onInvalid;

  /**
   * Makes a reader of one kind.
   *
   * @param onInvalid told the key of what cannot be read, and why
   */
  ClosedPolicies(Class<R> type, BiConsumer<String, String> onInvalid) {
    this.kind = Kind.of(type);
    this.strict = ResourceStore.decoder(type);
    this.onInvalid = onInvalid;
  }

  @Override
  public String key(String key) {
    return strict.key(key);
  }

  @Override
  public Stored<R> value(String id, Entry entry) {
    try {
      return new Stored.Known<>(strict.value(id, entry));
    } catch (IllegalArgumentException e) {
      String why = e.getMessage() + "; " + consequence();
      onInvalid.accept(entry.key(), why);
      return new Stored.Unreadable<>(closes(id, entry.value()), why);
    }
  }

  private String consequence() {
    return switch (kind) {
      case NETWORK_POLICY, GLOBAL_NETWORK_POLICY -> "the endpoints it selects are closed";
      case PROFILE -> "the endpoints that name it are closed";
      case TIER -> "the endpoints under its policies are closed";
      case NETWORK_SET, GLOBAL_NETWORK_SET ->
          "policies that deny by a selector which may choose it deny everything";
      case WORKLOAD_ENDPOINT -> "it passes nothing";
      case HOST_ENDPOINT -> "it guards nothing";
      default -> throw PolicyCalculator.governsNothing(kind);
    };
  }

  private SubjectSelector closes(String id, byte[] value) {
    return switch (kind) {
      case NETWORK_POLICY ->
          new SubjectSelector(
              Optional.of(id.indexOf('/')).filter(end -> end > 0).map(end -> id.substring(0, end)),
              Optional.empty(),
              selector(value, "selector").orElse(Selector.all()));
      case GLOBAL_NETWORK_POLICY ->
          new SubjectSelector(
              Optional.empty(),
              selector(value, "namespaceSelector"),
              selector(value, "selector").orElse(Selector.all()));
      default -> SubjectSelector.ALL;
    };
  }

  private static Optional<Selector> selector(byte[] value, String field) {
    try {
      JsonNode text = ResourceCodec.jsonMapper().readTree(value).path("spec").path(field);
      return text.isTextual() && !text.asText().isEmpty()
          ? Optional.of(Selector.parse(text.asText()))
          : Optional.empty();
    } catch (IOException | InvalidInputException e) {
      return Optional.empty();
    }
  }
}
