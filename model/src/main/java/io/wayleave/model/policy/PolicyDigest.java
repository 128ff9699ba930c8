package io.wayleave.model.policy;

import io.wayleave.model.Kind;
import io.wayleave.model.Resource;
import io.wayleave.model.ResourceCodec;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;

/**
 * A short text that is equal for equal sets of policies, tiers, profiles and network sets, whatever
 * the order in which they came and went. By it {@code netctl} knows that what an agent has put in
 * force is what is stored. Endpoints, nodes and staged policies are not in it. A change costs one
 * hash. NOT thread safe.
 */
public final class PolicyDigest {
  /** The kinds that are in it. */
  public static final Set<Kind> KINDS =
      Set.of(
          Kind.TIER,
          Kind.PROFILE,
          Kind.NETWORK_SET,
          Kind.GLOBAL_NETWORK_SET,
          Kind.NETWORK_POLICY,
          Kind.GLOBAL_NETWORK_POLICY);

  private static final int BYTES = 16;

  private final Map<String, byte[]> parts = new HashMap<>();
  private final byte[] sum = new byte[BYTES];

  /** Takes a resource in, or the new state of one; other kinds are passed over. */
  public void put(Resource resource) {
    if (KINDS.contains(resource.kind())) {
      remove(resource.kind(), resource.id());
      byte[] part = hash(resource);
      parts.put(name(resource.kind(), resource.id()), part);
      turn(part);
    }
  }

  /** Leaves a resource out that may have been in it. */
  public void remove(Kind kind, String id) {
    byte[] part = parts.remove(name(kind, id));
    if (part != null) {
      turn(part);
    }
  }

  /** Exclusive or, so that the order means nothing and each turn undoes itself. */
  private void turn(byte[] part) {
    for (int i = 0; i < BYTES; i++) {
      sum[i] ^= part[i];
    }
  }

  private static String name(Kind kind, String id) {
    return kind.plural() + "/" + id;
  }

  private static byte[] hash(Resource resource) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      sha.update(name(resource.kind(), resource.id()).getBytes(StandardCharsets.UTF_8));
      sha.update((byte) 0);
      return sha.digest(ResourceCodec.toJson(resource));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** 32 hexadecimal digits. */
  @Override
  public String toString() {
    return HexFormat.of().formatHex(sum);
  }
}
