package io.wayleave.linux.netlink;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Protocol;
import java.util.Locale;

/** What a set holds, written as the ipset program takes it. */
public sealed interface IpsetMember {
  Family family();

  IpsetType type();

  static IpsetMember of(Cidr net) {
    return new Net(net);
  }

  /**
   * A network or a single address.
   *
   * @param net not of length 0, which the kernel does not take: its two halves do the same
   */
  record Net(Cidr net) implements IpsetMember {
    public Net {
      if (net.prefixLength() == 0) {
        throw new InvalidInputException("net", net.toString(), "a prefix length of 1 or more");
      }
    }

    @Override
    public Family family() {
      return net.family();
    }

    @Override
    public IpsetType type() {
      return IpsetType.NET;
    }

    @Override
    public String toString() {
      return net.toString();
    }
  }

  /**
   * A network or a single address, at one interface.
   *
   * @param interfaceName of at most 15 octets
   */
  record NetInterface(Cidr net, String interfaceName) implements IpsetMember {
    public NetInterface {
      requireNonNull(net, "net is null");
      requireNonNull(interfaceName, "interfaceName is null");
    }

    @Override
    public Family family() {
      return net.family();
    }

    @Override
    public IpsetType type() {
      return IpsetType.NET_INTERFACE;
    }

    @Override
    public String toString() {
      return net + "," + interfaceName;
    }
  }

  /**
   * A port of a protocol, at one address. Without ports it is what the kernel puts in its place.
   */
  record AddressPort(IpAddress address, Protocol protocol, int port) implements IpsetMember {
    public AddressPort {
      requireNonNull(address, "address is null");
      requireNonNull(protocol, "protocol is null");
      if (port < 0 || port > 65535) {
        throw new InvalidInputException("port", Integer.toString(port), "0 to 65535");
      }
    }

    @Override
    public Family family() {
      return address.family();
    }

    @Override
    public IpsetType type() {
      return IpsetType.IP_PORT;
    }

    @Override
    public String toString() {
      return address + "," + protocol.toString().toLowerCase(Locale.ROOT) + ":" + port;
    }
  }
}
