package io.wayleave.policy.dataplane;

import io.wayleave.model.Cidr;
import io.wayleave.model.Direction;
import io.wayleave.model.Family;
import io.wayleave.model.Kind;
import io.wayleave.policy.calc.RuleBlock;
import io.wayleave.policy.calc.SetId;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Names of our chains and sets. The prefix alone tells that they are ours, and the letters behind
 * it what they are. What is named after a block of rules has its name, or, when that is too long or
 * holds other characters than usual, its hash behind an underscore, which no name that is kept
 * begins with. What is named after its content has the content's hash, so equal ones are one.
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
  static final String DENY = PREFIX + "deny";
  static final String ALLOW = PREFIX + "allow";
  static final String PASS = PREFIX + "pass";
  static final String FROM_WORKLOAD = PREFIX + "from";
  static final String TO_WORKLOAD = PREFIX + "to";
  static final String FROM_TREE = PREFIX + "from-wl";
  static final String TO_TREE = PREFIX + "to-wl";
  static final String WORKLOAD_TO_HOST = PREFIX + "wl-to-host";
  static final String HOST_TO_WORKLOAD = PREFIX + "host-to-wl";

  private static final Pattern KEPT = Pattern.compile("[A-Za-z0-9.-]+(/[A-Za-z0-9.-]+)?");

  /** IFNAMSIZ without the final zero; the kernel names interfaces in bytes. */
  private static final Pattern WORKLOAD_INTERFACE = Pattern.compile("wl[0-9a-f]{1,13}");

  private static final int HASH_DIGITS = 16;
  private static final Pattern DECISION = Pattern.compile("wl-(in|eg|hi|ho)-[0-9a-f]{16}");

  private ChainNames() {}

  /** The rules of a block for one direction: {@code wl-gi-NAME}, {@code wl-no-NAMESPACE_NAME}. */
  static String rules(Direction direction, RuleBlock.Id id) {
    // Nothing else has rules that are in force.
    String kind = id.kind() == Kind.NETWORK_POLICY ? "n" : id.kind() == Kind.PROFILE ? "p" : "g";
    String start = PREFIX + kind + letter(direction) + "-";
    String plain = start + id.id().replace('/', '_');
    return plain.length() <= MAX_LENGTH && KEPT.matcher(id.id()).matches()
        ? plain
        : start + "_" + digits(id.id());
  }

  /** How an endpoint with these rules decides in one direction. */
  static String decision(Direction direction, List<String> rules) {
    return PREFIX
        + (direction == Direction.Ingress ? "in-" : "eg-")
        + digits(String.join("\n", rules));
  }

  /** How a host endpoint with these rules decides in one direction. */
  static String hostDecision(Direction direction, List<String> rules) {
    return PREFIX + "h" + letter(direction) + "-" + digits(String.join("\n", rules));
  }

  /** Whose packets a chain decides. */
  record Decides(boolean host, Direction direction) {}

  /**
   * What a chain of this name decides, which is one of {@link #decision} or {@link #hostDecision},
   * or one that all packets of containers pass; empty when it is another chain.
   */
  static Optional<Decides> decides(String chain) {
    if (chain.equals(FROM_WORKLOAD)) {
      return Optional.of(new Decides(false, Direction.Egress));
    }
    if (chain.equals(TO_WORKLOAD)) {
      return Optional.of(new Decides(false, Direction.Ingress));
    }
    Matcher matcher = DECISION.matcher(chain);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    boolean host = matcher.group(1).startsWith("h");
    boolean in = matcher.group(1).equals("in") || matcher.group(1).equals("hi");
    return Optional.of(new Decides(host, in ? Direction.Ingress : Direction.Egress));
  }

  /** The ipset name, of at most 31 characters, of what a selector chooses. */
  static String set(SetId set) {
    return switch (set) {
      case SetId.Nets nets ->
          PREFIX + digit(set.family()) + "n-" + digits(nets.chosen().toString());
      case SetId.NamedPort port ->
          PREFIX
              + digit(set.family())
              + "p-"
              + digits(port.protocol() + " " + port.name() + " " + port.chosen());
    };
  }

  /** The ipset name of networks that a rule lists. */
  static String list(Family family, List<Cidr> nets) {
    return PREFIX
        + digit(family)
        + "l-"
        + digits(nets.stream().map(Cidr::toString).collect(Collectors.joining(" ")));
  }

  /** The ipset of the addresses of this host's endpoints, each at its interface. */
  static String endpoints(Family family) {
    return PREFIX + digit(family) + "-endpoints";
  }

  static boolean isOurs(String name) {
    return name.startsWith(PREFIX);
  }

  /** Whether an interface of this name can be a container's. */
  static boolean isWorkloadInterface(String name) {
    return WORKLOAD_INTERFACE.matcher(name).matches();
  }

  private static String letter(Direction direction) {
    return switch (direction) {
      case Ingress -> "i";
      case Egress -> "o";
    };
  }

  private static String digit(Family family) {
    return family == Family.IPV4 ? "4" : "6";
  }

  private static String digits(String text) {
    return HexFormat.of().formatHex(Chain.sha256(text)).substring(0, HASH_DIGITS);
  }
}
