package io.wayleave.bgp.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.wayleave.bgp.AddPath;
import io.wayleave.bgp.BfdSettings;
import io.wayleave.bgp.GracefulRestart;
import io.wayleave.bgp.ListenAddress;
import io.wayleave.bgp.LocalAs;
import io.wayleave.bgp.MaxPrefixes;
import io.wayleave.bgp.NextHopMode;
import io.wayleave.bgp.Origination;
import io.wayleave.bgp.PathSelection;
import io.wayleave.bgp.PeerAddress;
import io.wayleave.bgp.PeerAs;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.PeerPolicy;
import io.wayleave.bgp.PeerSecurity;
import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.bgp.StartMode;
import io.wayleave.bgp.Timers;
import io.wayleave.bgp.wire.Community;
import io.wayleave.bgp.wire.LargeCommunity;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
    try {
      SpeakerFile file = SpeakerFile.parse(text);
      file.originations();
      return file.config();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static PeerConfig onePeer(String fields) {
    return config("routerId: 10.0.0.1\nasNumber: 65002\npeers: [{" + fields + "}]")
        .peers()
        .getFirst();
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
  void theSettingsOfASessionAreTaken() {
    PeerConfig peer =
        onePeer(
            """
            name: tor, interface: eth0, asNumber: external, shutdown: moving, ttlSecurity: 1,
            password: secret, timers: {hold: 9, connectRetry: 0.5, idleHold: 2, sendHold: 30},
            gracefulRestart: false, restartTime: 60, extendedMessages: false,
            addPath: {receive: true, send: 4}, bfd: {transmitMilliseconds: 100},
            localAs: {asNumber: 65100, replace: true}
            """);
    assertThat(peer.where()).isEqualTo(new PeerAddress.OnInterface("eth0"));
    assertThat(peer.remoteAs()).isEqualTo(new PeerAs.External());
    assertThat(peer.shutdown()).contains("moving");
    assertThat(peer.security())
        .isEqualTo(new PeerSecurity(Optional.of("secret"), OptionalInt.of(1)));
    assertThat(peer.timers())
        .isEqualTo(
            Timers.DEFAULT
                .withHoldTime(Duration.ofSeconds(9))
                .withConnectRetry(Duration.ofMillis(500))
                .withIdleHold(Duration.ofSeconds(2), Duration.ofSeconds(30))
                .withSendHold(Duration.ofSeconds(30)));
    assertThat(peer.gracefulRestart()).isFalse();
    assertThat(peer.restartTime()).contains(Duration.ofSeconds(60));
    assertThat(peer.extendedMessages()).isFalse();
    assertThat(peer.ipv4OverIpv6()).as("the default by interface").isTrue();
    assertThat(peer.addPath()).isEqualTo(new AddPath(true, 4));
    assertThat(peer.bfd())
        .contains(new BfdSettings(Duration.ofMillis(100), Duration.ofMillis(300), 3));
    assertThat(peer.localAs()).contains(new LocalAs(Asn.of(65100), true));
  }

  @Test
  void thePolicyOfAPeerIsTaken() {
    PeerPolicy policy =
        config(
                """
                routerId: 10.0.0.1
                asNumber: 65002
                filters:
                  in: { importV4: [ { action: Reject, prefixLength: { min: 25 } } ] }
                peers:
                  - { name: tor, address: 10.0.0.2, asNumber: 65001, filters: [in], transit: false,
                      requirePolicy: true, allowAsIn: 2, nextHop: self, routeReflectorClient: true,
                      gracefulShutdown: true,
                      maxPrefixes: { ipv4: { limit: 9, restartAfter: 60 },
                                     ipv6: { limit: 8, warnOnly: true, warnAtPercent: 50 } } }
                """)
            .peers()
            .getFirst()
            .policy();
    assertThat(policy.importPolicy()).isPresent();
    assertThat(policy.exportPolicy()).isEmpty();
    assertThat(policy.transit()).isFalse();
    assertThat(policy.requirePolicy()).isTrue();
    assertThat(policy.allowOwnAs()).isEqualTo(2);
    assertThat(policy.nextHop()).isEqualTo(NextHopMode.SELF);
    assertThat(policy.reflectorClient()).isTrue();
    assertThat(policy.gracefulShutdown()).isTrue();
    assertThat(policy.maxPrefixes())
        .containsEntry(
            Family.IPV4,
            new MaxPrefixes(9, 75, new MaxPrefixes.Shutdown(Optional.of(Duration.ofSeconds(60)))))
        .containsEntry(Family.IPV6, new MaxPrefixes(8, 50, new MaxPrefixes.Warn()));
  }

  @Test
  void theSpeakersOwnSettingsAreTaken() {
    SpeakerConfig config =
        config(
            """
            routerId: 10.0.0.1
            asNumber: 65002
            clusterId: 10.9.9.9
            ipv4NextHop: 10.0.0.1
            ipv6NextHop: "fd00::1"
            gracefulRestart: { restartTime: 30, staleTime: 40 }
            pathSelection: { maximumPaths: 4, alwaysCompareMed: true }
            """);
    assertThat(config.effectiveClusterId()).hasToString("10.9.9.9");
    assertThat(config.ipv4NextHop()).contains(IpAddress.parse("10.0.0.1"));
    assertThat(config.ipv6NextHop()).contains(IpAddress.parse("fd00::1"));
    assertThat(config.gracefulRestart())
        .isEqualTo(
            GracefulRestart.DEFAULT
                .withRestartTime(Duration.ofSeconds(30))
                .withStaleTime(Duration.ofSeconds(40)));
    assertThat(config.pathSelection()).isEqualTo(new PathSelection(4, true, true));
  }

  @Test
  void aPeersOwnFieldsGoBeforeItsGroupAndThatBeforeTheDefaults() {
    SpeakerConfig config =
        config(
            """
            routerId: 10.0.0.1
            asNumber: 65002
            peerDefaults: { port: 1, allowAsIn: 1, ttlSecurity: 9 }
            peerGroups:
              tors: { port: 2, asNumber: 65001, timers: { hold: 9 } }
            peers:
              - { name: a, address: 10.0.0.2, group: tors, port: 3 }
              - { name: b, address: 10.0.0.3, group: tors, timers: { connectRetry: 1 } }
              - { name: c, address: 10.0.0.4, asNumber: internal }
            listenRanges:
              - { range: 10.1.0.0/24, limit: 5, group: tors }
            """);
    assertThat(config.peers()).extracting(PeerConfig::port).containsExactly(3, 2, 1, 2);
    assertThat(config.peers()).allMatch(peer -> peer.policy().allowOwnAs() == 1);
    assertThat(config.peers().get(0).timers().holdTime()).isEqualTo(Duration.ofSeconds(9));
    assertThat(config.peers().get(1).timers().holdTime()).as("a whole field").hasSeconds(90);
    assertThat(config.peers().get(2).remoteAs()).isEqualTo(new PeerAs.Internal());
    PeerConfig range = config.peers().get(3);
    assertThat(range.name()).isEqualTo("10.1.0.0/24");
    assertThat(range.where()).isEqualTo(new PeerAddress.Range(Cidr.parse("10.1.0.0/24"), 5));
    assertThat(range.passive()).isTrue();
  }

  @Test
  void thePasswordMayBeInAFileOfItsOwn(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("password");
    Files.writeString(file, "secret\n");
    String fields = "name: a, address: 10.0.0.2, asNumber: 1, passwordFile: " + file;
    assertThat(onePeer(fields).security().md5Password()).contains("secret");
    Files.delete(file);
    assertThatExceptionOfType(UncheckedIOException.class)
        .isThrownBy(() -> onePeer(fields))
        .withMessageContaining("peers[0].passwordFile " + file + " cannot be read");
  }

  @Test
  void routesAreOriginated() {
    assertThat(
            SpeakerFile.parse(
                    """
                    routerId: 10.0.0.1
                    asNumber: 65002
                    routes:
                      - { prefix: 10.1.0.0/16 }
                      - { prefix: "fd00:1::/64", communities: ["65002:7"], med: 30 }
                      - { prefix: 10.2.0.0/16, communities: ["1:2:3"], nextHop: 10.0.0.9 }
                    """)
                .originations())
        .isEqualTo(
            Map.of(
                Cidr.parse("10.1.0.0/16"),
                Origination.PLAIN,
                Cidr.parse("10.2.0.0/16"),
                new Origination(
                    List.of(),
                    List.of(new LargeCommunity(1, 2, 3)),
                    OptionalLong.empty(),
                    Optional.of(IpAddress.parse("10.0.0.9"))),
                Cidr.parse("fd00:1::/64"),
                new Origination(List.of(Community.parse("65002:7")), OptionalLong.of(30))));
  }

  @Test
  void eachStartIsARestartOnlyWhereForwardingIsPreserved() {
    assertThat(SpeakerFile.parse(SMALLEST).startMode()).isEqualTo(new StartMode.Fresh());
    SpeakerFile preserved =
        SpeakerFile.parse(SMALLEST + "gracefulRestart: { forwardingPreserved: true }");
    assertThat(preserved.startMode())
        .isEqualTo(new StartMode.Restarted(Set.of(Family.IPV4, Family.IPV6)));
  }

  @Test
  void whatDoesNotFitTogetherIsRefused() {
    String start = "routerId: 10.0.0.1\nasNumber: 65002\n";
    refuses(
        "gracefulRestart.forwardingPreserved",
        "true",
        "false where enabled is false",
        start + "gracefulRestart: { enabled: false, forwardingPreserved: true }");
    refuses(
        "routes[0].nextHop",
        "10.0.0.9",
        "an IPv6 address",
        start + "routes: [{ prefix: 'fd00::/64', nextHop: 10.0.0.9 }]");
    refuses(
        "routes[0].nextHop",
        "fe80::1",
        "the global address of a router",
        start + "routes: [{ prefix: 'fd00::/64', nextHop: 'fe80::1' }]");
    refuses("peers[2].group", "tors", "none", peer("address: 10.0.0.9, group: tors"));
    refuses(
        "peerGroups.tors.address",
        "10.0.0.9",
        "belongs to a peer",
        start + "peerGroups: {tors: {address: 10.0.0.9}}");
    refuses(
        "peerGroups.tors.prot", "1", "port", start + "peerGroups: {tors: {prot: 1}}\npeers: []");
    refuses(
        "peers[2].filters[0]", "f", "none", peer("asNumber: 1, address: 10.0.0.9, filters: [f]"));
    refuses(
        "peers[2].address",
        "10.0.0.9",
        "one of both",
        peer("asNumber: 1, address: 10.0.0.9, interface: eth0"));
    refuses("peers[2].asNumber", "some", "dotted", peer("asNumber: some, address: 10.0.0.9"));
    refuses(
        "peers[2].timers.holdTime",
        "PT2S",
        "3 to 65535",
        peer("asNumber: 1, address: 10.0.0.9, timers: {hold: 2}"));
    refuses(
        "peers[2].maxPrefixes.ipv4.restartAfter",
        "5",
        "beside warnOnly",
        peer(
            "asNumber: 1, address: 10.0.0.9, maxPrefixes: {ipv4: {limit: 1, warnOnly: true,"
                + " restartAfter: 5}}"));
    refuses("listenRanges[0].range", "", "a network", start + "listenRanges: [{asNumber: 1}]");
    refuses(
        "routes[1].prefix",
        "10.1.0.0/16",
        "not named before",
        start + "routes: [{prefix: 10.1.0.0/16}, {prefix: 10.1.0.0/16}]");
    refuses(
        "routes[0].communities[0]",
        "1:65536",
        "65000:1",
        start + "routes: [{prefix: 10.1.0.0/16, communities: ['1:65536']}]");
    refuses("ipv4NextHop", "fd00::1", "IPV4", start + "ipv4NextHop: 'fd00::1'");
    refuses(
        "gracefulRestart.restartTime",
        "PT0S",
        "1 to 4095",
        start + "gracefulRestart: {restartTime: 0}");
    refuses(
        "filters.f.importV4[0].action",
        "",
        "Accept or Reject",
        start + "filters: {f: {importV4: [{peerType: eBGP}]}}");
  }

  @Test
  void refusalsNameTheFieldTheValueAndWhatIsAllowed() {
    refuses(
        "peers[2].adress",
        "10.0.0.9",
        "addPath, address, allowAsIn, asNumber",
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
