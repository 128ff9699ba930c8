package io.wayleave.policy.dataplane;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/**
 * One chain of the filter table as it should be.
 *
 * <p>Each rule carries a hash of itself ({@link IptablesBackend#carrying}), so that reading the
 * hashes back in their order says whether the chain in the kernel is this one, although the kernel
 * prints rules in its own words. A rule that comes between others changes the hash of none of them.
 *
 * @param name at most {@link ChainNames#MAX_LENGTH} characters
 * @param role what may be done when the kernel refuses a rule of it
 * @param rules matches and target, as after {@code -A NAME}
 */
record Chain(String name, Role role, List<String> rules) {
  private static final int HASH_BYTES = 9;
  private static final int HASH_LENGTH = HASH_BYTES * 4 / 3;

  enum Role {
    /** Frame of the whole filter, dispatch and endpoints: a refusal fails the write. */
    STRUCTURE,
    /** Rules of one policy: a refused one can be replaced by "deny everything". */
    POLICY
  }

  Chain {
    rules = List.copyOf(rules);
  }

  static Chain structure(String name, List<String> rules) {
    return new Chain(name, Role.STRUCTURE, rules);
  }

  static Chain policy(String name, List<String> rules) {
    return new Chain(name, Role.POLICY, rules);
  }

  /** One hash a rule. */
  List<String> hashes() {
    return rules.stream().map(rule -> hashOf(name + "\n" + rule)).toList();
  }

  /** Whether this is of {@link #hashOf}, and not what a rule of others carries. */
  static boolean isHash(String text) {
    return text.length() == HASH_LENGTH;
  }

  /** 12 characters that may stand in a comment. */
  static String hashOf(String text) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(Arrays.copyOf(sha256(text), HASH_BYTES));
  }

  static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
