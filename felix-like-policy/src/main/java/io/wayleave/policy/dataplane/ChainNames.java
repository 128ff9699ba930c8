package io.wayleave.policy.dataplane;

import io.wayleave.model.Direction;
import io.wayleave.model.Family;
import io.wayleave.model.Kind;
import io.wayleave.policy.calc.RuleBlock;
import io.wayleave.policy.calc.SetId;
import java.util.HexFormat;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Names of our chains and sets. The prefix alone tells that they are ours; a name that is too long
 * or holds other characters than usual is replaced by its hash behind an underscore, which no name
 * that is kept has.
 */
final class ChainNames {
  /** Chains and sets of ours begin so, and no others. */
  static final String PREFIX = "wl-";

  /** Interfaces of ours begin so, and a few others, see {@link #FOREIGN_INTERFACES}. */
  static final String INTERFACE_PREFIX = "wl";

  /** How the kernel and systemd name Wi-Fi interfaces: ours go on with a hexadecimal digit. */
  static final Set<String> FOREIGN_INTERFACES = Set.of("wlan", "wlo", "wlp", "wls", "wlx");

  /** XT_EXTENSION_MAXNAMELEN without the final zero. */
  static final int MAX_LENGTH = 28;

  static final String FORWARD = PREFIX + "FORWARD";
  static final String INPUT = PREFIX + "INPUT";
  static final String OUTPUT = PREFIX + "OUTPUT";
  static final String ALLOW = PREFIX + "allow";
  static final String FROM_WORKLOAD = PREFIX + "from-wl";
  static final String TO_WORKLOAD = PREFIX + "to-wl";
  static final String HOST_TO_WORKLOAD = PREFIX + "host-to-wl";

  private static final Pattern KEPT = Pattern.compile("[A-Za-z0-9.-]+");
  private static final int HASH_DIGITS = 16;

  private ChainNames() {}

  /** The rules of a policy for one direction. */
  static String policy(Direction direction, RuleBlock.Id rules) {
    String policy = rules.kind() == Kind.GLOBAL_NETWORK_POLICY ? rules.id() : rules.toString();
    return switch (direction) {
      case Ingress -> named("pi-", policy);
      case Egress -> named("po-", policy);
    };
  }

  /** First chain of what comes from an endpoint: only its own addresses may pass. */
  static String sourceCheck(String interfaceName) {
    return named("fw-", interfaceName);
  }

  /** Policies of an endpoint for one direction. */
  static String endpoint(Direction direction, String interfaceName) {
    return switch (direction) {
      case Ingress -> named("in-", interfaceName);
      case Egress -> named("eg-", interfaceName);
    };
  }

  /** An ipset name, of at most 31 characters. */
  static String set(SetId.Nets set) {
    String family = set.family() == Family.IPV4 ? "4-" : "6-";
    return PREFIX + family + digits(set.chosen().toString());
  }

  static boolean isOurs(String name) {
    return name.startsWith(PREFIX);
  }

  private static String named(String kind, String name) {
    String plain = PREFIX + kind + name;
    return plain.length() <= MAX_LENGTH && KEPT.matcher(name).matches()
        ? plain
        : PREFIX + kind + "_" + digits(name);
  }

  private static String digits(String text) {
    return HexFormat.of().formatHex(Chain.sha256(text)).substring(0, HASH_DIGITS);
  }
}
