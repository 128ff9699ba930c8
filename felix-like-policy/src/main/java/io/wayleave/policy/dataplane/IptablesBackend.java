package io.wayleave.policy.dataplane;

import io.wayleave.model.Family;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.List;

/**
 * The two ways in which iptables keeps its tables in the kernel. Rules of both are in force at
 * once, so an agent joins whichever the host uses.
 */
public enum IptablesBackend {
  NFT("nft"),
  LEGACY("legacy");

  /** The number in {@link #carrying} of nft, as a regular expression with one group. */
  static final String CARRYING_MARK = "-m mark ! --mark 0x([0-9a-f]+)/0x0(?: |$)";

  private final String infix;

  IptablesBackend(String infix) {
    this.infix = infix;
  }

  List<String> restoreCommand(Family family) {
    // Only the legacy back end has a lock to wait for; the other accepts the option.
    return List.of(program(family) + "-restore", "--noflush", "--wait=10");
  }

  List<String> saveCommand(Family family) {
    return List.of(program(family) + "-save", "-t", "filter");
  }

  /** As {@link #saveCommand}, with the counters of each rule before it. */
  List<String> saveWithCountersCommand(Family family) {
    return List.of(program(family) + "-save", "-c", "-t", "filter");
  }

  /**
   * A match that always holds, by which a rule carries its hash.
   *
   * <p>In nft the comment is a match that the kernel asks whether it may stand where it does, in
   * every rule and whenever any is written: with 1,000 endpoints that was half of the time of a
   * write. The packet mark without any of its bits is compared natively, and is no other number
   * than 0. Legacy rules are watched by their comments ({@link TableState}).
   */
  String carrying(String hash) {
    return switch (this) {
      case NFT -> "-m mark ! --mark 0x" + carried(hash) + "/0x0";
      case LEGACY -> comment(hash);
    };
  }

  /** What {@link SavedTable} finds in a rule that carries the hash: in nft 32 bits of it. */
  String carried(String hash) {
    return switch (this) {
      case NFT -> {
        int bits = ByteBuffer.wrap(Base64.getUrlDecoder().decode(hash)).getInt();
        yield Integer.toHexString(bits == 0 ? 1 : bits);
      }
      case LEGACY -> hash;
    };
  }

  /** The comment with a hash, which both back ends can have. */
  static String comment(String hash) {
    return "-m comment --comment \"wl:" + hash + "\"";
  }

  IptablesBackend other() {
    return switch (this) {
      case NFT -> LEGACY;
      case LEGACY -> NFT;
    };
  }

  /**
   * Chooses the back end: the one that holds chains of ours, so that a restart goes on with what it
   * left; else the one with more rules; else nft. The legacy tables are looked at only when the
   * kernel says that they exist, because looking would create them.
   */
  public static IptablesBackend detect(CommandRunner runner) {
    if (!LEGACY.mayHaveTable(Family.IPV4, runner)) {
      return NFT;
    }
    SavedTable nft = SavedTable.parse(runner.output(NFT.saveCommand(Family.IPV4)));
    SavedTable legacy = SavedTable.parse(runner.output(LEGACY.saveCommand(Family.IPV4)));
    boolean oursInNft = !nft.ourChains().isEmpty();
    boolean oursInLegacy = !legacy.ourChains().isEmpty();
    if (oursInNft != oursInLegacy) {
      return oursInLegacy ? LEGACY : NFT;
    }
    return legacy.ruleCount() > nft.ruleCount() ? LEGACY : NFT;
  }

  /** Whether the filter table can be looked at without creating it. */
  boolean mayHaveTable(Family family, CommandRunner runner) {
    return switch (this) {
      case NFT -> true;
      case LEGACY -> {
        String list = family == Family.IPV4 ? "ip_tables_names" : "ip6_tables_names";
        CommandRunner.Result names = runner.run(List.of("cat", "/proc/net/" + list), "");
        yield names.succeeded() && names.stdout().lines().anyMatch("filter"::equals);
      }
    };
  }

  private String program(Family family) {
    return (family == Family.IPV4 ? "iptables-" : "ip6tables-") + infix;
  }
}
