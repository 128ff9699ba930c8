package io.wayleave.linux.netlink;

import static java.util.Objects.requireNonNull;

import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A set as the kernel has it.
 *
 * @param format empty when it is none that {@link Ipsets} makes: of another type, or with members
 *     that end by time or are masked; then its members are not told either
 * @param members each with whether it matches; false for a {@code nomatch}, which takes addresses
 *     out of a larger network
 */
public record Ipset(String name, Optional<IpsetFormat> format, Map<IpsetMember, Boolean> members) {
  public Ipset {
    requireNonNull(name, "name is null");
    requireNonNull(format, "format is null");
    members = Collections.unmodifiableMap(new HashMap<>(members));
  }
}
