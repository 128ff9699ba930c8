package io.wayleave.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.agent.ClosedPolicies.Stored;
import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Transaction;
import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.Kind;
import io.wayleave.model.NetworkPolicy;
import io.wayleave.model.NetworkSet;
import io.wayleave.model.PolicyRule.Action;
import io.wayleave.model.Resource;
import io.wayleave.model.Tier;
import io.wayleave.model.policy.SubjectSelector;
import io.wayleave.model.selector.Selector;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ClosedPoliciesTest {
  private static final String POLICY =
      "{\"apiVersion\":\"wayleave.io/v1\",\"kind\":\"GlobalNetworkPolicy\",\"metadata\":{\"name\":\"web\"},\"spec\":{\"selector\":\"app"
          + " == \\\"web\\\"\",\"ingress\":[{\"action\":\"Allow\"}]}}";
  private static final String NAMESPACED =
      POLICY
          .replace("Global", "")
          .replace("{\"name\":\"web\"}", "{\"name\":\"web\",\"namespace\":\"shop\"}");

  private final Datastore datastore = new MemoryDatastore();
  private final List<String> invalid = new ArrayList<>();

  @AfterEach
  void close() {
    datastore.close();
  }

  @Test
  void whatCanBeReadIsAsItIs() {
    assertThat(global(POLICY))
        .isInstanceOfSatisfying(
            Stored.Known.class,
            readable ->
                assertThat(((GlobalNetworkPolicy) readable.resource()).spec().ingress())
                    .singleElement()
                    .satisfies(rule -> assertThat(rule.action()).isEqualTo(Action.Allow)));
    assertThat(namespaced(NAMESPACED)).isInstanceOf(Stored.Known.class);
    assertThat(invalid).isEmpty();
  }

  @Test
  void aFieldOfANewerVersionClosesTheEndpointsThatItSelects() {
    assertThat(closes(global(newer(POLICY))))
        .isEqualTo(closed(Optional.empty(), Optional.empty(), "app == 'web'"));
    assertThat(invalid)
        .singleElement()
        .satisfies(
            text ->
                assertThat(text)
                    .contains("spec.ingress[0].flavour")
                    .endsWith("the endpoints it selects are closed"));
  }

  @Test
  void oneOfANamespaceClosesNothingOutsideOfIt() {
    assertThat(closes(namespaced(newer(NAMESPACED))))
        .isEqualTo(closed(Optional.of("shop"), Optional.empty(), "app == 'web'"));
    assertThat(closes(namespaced("no JSON at all")))
        .isEqualTo(closed(Optional.of("shop"), Optional.empty(), "all()"));
  }

  @Test
  void theNamespacesThatAPolicySelectsAreHeeded() {
    String some =
        newer(POLICY).replace("\"selector\"", "\"namespaceSelector\":\"has(x)\",\"selector\"");
    assertThat(closes(global(some)))
        .isEqualTo(closed(Optional.empty(), Optional.of(Selector.parse("has(x)")), "app == 'web'"));
    assertThat(closes(global(some.replace("has(x)", "has(x"))))
        .isEqualTo(closed(Optional.empty(), Optional.empty(), "app == 'web'"));
  }

  @Test
  void withoutAReadableSelectorItClosesAll() {
    for (String text : List.of(POLICY.replace("app ==", "app ="), "no JSON at all", "{}")) {
      assertThat(closes(global(text)))
          .isEqualTo(closed(Optional.empty(), Optional.empty(), "all()"));
    }
  }

  @Test
  void everyKindSaysWhatItMeans() {
    assertThat(decode(Tier.class, "first", "{}")).isInstanceOf(Stored.Unreadable.class);
    assertThat(decode(NetworkSet.class, "shop/nets", "{}")).isInstanceOf(Stored.Unreadable.class);
    assertThat(invalid).hasSize(2);
    assertThat(invalid.get(0)).endsWith("the endpoints under its policies are closed");
    assertThat(invalid.get(1)).endsWith("which may choose it deny everything");
  }

  private static String newer(String policy) {
    return policy.replace("\"action\"", "\"flavour\":1,\"action\"");
  }

  private static SubjectSelector closed(
      Optional<String> namespace, Optional<Selector> namespaceSelector, String selector) {
    return new SubjectSelector(namespace, namespaceSelector, Selector.parse(selector));
  }

  /** What is closed, which must be told with the reason that is reported. */
  private SubjectSelector closes(Stored<?> stored) {
    Stored.Unreadable<?> unreadable = (Stored.Unreadable<?>) stored;
    assertThat(invalid.getLast()).endsWith(": " + unreadable.why());
    return unreadable.closes();
  }

  private Stored<?> global(String json) {
    return decode(GlobalNetworkPolicy.class, "web", json);
  }

  private Stored<?> namespaced(String json) {
    return decode(NetworkPolicy.class, "shop/web", json);
  }

  private <R extends Resource> Stored<R> decode(Class<R> type, String id, String json) {
    ClosedPolicies<R> decoder =
        new ClosedPolicies<>(type, (key, reason) -> invalid.add(key + ": " + reason));
    String key = ResourceStore.key(Kind.of(type), id);
    datastore.commit(
        Transaction.builder().put(key, json.getBytes(StandardCharsets.UTF_8)).build(),
        datastore.deadline());
    Entry entry = datastore.get(key, datastore.deadline()).orElseThrow();
    return decoder.value(decoder.key(key), entry);
  }
}
