package io.wayleave.linux.netlink;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Protocol;

/**
 * What tells the packets of one direction of a flow from those of others.
 *
 * @param detail what the protocol adds to the addresses
 */
public record FlowTuple(IpAddress source, IpAddress destination, Protocol protocol, Detail detail) {
  /** What a protocol adds. */
  public sealed interface Detail {}

  /** Of TCP, UDP and the like. */
  public record Ports(int source, int destination) implements Detail {}

  /**
   * Of ICMP and ICMPv6.
   *
   * @param id of an echo; 0 where the type has none
   */
  public record Icmp(int type, int code, int id) implements Detail {}

  /** Of every other protocol, and where the packet was not seen so far. */
  public record Nothing() implements Detail {}

  public FlowTuple {
    requireNonNull(source, "source is null");
    requireNonNull(destination, "destination is null");
    requireNonNull(protocol, "protocol is null");
    requireNonNull(detail, "detail is null");
  }

  public Family family() {
    return source.family();
  }

  /** Such as {@code TCP 10.0.0.1:40000 > 10.0.0.2:80}. */
  @Override
  public String toString() {
    return switch (detail) {
      case Ports(int from, int to) ->
          protocol + " " + withPort(source, from) + " > " + withPort(destination, to);
      case Icmp(int type, int code, int id) ->
          protocol + " " + source + " > " + destination + " " + type + "/" + code + " id " + id;
      case Nothing() -> protocol + " " + source + " > " + destination;
    };
  }

  private static String withPort(IpAddress address, int port) {
    return address.family() == Family.IPV4 ? address + ":" + port : "[" + address + "]:" + port;
  }
}
