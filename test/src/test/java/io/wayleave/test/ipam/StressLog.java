package io.wayleave.test.ipam;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * What a host of a stress run was about to do, and what it was told, each line synced before the
 * host goes on: what it was told stands here, whatever happens to it. NOT thread safe.
 */
final class StressLog implements Closeable {
  /** What a line says. */
  enum Kind {
    ALLOCATES,
    ALLOCATED,
    /** Certainly not allocated. */
    REFUSED,
    /** Allocated or not. */
    ALLOCATION_UNKNOWN,
    RELEASES,
    RELEASED,
    NOT_FOUND,
    /** Released or not. */
    RELEASE_UNKNOWN,
    /** A claim of blocks, or their giving up, was done. */
    CLAIMED,
    /** It was done or not. */
    CLAIM_UNKNOWN
  }

  /**
   * A line.
   *
   * @param nanos by the clock that all processes of a machine share; after the answer came, before
   *     the question went out
   * @param id the handle
   * @param words addresses, or what a refusal was
   */
  record Event(long nanos, Kind kind, String id, List<String> words) {
    Event {
      words = List.copyOf(words);
    }
  }

  private final FileChannel file;

  private StressLog(FileChannel file) {
    this.file = file;
  }

  /** Opens a file to go on with it. */
  static StressLog append(Path path) throws IOException {
    return new StressLog(
        FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.APPEND));
  }

  /** Writes a line and returns when it is on the disk. */
  void note(Kind kind, String id, List<String> words) throws IOException {
    String line = System.nanoTime() + " " + kind + " " + id + " " + String.join(" ", words);
    ByteBuffer bytes = ByteBuffer.wrap((line.strip() + "\n").getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      int _ = file.write(bytes);
    }
    file.force(false);
  }

  @Override
  public void close() throws IOException {
    file.close();
  }

  /** All whole lines of a file; the last one may have been cut by a kill. */
  static List<Event> read(Path path) throws IOException {
    List<Event> events = new ArrayList<>();
    String text = Files.exists(path) ? Files.readString(path) : "";
    for (String line : text.substring(0, text.lastIndexOf('\n') + 1).lines().toList()) {
      List<String> words = List.of(line.split(" ", -1));
      events.add(
          new Event(
              Long.parseLong(words.get(0)),
              Kind.valueOf(words.get(1)),
              words.get(2),
              words.subList(3, words.size())));
    }
    return events;
  }
}
