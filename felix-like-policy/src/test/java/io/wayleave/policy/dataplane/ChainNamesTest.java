package io.wayleave.policy.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Direction;
import io.wayleave.model.Family;
import io.wayleave.model.Kind;
import io.wayleave.model.policy.SubjectSelector;
import io.wayleave.model.selector.Selector;
import io.wayleave.policy.calc.RuleBlock;
import io.wayleave.policy.calc.SetId;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class ChainNamesTest {
  @Test
  void keepsWhatFits() {
    assertThat(policy(Direction.Ingress, "allow-web.v1")).isEqualTo("wl-pi-allow-web.v1");
    assertThat(policy(Direction.Egress, "x".repeat(22))).hasSize(28).endsWith("xx");
    assertThat(ChainNames.endpoint(Direction.Ingress, "wl0123456789a"))
        .isEqualTo("wl-in-wl0123456789a");
  }

  @Test
  void hashesWhatDoesNot() {
    String longName = policy(Direction.Ingress, "x".repeat(23));
    assertThat(longName).startsWith("wl-pi-_").hasSizeLessThanOrEqualTo(28);
    assertThat(policy(Direction.Ingress, "x".repeat(24))).isNotEqualTo(longName);
    // No policy can be named so that it gets another's hashed chain.
    String stolen = longName.substring("wl-pi-".length());
    assertThat(policy(Direction.Ingress, stolen)).isNotEqualTo(longName);
    assertThat(policy(Direction.Ingress, "a_b")).startsWith("wl-pi-_").doesNotContain("a_b");
  }

  @Test
  void equalSelectorsHaveOneSetAFamily() {
    SetId.Nets one = set("a == 'x'", Family.IPV4);
    SetId.Nets same = set("!(a != \"x\")", Family.IPV4);
    SetId.Nets v6 = set("a == 'x'", Family.IPV6);
    assertThat(ChainNames.set(one))
        .isEqualTo(ChainNames.set(same))
        .isNotEqualTo(ChainNames.set(v6))
        .startsWith("wl-4-")
        .hasSizeLessThanOrEqualTo(31);
  }

  private static String policy(Direction direction, String name) {
    return ChainNames.policy(direction, new RuleBlock.Id(Kind.GLOBAL_NETWORK_POLICY, name));
  }

  private static SetId.Nets set(String selector, Family family) {
    return new SetId.Nets(
        new SubjectSelector(Optional.empty(), Optional.empty(), Selector.parse(selector)), family);
  }
}
