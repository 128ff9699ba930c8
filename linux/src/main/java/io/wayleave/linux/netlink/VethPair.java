package io.wayleave.linux.netlink;

import static java.util.Objects.requireNonNull;

import io.wayleave.linux.NetworkNamespace;
import io.wayleave.model.MacAddress;
import java.util.Optional;

/**
 * A veth pair to be made: two ends, each with its name and what is to be set from the first moment.
 *
 * @param up whether the first end is set up at once. The peer cannot be: the kernel configures it
 *     before it has another end, and refuses with ENOTCONN.
 */
public record VethPair(End end, End peer, boolean up) {
  public VethPair {
    requireNonNull(end, "end is null");
    requireNonNull(peer, "peer is null");
  }

  public VethPair(End end, End peer) {
    this(end, peer, false);
  }

  public static VethPair of(String name, String peerName) {
    return new VethPair(End.of(name), End.of(peerName));
  }

  /** The same with the first end up. */
  public VethPair setUp() {
    return new VethPair(end, peer, true);
  }

  /**
   * One end.
   *
   * @param mac chosen by the kernel when empty
   * @param mtu the kernel's 1500 when empty
   * @param namespace that of the socket when empty. It must stay open until the request is
   *     executed.
   */
  public record End(
      String name,
      Optional<MacAddress> mac,
      Optional<Integer> mtu,
      Optional<NetworkNamespace> namespace) {
    public End {
      Links.checkName(name);
      requireNonNull(mac, "mac is null");
      requireNonNull(mtu, "mtu is null");
      requireNonNull(namespace, "namespace is null");
    }

    public static End of(String name) {
      return new End(name, Optional.empty(), Optional.empty(), Optional.empty());
    }

    public End withMac(MacAddress address) {
      return new End(name, Optional.of(address), mtu, namespace);
    }

    public End withMtu(int bytes) {
      return new End(name, mac, Optional.of(bytes), namespace);
    }

    public End in(NetworkNamespace inside) {
      return new End(name, mac, mtu, Optional.of(inside));
    }
  }
}
