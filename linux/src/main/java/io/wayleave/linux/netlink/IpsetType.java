package io.wayleave.linux.netlink;

import java.util.Optional;

/** The kinds of sets that are made here, of the many that the kernel has. */
public enum IpsetType {
  /** Networks and single addresses. */
  NET("hash:net", 0),
  /** A port of a protocol at an address. */
  IP_PORT("hash:ip,port", 1),
  /** Networks and single addresses, each at one interface. */
  NET_INTERFACE("hash:net,iface", 0);

  private final String kernelName;
  private final int revision;

  IpsetType(String kernelName, int revision) {
    this.kernelName = kernelName;
    this.revision = revision;
  }

  public String kernelName() {
    return kernelName;
  }

  /** The oldest that has all that is used here, known to every kernel and program of today. */
  int revision() {
    return revision;
  }

  static Optional<IpsetType> of(String kernelName) {
    for (IpsetType type : values()) {
      if (type.kernelName.equals(kernelName)) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }
}
