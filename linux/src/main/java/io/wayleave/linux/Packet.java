package io.wayleave.linux;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.IpAddress;

/**
 * A packet that came in by a {@link PacketSocket}, with what the kernel knows about its way.
 *
 * @param payload without the headers below; owned by the receiver of this record
 * @param sourcePort 0 where the protocol has no ports
 * @param destination the address of this host, or the group, that it was sent to
 * @param interfaceIndex where it came in
 * @param hopLimit the TTL or hop limit that was left on arrival: 255 only when no router was
 *     between
 */
@SuppressWarnings("ArrayRecordComponent") // Bytes of the wire; nobody compares packets.
public record Packet(
    byte[] payload,
    IpAddress source,
    int sourcePort,
    IpAddress destination,
    int interfaceIndex,
    int hopLimit) {
  public Packet {
    requireNonNull(payload, "payload is null");
    requireNonNull(source, "source is null");
    requireNonNull(destination, "destination is null");
  }
}
