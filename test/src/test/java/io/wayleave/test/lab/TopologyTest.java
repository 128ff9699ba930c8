package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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

    Topology.Tor tor = topology.tor(2);
    assertThat(tor.kind()).isEqualTo(RouterKind.FRR);
    assertThat(tor.asn()).isEqualTo(new Asn(65002));
    assertThat(tor.uplink4()).isEqualTo(IpAddress.parse("10.90.255.3"));
    assertThat(topology.spineAddress(2)).isEqualTo(IpAddress.parse("10.90.255.2"));
  }

  @Test
  void theLargestLabGivesNoAddressAndNoAsNumberTwice() {
    Topology topology =
        new Topology(
            new LabSpec(
                "lab", LabSpec.MAX_RACKS, LabSpec.MAX_HOSTS, RouterKind.Choice.MIXED, true));

    List<Object> given =
        Stream.concat(
                topology.hosts().stream()
                    .flatMap(h -> Stream.<Object>of(h.ipv4(), h.ipv6(), h.asn(), h.namespace())),
                topology.tors().stream()
                    .flatMap(
                        t ->
                            Stream.<Object>of(
                                t.gateway4(),
                                t.gateway6(),
                                t.uplink4(),
                                t.uplink6(),
                                topology.spineAddress(t.rack()),
                                topology.spineAddress6(t.rack()),
                                t.asn(),
                                t.namespace())))
            .toList();
    Set<Object> distinct = new HashSet<>(given);
    assertThat(distinct).hasSameSizeAs(given);
  }

  @Test
  void aNamespaceBelongsToOneLabOnly() {
    assertThat(Topology.isNamespaceOf("lab", "lab-r12h3")).isTrue();
    assertThat(Topology.isNamespaceOf("lab", "lab-spine")).isTrue();
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
    assertThatThrownBy(() -> new LabSpec("lab", 0, 2, RouterKind.Choice.MIXED, true))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("--racks");
    assertThatThrownBy(() -> new LabSpec("lab", 2, 101, RouterKind.Choice.MIXED, true))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("--hosts");
    assertThatThrownBy(() -> RouterKind.Choice.parse("cisco"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("--tor");
  }
}
