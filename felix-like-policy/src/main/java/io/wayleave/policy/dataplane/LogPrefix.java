package io.wayleave.policy.dataplane;

import io.wayleave.model.Direction;
import io.wayleave.policy.calc.RuleBlock;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the kernel's log says of a packet that a rule logged: netlink's NFLOG carries it as a prefix
 * of at most 63 characters, beside the packet and its interfaces.
 *
 * @param chain of the block of rules and direction, see {@link #chainOf}
 * @param rule place of the rule in the block's direction, from 0
 */
public record LogPrefix(String chain, int rule) {
  /** The NFLOG group that we log to. */
  public static final int GROUP = 77;

  /** So many packets a second of one rule are logged, after a first burst. */
  private static final String LIMIT = "-m limit --limit 10/second --limit-burst 20";

  /** Where logged packets go, without options. */
  static final String TARGET = "-j NFLOG";

  private static final Pattern PREFIX = Pattern.compile("wl:([A-Za-z0-9._-]+):([0-9]{1,9})");

  /** Name of the chain that has the rules of a block in one direction. */
  public static String chainOf(RuleBlock.Id block, Direction direction) {
    return ChainNames.rules(direction, block);
  }

  /** Reads a prefix; empty when it is not one of ours. */
  public static Optional<LogPrefix> parse(String prefix) {
    Matcher matcher = PREFIX.matcher(prefix);
    return matcher.matches()
        ? Optional.of(new LogPrefix(matcher.group(1), Integer.parseInt(matcher.group(2))))
        : Optional.empty();
  }

  /** The prefix. */
  @Override
  public String toString() {
    return "wl:" + chain + ":" + rule;
  }

  /** The prefix of packets that were denied; which rule denied them, an explanation says. */
  public static final String DENIED = "wl:denied";

  /** The rule that logs denied packets, of all endpoints together. */
  static String deniedTarget() {
    return LIMIT + " " + TARGET + " --nflog-group " + GROUP + " --nflog-prefix " + DENIED;
  }

  /** What comes in a rule after the matches. */
  String target() {
    return LIMIT + " " + TARGET + " --nflog-group " + GROUP + " --nflog-prefix " + this;
  }
}
