package io.wayleave.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.wayleave.model.selector.Selector;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * One rule of a policy or profile: it matches a packet when every field that is present does.
 *
 * @param action what it decides
 * @param ipVersion 4 or 6; both when absent
 * @param protocol a protocol by name or number; any when absent
 * @param notProtocol every protocol but this one
 * @param icmp type and code, with {@code protocol} ICMP or ICMPv6
 * @param notIcmp any other type and code than this, with {@code protocol} ICMP or ICMPv6
 * @param source where the packet comes from
 * @param destination where it goes
 * @param metadata notes that nothing acts upon
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record PolicyRule(
    Action action,
    Optional<Integer> ipVersion,
    Optional<Protocol> protocol,
    Optional<Protocol> notProtocol,
    Optional<Icmp> icmp,
    @JsonProperty("notICMP") Optional<Icmp> notIcmp,
    Optional<Entity> source,
    Optional<Entity> destination,
    Optional<Notes> metadata) {

  /** What a matching rule decides. */
  public enum Action {
    /** The packet passes this endpoint. */
    Allow,
    /** It is dropped. */
    Deny,
    /** It is logged; the next rule is asked. */
    Log,
    /** No more policies of this tier are asked, but those of the next tier. */
    Pass
  }

  @JsonCreator
  public PolicyRule {
    Absent.required("action", action, "Allow, Deny, Log, Pass");
    ipVersion = Absent.orEmpty(ipVersion);
    protocol = Absent.orEmpty(protocol);
    notProtocol = Absent.orEmpty(notProtocol);
    icmp = Absent.orEmpty(icmp);
    notIcmp = Absent.orEmpty(notIcmp);
    source = Absent.orEmpty(source);
    destination = Absent.orEmpty(destination);
    metadata = Absent.orEmpty(metadata);
    if (ipVersion.isPresent() && ipVersion.get() != 4 && ipVersion.get() != 6) {
      throw new InvalidInputException("ipVersion", ipVersion.get().toString(), "4 or 6");
    }
    Optional<Family> family = ipVersion.map(version -> version == 4 ? Family.IPV4 : Family.IPV6);
    Optional<Family> icmpFamily = protocol.flatMap(PolicyRule::icmpFamily);
    if (family.isPresent() && icmpFamily.isPresent() && !family.equals(icmpFamily)) {
      throw new InvalidInputException(
          "protocol",
          protocol.get().toString(),
          (family.get() == Family.IPV4 ? "ICMP" : "ICMPv6")
              + " beside ipVersion "
              + ipVersion.get());
    }
    checkIcmp("icmp", icmp, icmpFamily.isPresent());
    checkIcmp("notICMP", notIcmp, icmpFamily.isPresent());
    boolean hasPorts = protocol.map(Protocol::hasPorts).orElse(false);
    checkEntity("source", source, family, hasPorts);
    checkEntity("destination", destination, family, hasPorts);
  }

  /** A rule that matches every packet. */
  public static PolicyRule of(Action action) {
    return new PolicyRule(
        action,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }

  /** Whether packets of the family may match: by {@code ipVersion} and by the kind of ICMP. */
  public boolean concerns(Family family) {
    boolean version = ipVersion.map(v -> (v == 4) == (family == Family.IPV4)).orElse(true);
    return version && protocol.flatMap(PolicyRule::icmpFamily).map(f -> f == family).orElse(true);
  }

  /** The source and the destination, as far as they are there. */
  public Stream<Entity> entities() {
    return Stream.of(source, destination).flatMap(Optional::stream);
  }

  private static Optional<Family> icmpFamily(Protocol protocol) {
    if (protocol.equals(Protocol.ICMP)) {
      return Optional.of(Family.IPV4);
    }
    return protocol.equals(Protocol.ICMPV6) ? Optional.of(Family.IPV6) : Optional.empty();
  }

  private static void checkIcmp(String field, Optional<Icmp> icmp, boolean isIcmp) {
    if (icmp.isPresent() && !isIcmp) {
      throw new InvalidInputException(
          field, icmp.get().toString(), "type and code only beside protocol ICMP or ICMPv6");
    }
  }

  private static void checkEntity(
      String side, Optional<Entity> entity, Optional<Family> family, boolean hasPorts) {
    if (entity.isEmpty()) {
      return;
    }
    checkPorts(side + ".ports", entity.get().ports(), hasPorts);
    checkPorts(side + ".notPorts", entity.get().notPorts(), hasPorts);
    if (family.isPresent()) {
      checkFamily(side + ".nets", entity.get().nets(), family.get());
      checkFamily(side + ".notNets", entity.get().notNets(), family.get());
    }
  }

  private static void checkPorts(String field, List<Port> ports, boolean hasPorts) {
    if (!hasPorts && !ports.isEmpty()) {
      throw new InvalidInputException(
          field, ports.toString(), "ports only beside protocol TCP, UDP, SCTP or UDPLite");
    }
  }

  private static void checkFamily(String field, List<Cidr> nets, Family family) {
    for (int i = 0; i < nets.size(); i++) {
      if (nets.get(i).family() != family) {
        throw new InvalidInputException(
            field + "[" + i + "]",
            nets.get(i).toString(),
            "networks of the rule's ipVersion, " + (family == Family.IPV4 ? 4 : 6));
      }
    }
  }

  /**
   * A type of ICMP or ICMPv6 message, and a code of it.
   *
   * @param type 0 to 255; any when absent
   * @param code 0 to 255, only beside a type; any when absent
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Icmp(Optional<Integer> type, Optional<Integer> code) {
    @JsonCreator
    public Icmp {
      type = Absent.orEmpty(type);
      code = Absent.orEmpty(code);
      checkByte("type", type);
      checkByte("code", code);
      if (type.isEmpty()) {
        throw new InvalidInputException(
            code.isPresent() ? "code" : "type",
            code.map(Object::toString).orElse(""),
            "a type of 0 to 255, and with it a code if wanted");
      }
    }

    private static void checkByte(String field, Optional<Integer> value) {
      if (value.isPresent() && (value.get() < 0 || value.get() > 255)) {
        throw new InvalidInputException(field, value.get().toString(), "0 to 255");
      }
    }

    @Override
    public String toString() {
      return "type " + type.get() + code.map(c -> ", code " + c).orElse("");
    }
  }

  /** Notes on a rule. */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Notes(Map<String, String> annotations) {
    @JsonCreator
    public Notes {
      annotations =
          annotations == null
              ? Map.of()
              : java.util.Collections.unmodifiableMap(new TreeMap<>(annotations));
    }
  }

  /**
   * One side of a packet. All of what is present must hold.
   *
   * @param nets the address is in one of these; any when empty
   * @param notNets the address is in none of these
   * @param selector the address is one of an object with matching labels; any when absent
   * @param notSelector the address is none of an object with matching labels, of any namespace
   * @param namespaceSelector the object is in a namespace with matching labels; {@code global()}:
   *     in none
   * @param ports the port is one of these; any when empty
   * @param notPorts the port is none of these
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Entity(
      List<Cidr> nets,
      List<Cidr> notNets,
      Optional<String> selector,
      Optional<String> notSelector,
      Optional<String> namespaceSelector,
      List<Port> ports,
      List<Port> notPorts) {
    @JsonCreator
    public Entity {
      nets = Absent.orEmpty(nets);
      notNets = Absent.orEmpty(notNets);
      // An exported manifest has empty texts for what is not there.
      selector = Absent.orEmpty(selector).filter(text -> !text.isEmpty());
      notSelector = Absent.orEmpty(notSelector).filter(text -> !text.isEmpty());
      namespaceSelector = Absent.orEmpty(namespaceSelector).filter(text -> !text.isEmpty());
      ports = Absent.orEmpty(ports);
      notPorts = Absent.orEmpty(notPorts);
      checkSelector("selector", selector);
      checkSelector("notSelector", notSelector);
      checkSelector("namespaceSelector", namespaceSelector);
    }

    private static void checkSelector(String field, Optional<String> selector) {
      selector.ifPresent(text -> Checks.selector(field, text));
    }

    /** {@link #selector}, read. */
    public Optional<Selector> parsedSelector() {
      return selector.map(Selector::parse);
    }

    /** {@link #notSelector}, read. */
    public Optional<Selector> parsedNotSelector() {
      return notSelector.map(Selector::parse);
    }

    /** {@link #namespaceSelector}, read. */
    public Optional<Selector> parsedNamespaceSelector() {
      return namespaceSelector.map(Selector::parse);
    }
  }
}
