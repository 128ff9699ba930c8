package io.wayleave.bgp.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.wayleave.bgp.ListenAddress;
import io.wayleave.bgp.PeerAs;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.model.Asn;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SpeakerFileTest {
  private static final String SMALLEST =
      """
      routerId: 10.90.1.2
      asNumber: 65002
      peers:
        - { name: gen, address: 10.90.1.1, asNumber: 65001 }
        - { name: recv, address: 10.90.2.1, asNumber: 65003 }
      """;

  private static SpeakerConfig config(String text) {
    return SpeakerFile.parse(text).config();
  }

  private static void refuses(String field, String value, String allowed, String text) {
    assertThatExceptionOfType(InvalidInputException.class)
        .isThrownBy(() -> config(text))
        .satisfies(
            refusal -> {
              assertThat(refusal.field()).isEqualTo(field);
              assertThat(refusal.value()).isEqualTo(value);
              assertThat(refusal.allowed()).contains(allowed);
            });
  }

  @Test
  void theSmallestFileMeansListenDialAndCarryEverything() {
    SpeakerConfig config = config(SMALLEST);
    assertThat(config.routerId()).hasToString("10.90.1.2");
    assertThat(config.asNumber().number()).isEqualTo(65002);
    assertThat(config.listen())
        .allMatch(listen -> listen.address().isUnspecified() && listen.port() == 179)
        .isNotEmpty();
    assertThat(config.peers()).extracting(PeerConfig::name).containsExactly("gen", "recv");
    assertThat(config.peers())
        .allMatch(peer -> peer.policy().transit())
        .noneMatch(PeerConfig::passive)
        .allMatch(peer -> peer.families().equals(Set.of(Family.IPV4)))
        .allMatch(peer -> peer.port() == 179);
  }

  @Test
  void eachFieldOfAPeerIsTaken() {
    PeerConfig peer =
        config(
                """
                routerId: 10.0.0.1
                asNumber: 65002
                listen: [ { address: 10.0.0.1, port: 1179 }, { address: fd00::1 } ]
                peers:
                  - name: tor
                    address: fd00::2
                    asNumber: "1.10"
                    port: 1179
                    sourceAddress: fd00::1
                    passive: true
                    families: [ipv4, ipv6]
                """)
            .peers()
            .getFirst();
    assertThat(peer.host()).contains(IpAddress.parse("fd00::2"));
    assertThat(peer.remoteAs()).isEqualTo(new PeerAs.Exact(Asn.of(65546)));
    assertThat(peer.port()).isEqualTo(1179);
    assertThat(peer.sourceAddress()).contains(IpAddress.parse("fd00::1"));
    assertThat(peer.passive()).isTrue();
    assertThat(peer.families()).containsExactly(Family.IPV4, Family.IPV6);
  }

  @Test
  void listensWhereItIsTold() {
    String start = "routerId: 10.0.0.1\nasNumber: 65002\n";
    assertThat(config(start + "listen: []").listen()).isEmpty();
    assertThat(config(start + "listen: [{ address: 10.0.0.1, port: 1179 }]").listen())
        .containsExactly(new ListenAddress(IpAddress.parse("10.0.0.1"), 1179));
  }

  @Test
  void anIpv6PeerIsOfferedIpv6Only() {
    assertThat(
            config(SMALLEST + "  - { name: six, address: 'fd00::1', asNumber: 65004 }")
                .peers()
                .getLast()
                .families())
        .containsExactly(Family.IPV6);
  }

  @Test
  void refusalsNameTheFieldTheValueAndWhatIsAllowed() {
    refuses(
        "peers[2].adress",
        "10.0.0.9",
        "address, asNumber, families",
        SMALLEST + "  - { name: x, adress: 10.0.0.9, asNumber: 1 }");
    refuses("peers[2].asNumber", "0", "1 to 4294967295", peer("asNumber: 0, address: 10.0.0.9"));
    refuses("peers[2].address", "", "the peer's address", peer("asNumber: 1"));
    refuses(
        "peers[2].port",
        "70000",
        "1 to 65535",
        peer("asNumber: 1, address: 10.0.0.9, port: 70000"));
    refuses("peers[2].name", "gen", "no other peer", SMALLEST + other("gen", "10.0.0.9"));
    refuses(
        "peers[2].address", "10.90.1.1", "no other peer", SMALLEST + other("other", "10.90.1.1"));
    refuses(
        "peers[2].families[0]",
        "vpn",
        "ipv4, ipv6",
        peer("asNumber: 1, address: 10.0.0.9, families: [vpn]"));
    refuses("routerId", "", "10.0.0.1", "asNumber: 1");
    refuses("routerId", "here", "10.0.0.1", "routerId: here\nasNumber: 1");
    refuses("", "", "routerId, asNumber and peers", "");
    refuses("listen[0].port", "0", "1 to 65535", SMALLEST + "listen: [{ address: '::', port: 0 }]");
  }

  private static String peer(String fields) {
    return SMALLEST + "  - { name: x, " + fields + " }";
  }

  private static String other(String name, String address) {
    return "  - { name: " + name + ", address: " + address + ", asNumber: 1 }";
  }
}
