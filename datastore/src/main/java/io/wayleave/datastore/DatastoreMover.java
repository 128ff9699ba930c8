package io.wayleave.datastore;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.wayleave.model.InvalidInputException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Moves everything between datastores, and to and from a file, byte for byte: it reads no value, so
 * it also keeps what this version does not know. It refuses whatever could lose something: a source
 * that changes meanwhile, agents that still write to it, a target that holds anything else, a file
 * that is not whole. The life signs of agents are theirs and are not moved.
 *
 * <p>A file is JSON, one object a line: {@code {"format":…,"version":1}}, then {@code
 * {"key":…,"value":…}} with the value in base64, in order of key, then {@code
 * {"entries":…,"sha256":…}} over the lines before.
 *
 * <p>While a target is being filled it holds {@link #INCOMPLETE}, and no agent works on it and no
 * address is given; the same move can be begun again and goes on.
 */
public final class DatastoreMover {
  /** The key that says that a target does not hold all yet. */
  public static final String INCOMPLETE = "datastore/incomplete";

  private static final String FORMAT = "wayleave-datastore";
  private static final int VERSION = 1;
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int READS = 5;
  private static final int TRANSACTION_ENTRIES = 100;
  private static final int TRANSACTION_BYTES = 500_000;

  private final Duration patience;

  /**
   * @param patience how long each listing and each transaction may take
   */
  public DatastoreMover(Duration patience) {
    this.patience = requireNonNull(patience, "patience is null");
  }

  /**
   * Refuses a datastore into which a move did not end: what is not there yet may be in use.
   *
   * @throws InvalidInputException that says how to end it
   */
  public static void checkWhole(Datastore datastore, Deadline deadline) {
    if (datastore.get(INCOMPLETE, deadline).isPresent()) {
      throw notWhole("datastore", datastore);
    }
  }

  private static InvalidInputException notWhole(String field, Datastore datastore) {
    return new InvalidInputException(
        field,
        datastore.description(),
        "a whole datastore; "
            + INCOMPLETE
            + " says that a move into it did not end: give that netctl datastore command again");
  }

  /**
   * Writes everything, as it was at one moment, to a file, and returns how many entries. Agents may
   * run.
   *
   * @throws InvalidInputException when a store whose listings are not of one moment changes so fast
   *     that no two readings agree
   */
  public int export(Datastore from, Writer file) throws IOException {
    SortedMap<String, Entry> entries = read(from);
    entries.keySet().removeIf(Keys::isBound);
    MessageDigest digest = sha256();
    write(file, digest, Map.of("format", FORMAT, "version", VERSION));
    for (Entry entry : entries.values()) {
      write(
          file,
          digest,
          Map.of("key", entry.key(), "value", Base64.getEncoder().encodeToString(entry.value())));
    }
    String sum = HexFormat.of().formatHex(digest.digest());
    write(file, sha256(), Map.of("entries", entries.size(), "sha256", sum));
    file.flush();
    return entries.size();
  }

  /**
   * Fills an empty datastore from a file, and returns how many entries. The file is read to its end
   * before anything is written.
   *
   * @throws InvalidInputException when the file is not one that {@link #export} wrote, or not all
   *     of it, or the datastore holds something else
   */
  public int fill(BufferedReader file, Datastore to) throws IOException {
    SortedMap<String, byte[]> values = parse(file);
    fill(values, to);
    end(to);
    return values.size();
  }

  /**
   * Copies everything to an empty datastore, and returns how many entries.
   *
   * @throws InvalidInputException when agents live on the source, or it changed meanwhile, or the
   *     target holds something else
   */
  public int migrate(Datastore from, Datastore to) {
    SortedMap<String, Entry> entries = read(from);
    List<String> alive = entries.keySet().stream().filter(Keys::isBound).toList();
    if (!alive.isEmpty()) {
      throw new InvalidInputException(
          "from",
          from.description(),
          "a datastore that no agent uses; stop those of "
              + String.join(", ", alive.stream().limit(5).map(Keys::lastSegment).toList())
              + (alive.size() > 5 ? " and " + (alive.size() - 5) + " more" : ""));
    }
    SortedMap<String, byte[]> values = new TreeMap<>();
    entries.forEach((key, entry) -> values.put(key, entry.value()));
    fill(values, to);
    // The mark goes last: whatever ends this before, the target does not look whole.
    if (!list(from).equals(entries)) {
      throw new InvalidInputException(
          "from",
          from.description(),
          "a datastore that nobody writes to; it changed meanwhile, and the target stays marked by "
              + INCOMPLETE);
    }
    end(to);
    return values.size();
  }

  /** A listing that is not of one moment, but is found twice, is as good as one that is. */
  private SortedMap<String, Entry> read(Datastore from) {
    SortedMap<String, Entry> entries = list(from);
    boolean stands = from.listsOneMoment();
    for (int i = 1; !stands && i < READS; i++) {
      SortedMap<String, Entry> now = list(from);
      stands = now.equals(entries);
      entries = now;
    }
    if (!stands) {
      throw new InvalidInputException(
          "from",
          from.description(),
          "a datastore that rests for a moment; it changed during each of " + READS + " readings");
    }
    if (entries.containsKey(INCOMPLETE)) {
      throw notWhole("from", from);
    }
    return entries;
  }

  private SortedMap<String, Entry> list(Datastore from) {
    SortedMap<String, Entry> entries = new TreeMap<>();
    for (Entry entry : from.listAll("", Deadline.after(patience)).entries()) {
      Keys.checkKey(entry.key());
      entries.put(entry.key(), entry);
    }
    return entries;
  }

  /** Writes all, and leaves the mark. */
  private void fill(SortedMap<String, byte[]> values, Datastore to) {
    SortedMap<String, Entry> present = list(to);
    boolean goesOn = present.remove(INCOMPLETE) != null;
    for (Entry entry : present.values()) {
      if (!goesOn || !Arrays.equals(values.get(entry.key()), entry.value())) {
        throw new InvalidInputException(
            "to",
            to.description(),
            goesOn
                ? "an empty datastore, or what the same move wrote; not so: " + entry.key()
                : "an empty datastore; it has " + present.size() + " keys, such as " + entry.key());
      }
    }
    commit(Transaction.builder().put(INCOMPLETE, "{}"), to);
    Transaction.Builder transaction = Transaction.builder();
    int entries = 0;
    int bytes = 0;
    for (Map.Entry<String, byte[]> value : values.entrySet()) {
      if (present.containsKey(value.getKey())) {
        continue;
      }
      if (entries > 0
          && (entries == TRANSACTION_ENTRIES
              || bytes + value.getValue().length > TRANSACTION_BYTES)) {
        commit(transaction, to);
        transaction = Transaction.builder();
        entries = 0;
        bytes = 0;
      }
      transaction.ifAbsent(value.getKey()).put(value.getKey(), value.getValue());
      entries++;
      bytes += value.getValue().length;
    }
    commit(transaction, to);
    SortedMap<String, Entry> written = list(to);
    written.remove(INCOMPLETE);
    List<String> different = new ArrayList<>();
    values.forEach(
        (key, value) -> {
          Entry entry = written.remove(key);
          if (entry == null || !Arrays.equals(entry.value(), value)) {
            different.add(key);
          }
        });
    different.addAll(written.keySet());
    if (!different.isEmpty()) {
      throw new InvalidInputException(
          "to",
          to.description(),
          "a datastore that nobody else writes to; not as they should be: "
              + String.join(", ", different.stream().limit(5).toList()));
    }
  }

  /** From here on the target is used as any other. */
  private void end(Datastore to) {
    commit(Transaction.builder().delete(INCOMPLETE), to);
  }

  private void commit(Transaction.Builder transaction, Datastore to) {
    if (to.commit(transaction.build(), Deadline.after(patience))
        instanceof TransactionResult.Failed failed) {
      throw new InvalidInputException(
          "to",
          to.description(),
          "a datastore that nobody else writes to; somebody wrote "
              + failed.failed().getFirst().key());
    }
  }

  private static void write(Writer file, MessageDigest digest, Map<String, Object> line)
      throws IOException {
    String text = JSON.writeValueAsString(new TreeMap<>(line)) + "\n";
    digest.update(text.getBytes(UTF_8));
    file.write(text);
  }

  private static SortedMap<String, byte[]> parse(BufferedReader file) throws IOException {
    MessageDigest digest = sha256();
    SortedMap<String, byte[]> values = new TreeMap<>();
    int number = 0;
    while (true) {
      number++;
      String text = file.readLine();
      if (text == null) {
        throw bad(number, "the end of the file", "a last line with the number of entries");
      }
      JsonNode line = json(number, text);
      if (number == 1) {
        if (!line.path("format").asText().equals(FORMAT)
            || line.path("version").asInt() != VERSION) {
          throw bad(number, text, "{\"format\":\"" + FORMAT + "\",\"version\":" + VERSION + "}");
        }
      } else if (line.has("entries")) {
        String sum = HexFormat.of().formatHex(digest.digest());
        if (line.path("entries").asInt(-1) != values.size()
            || !line.path("sha256").asText().equals(sum)) {
          throw bad(number, text, values.size() + " entries with SHA-256 " + sum + ", as read");
        }
        if (file.readLine() != null) {
          throw bad(number + 1, "more lines", "nothing after the last line");
        }
        return values;
      } else if (line.size() != 2 || !line.path("key").isTextual() || !line.has("value")) {
        throw bad(number, text, "key and value");
      } else {
        String key = key(number, line);
        if (values.put(key, value(number, line)) != null) {
          throw bad(number, key, "each key once");
        }
      }
      digest.update((text + "\n").getBytes(UTF_8));
    }
  }

  private static String key(int number, JsonNode line) {
    try {
      return Keys.checkKey(line.path("key").asText());
    } catch (InvalidInputException e) {
      throw e.within("line " + number);
    }
  }

  private static byte[] value(int number, JsonNode line) {
    try {
      return Base64.getDecoder().decode(line.path("value").asText());
    } catch (IllegalArgumentException e) {
      throw bad(number, line.path("value").asText(), "a value in base64");
    }
  }

  private static JsonNode json(int number, String text) throws IOException {
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw bad(number, text, "a JSON object");
    }
  }

  private static InvalidInputException bad(int line, String found, String allowed) {
    return new InvalidInputException(
        "line " + line, found.length() > 80 ? found.substring(0, 80) + "…" : found, allowed);
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every JVM has it
    }
  }
}
