package io.wayleave.cni;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.MacAddress;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Names and addresses of a veth pair: constants of the project, and functions of the endpoint, so
 * that an object in the kernel is recognised without memory.
 */
public final class Wire {
  /** Ethernet address of every host's end. */
  public static final MacAddress HOST_MAC = MacAddress.parse("ee:ee:ee:ee:ee:ee");

  /** What a container's default route leads to; link-local, and the same everywhere. */
  public static final IpAddress GATEWAY_V4 = IpAddress.parse("169.254.1.1");

  /** The link-local address that belongs to {@link #HOST_MAC} (RFC 4291 appendix A). */
  public static final IpAddress GATEWAY_V6 = IpAddress.parse("fe80::ecee:eeff:feee:eeee");

  /** Beginning of the name of every host's end. */
  public static final String HOST_PREFIX = "wl";

  /** IFALIASZ of linux/if.h, less the final NUL. */
  static final int MAX_ALIAS = 255;

  private static final String ALIAS_PREFIX = "wayleave:";
  private static final int HOST_NAME_HEX = 11;
  private static final long LOCALLY_ADMINISTERED = 0x02L << 40;
  private static final long MULTICAST = 0x01L << 40;

  private Wire() {}

  public static IpAddress gateway(Family family) {
    return family == Family.IPV4 ? GATEWAY_V4 : GATEWAY_V6;
  }

  /** Name of the host's end of that endpoint's pair: {@code wl} and 44 bits of a hash. */
  public static String hostInterface(String endpointName) {
    return HOST_PREFIX + HexFormat.of().formatHex(hash(endpointName)).substring(0, HOST_NAME_HEX);
  }

  /** What the host's end carries as its alias ({@code ip link} shows it). */
  public static String alias(String endpointName) {
    return ALIAS_PREFIX + endpointName;
  }

  /**
   * Ethernet address of the container's end. A new attachment has a new one, so that nobody
   * mistakes it for an earlier one with the same IP address.
   */
  static MacAddress containerMac(String endpointName, String generation) {
    byte[] hash = hash(endpointName + "@" + generation);
    long bits = 0;
    for (int i = 0; i < 6; i++) {
      bits = bits << 8 | (hash[i] & 0xff);
    }
    return new MacAddress((bits | LOCALLY_ADMINISTERED) & ~MULTICAST);
  }

  private static byte[] hash(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
