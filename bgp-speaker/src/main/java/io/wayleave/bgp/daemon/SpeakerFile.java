package io.wayleave.bgp.daemon;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.bgp.ListenAddress;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.model.Absent;
import io.wayleave.model.Asn;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.RouterId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The file of a speaker that runs alone. Each field is explained in {@code docs/bgp.md}; a field
 * that does not exist is refused by its path.
 *
 * @param listen where peers may connect to; every address of the host on port 179 when absent, and
 *     nowhere when it is an empty list
 * @param adminSocket Unix socket of the admin API; none when absent
 */
public record SpeakerFile(
    RouterId routerId,
    Asn asNumber,
    Optional<List<Listen>> listen,
    Optional<Path> adminSocket,
    LogSetup.Level logLevel,
    LogSetup.Format logFormat,
    List<Peer> peers) {

  /** Address families by the names that people give them. */
  public enum FamilyName {
    ipv4(Family.IPV4),
    ipv6(Family.IPV6);

    private final Family family;

    FamilyName(Family family) {
      this.family = family;
    }

    Family family() {
      return family;
    }
  }

  /** Where to listen; port 179 when absent. */
  public record Listen(IpAddress address, Optional<Integer> port) {
    @JsonCreator
    public Listen {
      Absent.required("address", address, "an own address, or 0.0.0.0 or :: for all of them");
      port = Absent.orEmpty(port);
    }

    ListenAddress listenAddress() {
      return new ListenAddress(address, port.orElse(ListenAddress.BGP_PORT));
    }
  }

  /** One peer. */
  public record Peer(
      String name,
      IpAddress address,
      Asn asNumber,
      Optional<Integer> port,
      Optional<IpAddress> sourceAddress,
      Optional<Boolean> passive,
      List<FamilyName> families) {
    @JsonCreator
    public Peer {
      port = Absent.orEmpty(port);
      sourceAddress = Absent.orEmpty(sourceAddress);
      passive = Absent.orEmpty(passive);
      families = Absent.orEmpty(families);
    }

    // What is missing is said here, after a misspelt field has been: that is the likelier mistake.
    PeerConfig config() {
      Absent.required("name", name, "a name that no other peer has");
      Absent.required("address", address, "the peer's address");
      Absent.required("asNumber", asNumber, "the peer's AS number, 1 to 4294967295");
      Set<Family> offered = EnumSet.noneOf(Family.class);
      families.forEach(family -> offered.add(family.family()));
      if (offered.isEmpty()) {
        offered.add(address.family());
      }
      PeerConfig config =
          PeerConfig.of(name, address, asNumber)
              .withPort(port.orElse(ListenAddress.BGP_PORT))
              .withPassive(passive.orElse(false))
              .withFamilies(offered.iterator().next(), offered.toArray(new Family[0]))
              .withTransit(true);
      return sourceAddress.map(config::withSourceAddress).orElse(config);
    }
  }

  @JsonCreator
  public SpeakerFile {
    Absent.required("routerId", routerId, "a router id such as 10.0.0.1");
    Absent.required("asNumber", asNumber, "this speaker's AS number, 1 to 4294967295");
    listen = Absent.orEmpty(listen).map(List::copyOf);
    adminSocket = Absent.orEmpty(adminSocket);
    logLevel = Absent.orElse(logLevel, LogSetup.Level.info);
    logFormat = Absent.orElse(logFormat, LogSetup.Format.text);
    peers = Absent.orEmpty(peers);
  }

  /**
   * Reads a file.
   *
   * @throws InvalidInputException naming the field, its value and what is allowed
   * @throws IOException when it cannot be read
   */
  public static SpeakerFile load(Path file) throws IOException {
    return parse(Files.readString(file, StandardCharsets.UTF_8));
  }

  /** Reads the text of a file. */
  public static SpeakerFile parse(String text) {
    JsonNode tree = ResourceCodec.readYaml(text);
    if (!(tree instanceof ObjectNode fields)) {
      throw new InvalidInputException(
          "", tree.asText(""), "an object with routerId, asNumber and peers");
    }
    return ResourceCodec.read(ResourceCodec.yamlMapper(), fields, SpeakerFile.class);
  }

  /**
   * The same for the speaker.
   *
   * @throws InvalidInputException where fields do not fit together
   */
  public SpeakerConfig config() {
    List<PeerConfig> configs = new ArrayList<>();
    for (int i = 0; i < peers.size(); i++) {
      try {
        configs.add(peers.get(i).config());
      } catch (InvalidInputException e) {
        throw e.within("peers[" + i + "]");
      }
    }
    return SpeakerConfig.of(routerId, asNumber)
        .withListen(listenAddresses().toArray(new ListenAddress[0]))
        .withPeers(configs);
  }

  private List<ListenAddress> listenAddresses() {
    if (listen.isEmpty()) {
      // One socket on :: takes the connections of both families.
      boolean ipv6 = Files.exists(Path.of("/proc/net/if_inet6"));
      IpAddress any = IpAddress.parse(ipv6 ? "::" : "0.0.0.0");
      return List.of(new ListenAddress(any, ListenAddress.BGP_PORT));
    }
    List<ListenAddress> addresses = new ArrayList<>();
    for (int i = 0; i < listen.get().size(); i++) {
      try {
        addresses.add(listen.get().get(i).listenAddress());
      } catch (InvalidInputException e) {
        throw e.within("listen[" + i + "]");
      }
    }
    return addresses;
  }
}
