package io.wayleave.policy.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Cidr;
import io.wayleave.model.Direction;
import io.wayleave.model.Family;
import io.wayleave.model.Kind;
import io.wayleave.model.PortName;
import io.wayleave.model.Protocol;
import io.wayleave.model.policy.SubjectSelector;
import io.wayleave.model.selector.Selector;
import io.wayleave.policy.calc.RuleBlock;
import io.wayleave.policy.calc.SetId;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class ChainNamesTest {
  @Test
  void keepsWhatFits() {
    assertThat(global(Direction.Ingress, "allow-web.v1")).isEqualTo("wl-gi-allow-web.v1");
    assertThat(global(Direction.Egress, "x".repeat(22))).hasSize(28).endsWith("xx");
    assertThat(name(Kind.NETWORK_POLICY, Direction.Ingress, "shop/web"))
        .isEqualTo("wl-ni-shop_web");
    assertThat(name(Kind.PROFILE, Direction.Egress, "base")).isEqualTo("wl-po-base");
  }

  @Test
  void hashesWhatDoesNot() {
    String longName = global(Direction.Ingress, "x".repeat(23));
    assertThat(longName).startsWith("wl-gi-_").hasSizeLessThanOrEqualTo(28);
    assertThat(global(Direction.Ingress, "x".repeat(24))).isNotEqualTo(longName);
    // No policy can be named so that it gets another's hashed chain.
    String stolen = longName.substring("wl-gi-".length());
    assertThat(global(Direction.Ingress, stolen)).isNotEqualTo(longName);
    assertThat(global(Direction.Ingress, "a_b")).startsWith("wl-gi-_").doesNotContain("a_b");
  }

  @Test
  void kindsNamespacesAndDirectionsDoNotMeet() {
    Set<String> names = new HashSet<>();
    for (Direction direction : Direction.values()) {
      for (String id : List.of("a", "a-b", "a_b", "a.b", "default", "n".repeat(253))) {
        assertThat(names.add(global(direction, id))).as(id).isTrue();
        assertThat(names.add(name(Kind.PROFILE, direction, id))).as(id).isTrue();
      }
      for (String id :
          List.of(
              "a/b",
              "a/a",
              "a-/b",
              "a/-b",
              "a_b/c",
              "a/b_c",
              "a.b/c",
              "a/b.c",
              "n".repeat(63) + "/" + "x".repeat(253))) {
        assertThat(names.add(name(Kind.NETWORK_POLICY, direction, id))).as(id).isTrue();
      }
    }
    assertThat(names).allMatch(name -> name.length() <= ChainNames.MAX_LENGTH);
  }

  @Test
  void setsAreNamedByWhatIsInThem() {
    SetId one = set("a == 'x'", Family.IPV4);
    assertThat(ChainNames.set(one))
        .isEqualTo(ChainNames.set(set("!(a != \"x\")", Family.IPV4)))
        .startsWith("wl-4n-")
        .hasSizeLessThanOrEqualTo(31);
    SetId inNamespace =
        new SetId.Nets(
            new SubjectSelector(Optional.of("shop"), Optional.empty(), Selector.parse("a == 'x'")),
            Family.IPV4);
    SetId http = named("http", Protocol.TCP);
    assertThat(
            List.of(
                ChainNames.set(one),
                ChainNames.set(inNamespace),
                ChainNames.set(set("a == 'x'", Family.IPV6)),
                ChainNames.set(http),
                ChainNames.set(named("http", Protocol.UDP)),
                ChainNames.set(named("https", Protocol.TCP)),
                list("10.0.0.0/8", "10.1.0.0/16"),
                list("10.0.0.0/8")))
        .doesNotHaveDuplicates();
    assertThat(list("10.0.0.0/8")).isEqualTo(list("10.0.0.0/8"));
  }

  @Test
  void containersHaveInterfacesOfThisForm() {
    assertThat(ChainNames.isWorkloadInterface("wl0123456789a")).isTrue();
    for (String other :
        List.of("wl", "wlan0", "wlp3s0", "eth0", "wl0+", "wl0 ", "wl\"", "wl00000000000000")) {
      assertThat(ChainNames.isWorkloadInterface(other)).as(other).isFalse();
    }
  }

  private static String global(Direction direction, String name) {
    return name(Kind.GLOBAL_NETWORK_POLICY, direction, name);
  }

  private static String name(Kind kind, Direction direction, String id) {
    return ChainNames.rules(direction, new RuleBlock.Id(kind, id));
  }

  private static SetId named(String name, Protocol protocol) {
    return new SetId.NamedPort(SubjectSelector.ALL, new PortName(name), protocol, Family.IPV4);
  }

  private static String list(String... nets) {
    return ChainNames.list(Family.IPV4, List.of(nets).stream().map(Cidr::parse).toList());
  }

  private static SetId.Nets set(String selector, Family family) {
    return new SetId.Nets(
        new SubjectSelector(Optional.empty(), Optional.empty(), Selector.parse(selector)), family);
  }
}
