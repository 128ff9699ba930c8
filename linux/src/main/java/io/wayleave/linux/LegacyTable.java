package io.wayleave.linux;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.wayleave.model.Family;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * A table of the legacy back end of iptables, read by socket options: what {@code iptables-legacy
 * -save} reads, without a process and without its text. It changes nothing, but the first look
 * creates the table, empty, in a namespace that has none.
 *
 * <p>Linux has no notification of changes to these tables. {@link #shape} costs a system call of
 * some microseconds; {@link #read} copies the whole table.
 *
 * <p>NOT thread safe: one thread at a time.
 */
public final class LegacyTable implements AutoCloseable {
  private static final int IPPROTO_IP = 0;
  private static final int IPPROTO_IPV6 = 41;
  private static final int IPPROTO_RAW = 255;

  // linux/netfilter_ipv4/ip_tables.h and its IPv6 twin.
  private static final int SO_GET_INFO = 64;
  private static final int SO_GET_ENTRIES = 65;
  private static final int NAME_SIZE = 32;
  private static final int INFO_SIZE = 84;
  private static final int HOOK_ENTRY = 36;
  private static final int UNDERFLOW = 56;
  private static final int NUM_ENTRIES = 76;
  private static final int SIZE = 80;
  private static final int ENTRIES = 40;
  private static final int MATCH_HEADER = 32;
  private static final int COUNTERS_SIZE = 16;
  private static final int ATTEMPTS = 5;

  /** The hooks of the filter table by the kernel's numbers. */
  private static final Map<Integer, String> HOOKS = Map.of(1, "INPUT", 2, "FORWARD", 3, "OUTPUT");

  private final Family family;
  private final Layout layout;
  private final Fd socket;
  private final MemorySegment name;

  /** Offsets within struct ipt_entry or ip6t_entry. */
  private record Layout(int level, int targetOffset, int nextOffset, int counters, int size) {
    static Layout of(Family family) {
      return switch (family) {
        case IPV4 -> new Layout(IPPROTO_IP, 88, 90, 96, 112);
        case IPV6 -> new Layout(IPPROTO_IPV6, 140, 142, 152, 168);
      };
    }
  }

  /**
   * What a change of the table mostly changes: sizes, and where its chains begin and end.
   *
   * @param hash of all that the kernel tells of the table without its entries
   */
  public record Shape(int entries, int bytes, long hash) {}

  /**
   * The whole table.
   *
   * @param hash of all but the counters; what others change changes it
   * @param comments of each rule, by chain and in order; empty for a rule without a comment
   */
  public record Content(long hash, Map<String, List<String>> comments) {
    public Content {
      requireNonNull(comments, "comments is null");
    }
  }

  private LegacyTable(Family family, Fd socket) {
    this.family = family;
    this.layout = Layout.of(family);
    this.socket = socket;
    this.name = Arena.ofAuto().allocate(NAME_SIZE);
    name.setString(0, "filter");
  }

  /** The filter table of one family, in the network namespace of the calling thread. */
  public static LegacyTable openFilter(Family family) throws IOException {
    int domain = family == Family.IPV4 ? Libc.AF_INET : Libc.AF_INET6;
    return new LegacyTable(
        family,
        Fd.ofResult(
            Libc.socket(domain, Libc.SOCK_RAW | Libc.SOCK_CLOEXEC, IPPROTO_RAW),
            "open a socket for the filter table of " + family));
  }

  /** Cheap to ask. Equal while nobody replaces the table by one of another shape. */
  public Shape shape() throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment info = info(arena);
      return new Shape(info.get(JAVA_INT, NUM_ENTRIES), info.get(JAVA_INT, SIZE), crc(info));
    }
  }

  /** The hash of {@link #read} alone, which costs less. */
  public long hash() throws IOException {
    return look((_, entries) -> crc(entries));
  }

  public Content read() throws IOException {
    return look((info, entries) -> new Content(crc(entries), comments(info, entries)));
  }

  @Override
  public void close() {
    socket.close();
  }

  @FunctionalInterface
  private interface Use<T> {
    T of(MemorySegment info, MemorySegment entries);
  }

  private <T> T look(Use<T> use) throws IOException {
    for (int attempt = 1; ; attempt++) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment info = info(arena);
        int size = info.get(JAVA_INT, SIZE);
        MemorySegment whole = arena.allocate(ENTRIES + (long) size, 8);
        whole.copyFrom(name);
        whole.set(JAVA_INT, NAME_SIZE, size);
        int result = Libc.getsockopt(socket.number(), layout.level, SO_GET_ENTRIES, whole);
        if (result == 0) {
          MemorySegment entries = whole.asSlice(ENTRIES, size);
          maskCounters(entries);
          return use.of(info, entries);
        }
        // EAGAIN: it was replaced by one of another size since the first question.
        if (result != -Errno.EAGAIN.number() || attempt == ATTEMPTS) {
          throw new SystemCallException("read the legacy filter table of " + family, -result);
        }
      }
    }
  }

  private MemorySegment info(Arena arena) throws IOException {
    MemorySegment info = arena.allocate(INFO_SIZE, 8);
    info.copyFrom(name);
    int result = Libc.getsockopt(socket.number(), layout.level, SO_GET_INFO, info);
    if (result < 0) {
      throw new SystemCallException("look at the legacy filter table of " + family, -result);
    }
    return info;
  }

  private void maskCounters(MemorySegment entries) {
    for (int at = 0; at < entries.byteSize(); at += next(entries, at)) {
      entries.asSlice(at + (long) layout.counters, COUNTERS_SIZE).fill((byte) 0);
    }
  }

  private Map<String, List<String>> comments(MemorySegment info, MemorySegment entries) {
    Map<Integer, String> builtInStarts = new LinkedHashMap<>();
    Map<String, Integer> policies = new LinkedHashMap<>();
    HOOKS.forEach(
        (hook, chain) -> {
          builtInStarts.put(info.get(JAVA_INT, HOOK_ENTRY + 4L * hook), chain);
          policies.put(chain, info.get(JAVA_INT, UNDERFLOW + 4L * hook));
        });
    Map<String, List<String>> chains = new LinkedHashMap<>();
    List<String> current = new ArrayList<>();
    boolean builtIn = false;
    int policyAt = -1;
    for (int at = 0; at < entries.byteSize(); at += next(entries, at)) {
      String start = builtInStarts.get(at);
      boolean head = start == null && isError(entries, at);
      if (start != null || head) {
        if (!builtIn) {
          dropReturn(current);
        }
        builtIn = start != null;
        current = new ArrayList<>();
        chains.put(builtIn ? start : errorName(entries, at), current);
        policyAt = builtIn ? policies.get(start) : -1;
        if (head) {
          continue;
        }
      }
      if (at != policyAt) {
        current.add(comment(entries, at));
      }
    }
    // The table ends in a chain of that name, which is none.
    chains.remove("ERROR");
    return chains;
  }

  /** Each chain of a user ends in a rule that returns, which iptables does not show. */
  private static void dropReturn(List<String> rules) {
    if (!rules.isEmpty()) {
      rules.removeLast();
    }
  }

  private String comment(MemorySegment entries, int at) {
    int target = u16(entries, at + layout.targetOffset);
    int match = layout.size;
    while (match + MATCH_HEADER <= target) {
      if (isNamed(entries, at + match, "comment")) {
        return entries.getString(at + (long) match + MATCH_HEADER, UTF_8);
      }
      match += size(u16(entries, at + match));
    }
    return "";
  }

  private boolean isError(MemorySegment entries, int at) {
    return isNamed(entries, at + u16(entries, at + layout.targetOffset), "ERROR");
  }

  private String errorName(MemorySegment entries, int at) {
    int target = u16(entries, at + layout.targetOffset);
    return entries.getString(at + (long) target + MATCH_HEADER, UTF_8);
  }

  /** struct xt_entry_match and xt_entry_target: size, name, revision. */
  private static boolean isNamed(MemorySegment entries, int at, String name) {
    for (int i = 0; i < name.length(); i++) {
      if (entries.get(JAVA_BYTE, at + 2L + i) != name.charAt(i)) {
        return false;
      }
    }
    return entries.get(JAVA_BYTE, at + 2L + name.length()) == 0;
  }

  private int next(MemorySegment entries, int at) {
    return size(u16(entries, at + layout.nextOffset));
  }

  /** A size of zero would never end. */
  private static int size(int read) {
    if (read <= 0) {
      throw new IllegalStateException("a rule of no size in a legacy table");
    }
    return read;
  }

  private static int u16(MemorySegment entries, int at) {
    return entries.get(JAVA_SHORT_UNALIGNED, at) & 0xffff;
  }

  private static long crc(MemorySegment bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes.asByteBuffer());
    return crc.getValue();
  }
}
