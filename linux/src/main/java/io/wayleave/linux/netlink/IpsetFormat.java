package io.wayleave.linux.netlink;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;

/**
 * What a set is made for. Nothing else is asked of the kernel: no counters, comments or time limits
 * of members.
 *
 * @param maxMembers how many it takes; memory is taken by use
 */
public record IpsetFormat(IpsetType type, Family family, int maxMembers) {
  public IpsetFormat {
    requireNonNull(type, "type is null");
    requireNonNull(family, "family is null");
    if (maxMembers < 1) {
      throw new InvalidInputException("maxMembers", Integer.toString(maxMembers), "1 or more");
    }
  }

  /** As the options of {@code ipset create}. */
  @Override
  public String toString() {
    String inet = family == Family.IPV4 ? "inet" : "inet6";
    return type.kernelName() + " family " + inet + " maxelem " + maxMembers;
  }
}
