package io.wayleave.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.MemoryDatastore;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Transaction;
import io.wayleave.model.Direction;
import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.Kind;
import io.wayleave.model.PolicyRule.Action;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ClosedPoliciesTest {
  private static final String POLICY =
      "{\"apiVersion\":\"wayleave.io/v1\",\"kind\":\"GlobalNetworkPolicy\",\"metadata\":{\"name\":\"web\"},\"spec\":{\"selector\":\"app"
          + " == \\\"web\\\"\",\"ingress\":[{\"action\":\"Allow\"}]}}";

  private final Datastore datastore = new MemoryDatastore();
  private final List<String> invalid = new ArrayList<>();
  private final ClosedPolicies decoder =
      new ClosedPolicies((key, reason) -> invalid.add(key + ": " + reason));

  @AfterEach
  void close() {
    datastore.close();
  }

  @Test
  void oneThatCanBeReadIsAsItIs() {
    GlobalNetworkPolicy policy = decode(POLICY);
    assertThat(ClosedPolicies.isClosed(policy)).isFalse();
    assertThat(policy.spec().ingress())
        .singleElement()
        .satisfies(rule -> assertThat(rule.action()).isEqualTo(Action.Allow));
    assertThat(invalid).isEmpty();
  }

  @Test
  void aFieldOfANewerVersionClosesTheEndpointsThatItSelects() {
    GlobalNetworkPolicy policy = decode(POLICY.replace("\"action\"", "\"flavour\":1,\"action\""));
    assertThat(ClosedPolicies.isClosed(policy)).isTrue();
    assertThat(policy.spec().selector()).isEqualTo("app == \"web\"");
    assertThat(policy.spec().types()).containsExactly(Direction.Ingress, Direction.Egress);
    assertThat(policy.spec().ingress())
        .singleElement()
        .satisfies(rule -> assertThat(rule.action()).isEqualTo(Action.Deny));
    assertThat(policy.spec().egress()).isEqualTo(policy.spec().ingress());
    assertThat(policy.spec().order().orElseThrow()).isLessThan(-1e300);
    assertThat(invalid)
        .singleElement()
        .satisfies(
            text ->
                assertThat(text)
                    .contains("spec.ingress[0].flavour")
                    .endsWith("the endpoints it selects are closed"));
  }

  @Test
  void withoutAReadableSelectorItClosesAll() {
    assertThat(decode(POLICY.replace("app ==", "app =")).spec().selector()).isEqualTo("all()");
    assertThat(decode("no JSON at all").spec().selector()).isEqualTo("all()");
    assertThat(decode("{}").spec().selector()).isEqualTo("all()");
  }

  private GlobalNetworkPolicy decode(String json) {
    String key = ResourceStore.key(Kind.GLOBAL_NETWORK_POLICY, "web");
    datastore.commit(
        Transaction.builder().put(key, json.getBytes(StandardCharsets.UTF_8)).build(),
        datastore.deadline());
    Entry entry = datastore.get(key, datastore.deadline()).orElseThrow();
    return decoder.value("web", entry);
  }
}
