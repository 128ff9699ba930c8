package io.wayleave.policy.dataplane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class IpsetDriverTest {
  private static final Cidr ONE = Cidr.parse("10.0.0.1");
  private static final Cidr TWO = Cidr.parse("10.0.0.2");
  private static final Cidr SIX = Cidr.parse("fd00::1");

  private final FakeKernel kernel = new FakeKernel();
  private final IpsetDriver driver = new IpsetDriver(kernel);

  @Test
  void createsAndThenWritesDeltas() {
    driver.putSet("wl-4-a", Family.IPV4);
    driver.addMember("wl-4-a", ONE);
    driver.putSet("wl-6-a", Family.IPV6);
    driver.addMember("wl-6-a", SIX);
    apply();
    assertThat(kernel.takeLog())
        .containsExactlyInAnyOrder(
            "ipset save",
            "ipset restore -exist",
            "create wl-4-a hash:net family inet maxelem 1048576",
            "create wl-6-a hash:net family inet6 maxelem 1048576",
            "add wl-4-a 10.0.0.1/32",
            "add wl-6-a fd00::1/128");

    driver.addMember("wl-4-a", TWO);
    driver.removeMember("wl-4-a", ONE);
    driver.applyAdditions();
    assertThat(kernel.takeLog()).containsExactly("ipset restore -exist", "add wl-4-a 10.0.0.2/32");
    driver.applyRemovals();
    assertThat(kernel.takeLog()).containsExactly("ipset restore -exist", "del wl-4-a 10.0.0.1/32");
    apply();
    assertThat(kernel.takeLog()).isEmpty();
  }

  @Test
  void adoptsWhatItFindsAndRepairs() {
    driver.putSet("wl-4-a", Family.IPV4);
    driver.addMember("wl-4-a", ONE);
    driver.putSet("wl-6-a", Family.IPV6);
    driver.addMember("wl-6-a", SIX);
    apply();
    kernel.takeLog();
    driver.invalidate();
    apply();
    assertThat(kernel.takeLog()).containsExactly("ipset save");

    kernel.sets().get("wl-4-a").add("192.0.2.0/24");
    kernel.sets().get("wl-4-a").remove("10.0.0.1/32");
    kernel.sets().remove("wl-6-a");
    driver.invalidate();
    apply();
    assertThat(kernel.sets())
        .isEqualTo(
            Map.of(
                "wl-4-a", Set.of("10.0.0.1/32"),
                "wl-6-a", Set.of("fd00::1/128")));
  }

  @Test
  void destroysOwnSetsOnlyAndAgainWhenTheyWereHeld() {
    driver.putSet("wl-4-a", Family.IPV4);
    driver.addMember("wl-4-a", ONE);
    apply();
    kernel.sets().put("others", Set.of());
    driver.invalidate();
    driver.removeSet("wl-4-a");
    kernel.hold("wl-4-a");
    apply();
    assertThat(driver.failing()).containsOnlyKeys("wl-4-a");
    kernel.work();
    apply();
    assertThat(driver.failing()).isEmpty();
    assertThat(kernel.sets()).containsOnlyKeys("others");
  }

  @Test
  void aSetThatComesBackHasItsNewMembersOnly() {
    driver.putSet("wl-4-a", Family.IPV4);
    driver.addMember("wl-4-a", ONE);
    apply();
    driver.removeSet("wl-4-a");
    driver.putSet("wl-4-a", Family.IPV4);
    driver.addMember("wl-4-a", TWO);
    apply();
    assertThat(kernel.sets()).isEqualTo(Map.of("wl-4-a", Set.of("10.0.0.2/32")));

    driver.removeSet("wl-4-a");
    apply();
    driver.putSet("wl-4-a", Family.IPV4);
    driver.addMember("wl-4-a", ONE);
    apply();
    assertThat(kernel.sets()).isEqualTo(Map.of("wl-4-a", Set.of("10.0.0.1/32")));
  }

  @Test
  void afterAFailureItLooksAgain() {
    driver.putSet("wl-4-a", Family.IPV4);
    driver.addMember("wl-4-a", ONE);
    apply();
    // The set vanishes, so that an addition fails.
    kernel.sets().clear();
    driver.addMember("wl-4-a", TWO);
    assertThatThrownBy(this::apply)
        .isInstanceOf(DataplaneException.class)
        .hasMessageContaining("ipset restore failed: Error in line 1");
    apply();
    assertThat(kernel.sets()).isEqualTo(Map.of("wl-4-a", Set.of("10.0.0.1/32", "10.0.0.2/32")));
  }

  private void apply() {
    driver.applyAdditions();
    driver.applyRemovals();
  }
}
