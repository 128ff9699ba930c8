package io.wayleave.policy.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Direction;
import io.wayleave.model.Family;
import io.wayleave.model.selector.Selector;
import io.wayleave.policy.calc.AddressSetId;
import org.junit.jupiter.api.Test;

final class ChainNamesTest {
  @Test
  void keepsWhatFits() {
    assertThat(ChainNames.policy(Direction.Ingress, "allow-web.v1"))
        .isEqualTo("wl-pi-allow-web.v1");
    assertThat(ChainNames.policy(Direction.Egress, "x".repeat(22))).hasSize(28).endsWith("xx");
    assertThat(ChainNames.endpoint(Direction.Ingress, "wl0123456789a"))
        .isEqualTo("wl-in-wl0123456789a");
  }

  @Test
  void hashesWhatDoesNot() {
    String longName = ChainNames.policy(Direction.Ingress, "x".repeat(23));
    assertThat(longName).startsWith("wl-pi-_").hasSizeLessThanOrEqualTo(28);
    assertThat(ChainNames.policy(Direction.Ingress, "x".repeat(24))).isNotEqualTo(longName);
    // No policy can be named so that it gets another's hashed chain.
    String stolen = longName.substring("wl-pi-".length());
    assertThat(ChainNames.policy(Direction.Ingress, stolen)).isNotEqualTo(longName);
    assertThat(ChainNames.policy(Direction.Ingress, "a_b"))
        .startsWith("wl-pi-_")
        .doesNotContain("a_b");
  }

  @Test
  void equalSelectorsHaveOneSetAFamily() {
    AddressSetId one = new AddressSetId(Selector.parse("a == 'x'"), Family.IPV4);
    AddressSetId same = new AddressSetId(Selector.parse("!(a != \"x\")"), Family.IPV4);
    AddressSetId v6 = new AddressSetId(Selector.parse("a == 'x'"), Family.IPV6);
    assertThat(ChainNames.set(one))
        .isEqualTo(ChainNames.set(same))
        .isNotEqualTo(ChainNames.set(v6))
        .startsWith("wl-4-")
        .hasSizeLessThanOrEqualTo(31);
  }
}
