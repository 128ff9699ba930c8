package io.wayleave.policy.dataplane;

import java.util.List;
import java.util.Map;

/**
 * The part of a filter table that concerns us, as the comments of its rules tell it.
 *
 * @param chains hashes of the rules of our chains, in order
 * @param jumps by chain of the host the hash of the rule that must be its first
 */
public record TableState(Map<String, List<String>> chains, Map<String, String> jumps) {
  private static final String COMMENT_PREFIX = "wl:";

  public TableState {
    chains = Map.copyOf(chains);
    jumps = Map.copyOf(jumps);
  }

  /**
   * Whether a table is so.
   *
   * @param comments of all rules of all chains, in order; empty for a rule without one
   */
  boolean describes(Map<String, List<String>> comments) {
    int ours = 0;
    for (Map.Entry<String, List<String>> chain : comments.entrySet()) {
      if (ChainNames.isOurs(chain.getKey())) {
        ours++;
        if (!isSame(chains.get(chain.getKey()), chain.getValue())) {
          return false;
        }
      }
    }
    return ours == chains.size()
        && jumps.entrySet().stream()
            .allMatch(
                jump -> {
                  List<String> rules = comments.getOrDefault(jump.getKey(), List.of());
                  return !rules.isEmpty() && isComment(rules.getFirst(), jump.getValue());
                });
  }

  private static boolean isSame(List<String> hashes, List<String> comments) {
    if (hashes == null || hashes.size() != comments.size()) {
      return false;
    }
    for (int i = 0; i < hashes.size(); i++) {
      if (!isComment(comments.get(i), hashes.get(i))) {
        return false;
      }
    }
    return true;
  }

  private static boolean isComment(String comment, String hash) {
    return comment.length() == COMMENT_PREFIX.length() + hash.length()
        && comment.startsWith(COMMENT_PREFIX)
        && comment.endsWith(hash);
  }
}
