package io.wayleave.linux.netlink;

import static java.util.Objects.requireNonNull;

import io.wayleave.linux.SystemCallException;

/**
 * The kernel refused a netlink request, as in {@code add route 10.1.0.7/32 via 10.9.0.1 table 254:
 * ENETUNREACH (Network is unreachable): Nexthop has invalid gateway}.
 */
public final class NetlinkException extends SystemCallException {
  private static final long serialVersionUID = 1L;

  private final String kernelText;

  NetlinkException(String asked, int number, String kernelText) {
    super(asked, number, kernelText);
    this.kernelText = requireNonNull(kernelText, "kernelText is null");
  }

  /** What the kernel said beside the number (extended acknowledgement), often empty. */
  public String kernelText() {
    return kernelText;
  }
}
