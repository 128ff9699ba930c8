package io.wayleave.test.bench;

import io.wayleave.model.InvalidInputException;
import io.wayleave.test.lab.Installation;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The speakers and their settings: alike as far as they go. Everything is imported and exported,
 * the speaker is the next hop, peers dial, and there is no kernel route, damping or BFD.
 */
enum SpeakerKind {
  WAYLEAVE("Wayleave") {
    @Override
    String configuration(Load.Plan plan, int peers) {
      return "routerId: "
          + text(plan.speakerAddress())
          + "\nasNumber: "
          + plan.speakerAs()
          + "\npeers:\n"
          + each(
              peers,
              peer ->
                  "  - { name: p%d, address: %s, asNumber: %s, passive: true }\n"
                      .formatted(peer, text(plan.address(peer)), as(plan, peer)));
    }

    @Override
    List<String> command(Path folder, Path configuration) {
      return List.of(Installation.find().bgp().toString(), "--config", configuration.toString());
    }
  },
  BIRD("BIRD") {
    @Override
    String configuration(Load.Plan plan, int peers) {
      return """
      log stderr { warning, error, fatal, bug };
      router id %1$s;
      protocol device { }
      template bgp peer {
        local %1$s as %2$d;
        passive;
        ipv4 { import all; export all; next hop self; };
      }
      """
              .formatted(text(plan.speakerAddress()), plan.speakerAs())
          + each(
              peers,
              peer ->
                  "protocol bgp p%d from peer { neighbor %s as %s; }%n"
                      .formatted(peer, text(plan.address(peer)), as(plan, peer)));
    }

    @Override
    List<String> command(Path folder, Path configuration) {
      return List.of(
          "bird", "-f", "-c", configuration.toString(), "-s", folder.resolve("socket").toString());
    }
  },
  FRR("FRR") {
    @Override
    String configuration(Load.Plan plan, int peers) {
      return frr(plan, peers, "");
    }

    @Override
    List<String> command(Path folder, Path configuration) {
      return bgpd(folder, configuration);
    }
  },
  FRR_FAST("FRR, coalesce-time 0") {
    @Override
    String configuration(Load.Plan plan, int peers) {
      return frr(plan, peers, " coalesce-time 0\n");
    }

    @Override
    List<String> command(Path folder, Path configuration) {
      return bgpd(folder, configuration);
    }
  },
  GOBGP("GoBGP") {
    @Override
    String configuration(Load.Plan plan, int peers) {
      return """
      [global.config]
        as = %2$d
        router-id = "%1$s"
        local-address-list = ["%1$s"]
      """
              .formatted(text(plan.speakerAddress()), plan.speakerAs())
          + each(
              peers,
              peer ->
                  """
                  [[neighbors]]
                    [neighbors.config]
                      neighbor-address = "%s"
                      peer-as = %s
                    [neighbors.transport.config]
                      passive-mode = true
                  """
                      .formatted(text(plan.address(peer)), as(plan, peer)));
    }

    @Override
    List<String> command(Path folder, Path configuration) {
      return List.of("gobgpd", "-t", "toml", "-l", "warn", "-f", configuration.toString());
    }
  };

  private final String title;

  SpeakerKind(String title) {
    this.title = title;
  }

  /** What its configuration file says for peers 0 to {@code peers - 1} of the plan. */
  abstract String configuration(Load.Plan plan, int peers);

  /**
   * Starts it in the foreground.
   *
   * @param folder its own, empty but for the configuration
   */
  abstract List<String> command(Path folder, Path configuration);

  String title() {
    return title;
  }

  String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  static SpeakerKind parse(String text) {
    return Arrays.stream(values())
        .filter(kind -> kind.label().equals(text))
        .findFirst()
        .orElseThrow(
            () ->
                new InvalidInputException(
                    "--speaker",
                    text,
                    Arrays.stream(values())
                        .map(SpeakerKind::label)
                        .collect(Collectors.joining(", "))));
  }

  private static String frr(Load.Plan plan, int peers, String more) {
    return """
    log stdout errors
    router bgp %2$d
     bgp router-id %1$s
     no bgp ebgp-requires-policy
     no bgp network import-check
    """
            .formatted(text(plan.speakerAddress()), plan.speakerAs())
        + more
        + each(
            peers,
            peer ->
                """
                 neighbor %1$s remote-as %2$s
                 neighbor %1$s passive
                 neighbor %1$s disable-connected-check
                """
                    .formatted(text(plan.address(peer)), as(plan, peer)))
        + " address-family ipv4 unicast\n"
        + each(peers, peer -> "  neighbor %s next-hop-self\n".formatted(text(plan.address(peer))))
        + " exit-address-family\n";
  }

  /** bgpd alone: without zebra there is no kernel route. */
  private static List<String> bgpd(Path folder, Path configuration) {
    return List.of(
        "/usr/lib/frr/bgpd",
        "-n",
        "-Z",
        "-P",
        "0",
        "-f",
        configuration.toString(),
        "-i",
        folder.resolve("pid").toString(),
        "--vty_socket",
        folder.toString());
  }

  private static String each(int peers, java.util.function.IntFunction<String> text) {
    return IntStream.range(0, peers).mapToObj(text).collect(Collectors.joining());
  }

  private static String text(int address) {
    String withLength = PrefixSet.text(PrefixSet.key(address, 32));
    return withLength.substring(0, withLength.indexOf('/'));
  }

  private static String as(Load.Plan plan, int peer) {
    return Integer.toUnsignedString(plan.as(peer));
  }
}
