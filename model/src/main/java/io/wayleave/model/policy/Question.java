package io.wayleave.model.policy;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Protocol;
import java.util.Optional;

/**
 * A packet that opens a flow, of which one wants to know whether it passes. Immutable.
 *
 * @param sourcePort 0 when the protocol has none
 * @param port the port that it goes to, 0 when the protocol has none
 * @param icmp type and code; there exactly when the protocol is ICMP or ICMPv6
 */
public record Question(
    End from, End to, Protocol protocol, int sourcePort, int port, Optional<IcmpMessage> icmp) {
  /** The source port of a packet of which nobody said it: of the range that kernels choose from. */
  public static final int USUAL_SOURCE_PORT = 49152;

  private static final int MAX_PORT = 65535;
  private static final IcmpMessage ECHO_REQUEST = new IcmpMessage(8, 0);
  private static final IcmpMessage ECHO_REQUEST_V6 = new IcmpMessage(128, 0);

  public Question {
    requireNonNull(from, "from is null");
    requireNonNull(protocol, "protocol is null");
    if (to.address().family() != from.address().family()) {
      throw new InvalidInputException(
          "to", to.address().toString(), "an address of the family of " + from.address());
    }
    Optional<IcmpMessage> usual = usualIcmp(protocol);
    boolean foreign =
        protocol.equals(from.address().family() == Family.IPV4 ? Protocol.ICMPV6 : Protocol.ICMP);
    if (foreign) {
      throw new InvalidInputException(
          "protocol",
          protocol.toString(),
          (from.address().family() == Family.IPV4 ? "ICMP" : "ICMPv6")
              + " between addresses such as "
              + from.address());
    }
    if (icmp.isPresent() && usual.isEmpty()) {
      throw new InvalidInputException(
          "icmp", icmp.get().toString(), "a type only with protocol ICMP or ICMPv6");
    }
    icmp = icmp.isPresent() ? icmp : usual;
    checkPort("sourcePort", sourcePort, protocol);
    checkPort("port", port, protocol);
  }

  /** A packet of a protocol with ports, from the usual source port. */
  public static Question toPort(End from, End to, Protocol protocol, int port) {
    return new Question(from, to, protocol, USUAL_SOURCE_PORT, port, Optional.empty());
  }

  /** A packet of a protocol without ports; of ICMP and ICMPv6 an echo request. */
  public static Question of(End from, End to, Protocol protocol) {
    return new Question(from, to, protocol, 0, 0, Optional.empty());
  }

  /** A message of ICMP or ICMPv6. */
  public static Question icmp(End from, End to, Protocol protocol, int type, int code) {
    return new Question(from, to, protocol, 0, 0, Optional.of(new IcmpMessage(type, code)));
  }

  public Family family() {
    return from.address().family();
  }

  private static Optional<IcmpMessage> usualIcmp(Protocol protocol) {
    if (protocol.equals(Protocol.ICMP)) {
      return Optional.of(ECHO_REQUEST);
    }
    return protocol.equals(Protocol.ICMPV6) ? Optional.of(ECHO_REQUEST_V6) : Optional.empty();
  }

  private static void checkPort(String field, int port, Protocol protocol) {
    if (port < 0 || port > MAX_PORT) {
      throw new InvalidInputException(field, Integer.toString(port), "a port of 0 to " + MAX_PORT);
    }
    if (port != 0 && !protocol.hasPorts()) {
      throw new InvalidInputException(
          field,
          Integer.toString(port),
          "a port only with protocol TCP, UDP, SCTP or UDPLite, not " + protocol);
    }
  }

  /**
   * One end of the flow.
   *
   * @param endpoint id of the workload or host endpoint that is there, if it is known; when absent,
   *     the endpoint that has the address
   */
  public record End(IpAddress address, Optional<String> endpoint) {
    public End {
      requireNonNull(address, "address is null");
      requireNonNull(endpoint, "endpoint is null");
    }

    /** Whatever has that address. */
    public static End of(IpAddress address) {
      return new End(address, Optional.empty());
    }
  }

  /** Type and code, each of 0 to 255. */
  public record IcmpMessage(int type, int code) {
    public IcmpMessage {
      checkByte("type", type);
      checkByte("code", code);
    }

    private static void checkByte(String field, int value) {
      if (value < 0 || value > 255) {
        throw new InvalidInputException(field, Integer.toString(value), "0 to 255");
      }
    }

    @Override
    public String toString() {
      return "type " + type + ", code " + code;
    }
  }
}
