package io.wayleave.datastore;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.InvalidInputException;

/**
 * The layout of the store, in one place, and what a key may look like.
 *
 * <pre>
 * resources/&lt;plural&gt;/&lt;name&gt;    a resource, as JSON
 * ipam/blocks/&lt;block&gt;           a block of addresses and what is used of it
 * ipam/affinities/&lt;node&gt;/&lt;block&gt; a host's claim on a block
 * ipam/handles/&lt;handle&gt;         the addresses of one attachment
 * ipam/guard                  bumped by each change of a pool
 * ipam/settings               bumped by each change of a reservation or of IPAM's configuration
 * presence/&lt;node&gt;             exists while that node's agent lives
 * status/policy/&lt;node&gt;        what policy is in force there, as long as that agent lives
 * datastore/incomplete        exists while a move into this store has not ended
 * </pre>
 */
public final class Keys {
  public static final String RESOURCES = "resources/";
  public static final String BLOCKS = "ipam/blocks/";
  public static final String AFFINITIES = "ipam/affinities/";
  public static final String HANDLES = "ipam/handles/";
  public static final String POOL_GUARD = "ipam/guard";
  public static final String SETTINGS_GUARD = "ipam/settings";
  public static final String PRESENCE = "presence/";

  public static final String POLICY_STATUS = "status/policy/";

  private Keys() {}

  public static String resource(String plural, String name) {
    return RESOURCES + plural + "/" + name;
  }

  public static String presence(String node) {
    return PRESENCE + node;
  }

  public static String policyStatus(String node) {
    return POLICY_STATUS + node;
  }

  /** Whether it is a key that lives only as long as an agent's session. */
  static boolean isBound(String key) {
    return key.startsWith(PRESENCE) || key.startsWith(POLICY_STATUS);
  }

  /** The last segment of a key: the name of what it holds. */
  public static String lastSegment(String key) {
    return key.substring(key.lastIndexOf('/') + 1);
  }

  /** Returns a key: non-empty segments joined by single slashes, without one at either end. */
  public static String checkKey(String key) {
    requireNonNull(key, "key is null");
    if (key.isEmpty() || key.startsWith("/") || key.endsWith("/") || key.contains("//")) {
      throw new InvalidInputException(
          "key", key, "non-empty names joined by /, such as resources/nodes/r1h1");
    }
    checkCharacters("key", key);
    return key;
  }

  /** Returns a prefix: empty, or a key and a slash. */
  public static String checkPrefix(String prefix) {
    requireNonNull(prefix, "prefix is null");
    if (!prefix.isEmpty()
        && (!prefix.endsWith("/") || prefix.startsWith("/") || prefix.contains("//"))) {
      throw new InvalidInputException(
          "prefix", prefix, "the empty prefix, or names that each end in /, such as resources/");
    }
    checkCharacters("prefix", prefix);
    return prefix;
  }

  private static void checkCharacters(String field, String text) {
    for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
      int c = text.codePointAt(i);
      if (c < ' ' || c == 0x7f) {
        throw new InvalidInputException(field, text, "no control characters");
      }
      // Half of a pair, and what a store shows of bytes that are no UTF-8: written again, either
      // would be another key.
      if ((c >= 0xd800 && c <= 0xdfff) || c == 0xfffd) {
        throw new InvalidInputException(
            field, text, "whole characters, and not the one that stands for what is none, U+FFFD");
      }
    }
  }
}
