package io.wayleave.bgp;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.InvalidInputException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What protects a peer's connections from strangers.
 *
 * @param md5Password key of the TCP MD5 signature (RFC 2385), 1 to 80 octets, the kernel's limit.
 *     Never printed
 * @param ttlHops how many hops away the peer is at most, 1 for a neighbour on the link: segments
 *     are sent with TTL 255 and taken with at least 256 less this (GTSM, RFC 5082). Empty: not
 *     checked
 */
public record PeerSecurity(Optional<String> md5Password, OptionalInt ttlHops) {
  public static final PeerSecurity NONE = new PeerSecurity(Optional.empty(), OptionalInt.empty());

  /** TCP_MD5SIG_MAXKEYLEN. */
  private static final int MAX_PASSWORD = 80;

  public PeerSecurity {
    requireNonNull(md5Password, "md5Password is null");
    requireNonNull(ttlHops, "ttlHops is null");
    md5Password.ifPresent(
        password -> {
          int octets = password.getBytes(StandardCharsets.UTF_8).length;
          if (octets < 1 || octets > MAX_PASSWORD) {
            throw new InvalidInputException(
                "md5Password", "of " + octets + " octets", "1 to " + MAX_PASSWORD + " octets");
          }
        });
    if (ttlHops.isPresent() && (ttlHops.getAsInt() < 1 || ttlHops.getAsInt() > 254)) {
      throw new InvalidInputException(
          "ttlSecurity", Integer.toString(ttlHops.getAsInt()), "1 to 254 hops");
    }
  }

  @Override
  public String toString() {
    return "PeerSecurity[md5=" + md5Password.isPresent() + ", ttlHops=" + ttlHops + "]";
  }
}
