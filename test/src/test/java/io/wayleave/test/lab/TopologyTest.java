package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.wayleave.model.Asn;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class TopologyTest {
  @Test
  void namesAndNumbersFollowFromRackAndHost() {
    Topology topology = new Topology(LabSpec.named("lab"));

    assertThat(topology.hosts().stream().map(Topology.Host::name))
        .containsExactly("r1h1", "r1h2", "r2h1", "r2h2");
    Topology.Host host = topology.hosts(2).getFirst();
    assertThat(host.namespace()).isEqualTo("lab-r2h1");
    assertThat(host.ipv4()).isEqualTo(IpAddress.parse("10.90.2.11"));
    assertThat(host.ipv6()).isEqualTo(IpAddress.parse("fd90:2::11"));
    assertThat(host.asn()).isEqualTo(new Asn(4_200_002_001L));
    assertThat(host.preferredRuntime()).isEqualTo(RuntimeKind.CONTAINERD);

    Topology.Tor tor = topology.tors(2).getFirst();
    assertThat(tor.kind()).isEqualTo(RouterKind.FRR);
    assertThat(tor.asn()).isEqualTo(new Asn(65002));
    assertThat(tor.uplink4()).isEqualTo(IpAddress.parse("10.90.255.3"));
    assertThat(tor.spine4()).isEqualTo(IpAddress.parse("10.90.255.2"));
  }

  @Test
  void theLargestLabGivesNoAddressAndNoAsNumberTwice() {
    Topology topology =
        new Topology(
            new LabSpec(
                "lab",
                Shape.TWO_TORS,
                LabSpec.MAX_RACKS,
                LabSpec.MAX_HOSTS,
                RouterKind.Choice.MIXED,
                true));

    List<Object> given =
        Stream.of(
                topology.hosts().stream().flatMap(h -> Stream.<Object>of(h.asn(), h.namespace())),
                topology.hosts().stream()
                    .flatMap(
                        h ->
                            topology.tors(h.rack()).stream()
                                .flatMap(
                                    t ->
                                        Stream.<Object>of(
                                            Topology.address(h, t), Topology.address6(h, t)))),
                topology.tors().stream()
                    .flatMap(
                        t ->
                            Stream.<Object>of(
                                t.gateway4(),
                                t.gateway6(),
                                t.uplink4(),
                                t.uplink6(),
                                t.spine4(),
                                t.spine6(),
                                t.asn(),
                                t.namespace())))
            .flatMap(objects -> objects)
            .toList();
    Set<Object> distinct = new HashSet<>(given);
    assertThat(distinct).hasSameSizeAs(given);
  }

  @Test
  void ofTwoSwitchesInARackEachHasANameAnAsAndASubnetOfItsOwn() {
    Topology topology =
        new Topology(new LabSpec("lab", Shape.TWO_TORS, 2, 1, RouterKind.Choice.MIXED, true));

    assertThat(topology.tors())
        .extracting(Topology.Tor::name, Topology.Tor::kind, t -> t.asn().number())
        .containsExactly(
            tuple("tor1a", RouterKind.BIRD, 65001L),
            tuple("tor1b", RouterKind.FRR, 65101L),
            tuple("tor2a", RouterKind.FRR, 65002L),
            tuple("tor2b", RouterKind.BIRD, 65102L));
    Topology.Host host = topology.hosts(1).getFirst();
    Topology.Tor second = topology.tors(1).getLast();
    assertThat(second.hostLink()).isEqualTo("eth1");
    assertThat(second.gateway4()).isEqualTo(IpAddress.parse("10.91.1.1"));
    assertThat(Topology.address(host, second)).isEqualTo(IpAddress.parse("10.91.1.11"));
    assertThat(host.ipv4()).isEqualTo(IpAddress.parse("10.90.1.11"));
  }

  @Test
  void hostsShareAnAsWhereTheShapeSaysSo() {
    assertThat(asNumbers(Shape.RACK_AS)).containsExactly(4_200_001_000L, 4_200_002_000L);
    assertThat(asNumbers(Shape.ONE_AS)).containsExactly(64512L);
    assertThat(asNumbers(Shape.ONE_TOR)).hasSize(4);
  }

  private static List<Long> asNumbers(Shape shape) {
    return new Topology(new LabSpec("lab", shape, 2, 2, RouterKind.Choice.MIXED, true))
        .hosts().stream().map(host -> host.asn().number()).distinct().toList();
  }

  @Test
  void aNamespaceBelongsToOneLabOnly() {
    assertThat(Topology.isNamespaceOf("lab", "lab-r12h3")).isTrue();
    assertThat(Topology.isNamespaceOf("lab", "lab-spine")).isTrue();
    assertThat(Topology.isNamespaceOf("lab", "lab-tor1b")).isTrue();
    assertThat(Topology.isNamespaceOf("lab", "lab2-spine")).isFalse();
    assertThat(Topology.isNamespaceOf("lab", "lab-spine2")).isFalse();
    assertThat(Topology.isNamespaceOf("lab", "lab-other-r1h1")).isFalse();
  }

  @Test
  void aWrongSpecIsRefusedByField() {
    assertThatThrownBy(() -> LabSpec.named("My-Lab"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("--name")
        .hasMessageContaining("My-Lab");
    assertThatThrownBy(() -> new LabSpec("lab", Shape.ONE_TOR, 0, 2, RouterKind.Choice.MIXED, true))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("--racks");
    assertThatThrownBy(
            () -> new LabSpec("lab", Shape.ONE_TOR, 2, 101, RouterKind.Choice.MIXED, true))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("--hosts");
    assertThatThrownBy(() -> Shape.parse("ring"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("--shape")
        .hasMessageContaining("two-tors");
    assertThatThrownBy(() -> RouterKind.Choice.parse("cisco"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("--tor");
  }
}
