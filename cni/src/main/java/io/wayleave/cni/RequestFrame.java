package io.wayleave.cni;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * One invocation of the launcher as it is written down: for the agent's socket and, byte by byte
 * the same, for the spool. The format is described in {@code src/main/c/frame.h}. Immutable.
 */
final class RequestFrame {
  /** Longest payload that is read: a configuration and an environment, each of at most 1 MiB. */
  static final int MAX_BYTES = 4 << 20;

  static final String CONFIG = "config";
  static final String SPOOL_DIR = "spoolDir";
  static final String GENERATION = "generation";
  static final String NETNS_ERROR = "netnsError";

  private static final byte[] MAGIC = "WLC1".getBytes(US_ASCII);

  private final Map<String, byte[]> sections;

  private RequestFrame(Map<String, byte[]> sections) {
    this.sections = sections;
  }

  static RequestFrame of(Map<String, String> sections) {
    Map<String, byte[]> bytes = new LinkedHashMap<>();
    sections.forEach((key, value) -> bytes.put(key, value.getBytes(UTF_8)));
    return new RequestFrame(bytes);
  }

  static RequestFrame decode(byte[] payload) throws CniException {
    ByteBuffer in = ByteBuffer.wrap(payload);
    if (payload.length < MAGIC.length
        || !Arrays.equals(payload, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
      throw undecodable(0, "not the request of a launcher of this version: no \"WLC1\" in front");
    }
    in.position(MAGIC.length);
    Map<String, byte[]> sections = new LinkedHashMap<>();
    while (in.hasRemaining()) {
      int start = in.position();
      String key = new String(counted(in), UTF_8);
      if (sections.put(key, counted(in)) != null) {
        throw undecodable(start, "section \"" + key + "\" occurs twice");
      }
    }
    return new RequestFrame(sections);
  }

  byte[] encode() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(MAGIC);
    sections.forEach(
        (key, value) -> {
          putCounted(out, key.getBytes(UTF_8));
          putCounted(out, value);
        });
    return out.toByteArray();
  }

  Optional<byte[]> bytes(String key) {
    return Optional.ofNullable(sections.get(key)).map(byte[]::clone);
  }

  Optional<String> text(String key) {
    return Optional.ofNullable(sections.get(key)).map(value -> new String(value, UTF_8));
  }

  /** An environment variable; one that is set to nothing counts as not set. */
  Optional<String> variable(String name) {
    return text(name).filter(value -> !value.isEmpty());
  }

  private static byte[] counted(ByteBuffer in) throws CniException {
    int start = in.position();
    if (in.remaining() < Integer.BYTES) {
      throw undecodable(start, "ends in the middle of a length");
    }
    int length = in.getInt();
    if (length < 0 || length > in.remaining()) {
      throw undecodable(
          start,
          "a section of "
              + Integer.toUnsignedLong(length)
              + " bytes where "
              + in.remaining()
              + " are left");
    }
    byte[] bytes = new byte[length];
    in.get(bytes);
    return bytes;
  }

  private static void putCounted(ByteArrayOutputStream out, byte[] bytes) {
    out.writeBytes(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).array());
    out.writeBytes(bytes);
  }

  private static CniException undecodable(int offset, String why) {
    return new CniException(
        CniException.Code.DECODING_FAILURE,
        "the launcher's request cannot be read",
        "request, byte " + offset + ": " + why);
  }
}
