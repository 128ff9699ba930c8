package io.wayleave.cni;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * DELs that are not settled: written by launchers that found no agent, and by the agent for what it
 * could not undo in the datastore. One file each, in the form of a {@link RequestFrame}. Safe from
 * any thread.
 */
final class DelSpool {
  private static final Logger log = LoggerFactory.getLogger(DelSpool.class);
  private static final String SUFFIX = ".del";
  private static final String LATE_SUFFIX = "@late.del";

  private final Path directory;

  /**
   * @param generation of the attachment that is meant; empty when there was no record of one
   * @param late whether its address may be taken after this was written, so that to settle it once
   *     does not settle it
   */
  record Entry(Path file, AttachmentKey key, Optional<String> generation, boolean late) {}

  private DelSpool(Path directory) {
    this.directory = directory;
  }

  static DelSpool open(Path directory) throws IOException {
    DurableFiles.prepareDirectory(directory);
    return new DelSpool(directory);
  }

  Path directory() {
    return directory;
  }

  /** All entries, in the order of their names. */
  List<Entry> entries() throws IOException {
    return entries("*" + SUFFIX);
  }

  List<Entry> entriesOf(AttachmentKey key) throws IOException {
    // Neither part of a key can hold a character that means something in a glob.
    return entries(key.fileName() + "@*" + SUFFIX);
  }

  /** Adds one, durably. */
  void add(AttachmentKey key, Optional<String> generation) throws IOException {
    write(key, generation, SUFFIX);
  }

  /** Adds one, durably, whose address may yet be taken. */
  void addLate(AttachmentKey key, String generation) throws IOException {
    write(key, Optional.of(generation), LATE_SUFFIX);
  }

  private void write(AttachmentKey key, Optional<String> generation, String suffix)
      throws IOException {
    Map<String, String> sections =
        generation.isPresent()
            ? Map.of(
                "CNI_COMMAND",
                "DEL",
                "CNI_CONTAINERID",
                key.containerId(),
                "CNI_IFNAME",
                key.ifname(),
                RequestFrame.GENERATION,
                generation.get())
            : Map.of(
                "CNI_COMMAND", "DEL",
                "CNI_CONTAINERID", key.containerId(),
                "CNI_IFNAME", key.ifname());
    Path file = directory.resolve(key.fileName() + "@" + generation.orElse("none") + suffix);
    DurableFiles.writeSynced(file, RequestFrame.of(sections).encode());
  }

  void remove(Entry entry) throws IOException {
    DurableFiles.delete(entry.file());
  }

  private List<Entry> entries(String glob) throws IOException {
    List<Path> files = DurableFiles.list(directory, glob);
    files.sort(Comparator.naturalOrder());
    List<Entry> entries = new ArrayList<>();
    for (Path file : files) {
      read(file).ifPresent(entries::add);
    }
    return entries;
  }

  /** Empty when the entry is gone, or is set aside because nothing can be made of it. */
  private Optional<Entry> read(Path file) throws IOException {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      RequestFrame frame = RequestFrame.decode(Files.readAllBytes(file));
      AttachmentKey key =
          new AttachmentKey(
              frame.variable("CNI_CONTAINERID").orElse(""),
              frame.variable("CNI_IFNAME").orElse(""));
      // Generations have no '@', so no other entry has that end.
      boolean late = file.getFileName().toString().endsWith(LATE_SUFFIX);
      return Optional.of(new Entry(file, key, frame.text(RequestFrame.GENERATION), late));
    } catch (CniException | IllegalArgumentException e) {
      // A name that is not allowed was never attached, so there is nothing to undo. Anything else
      // was not written by a launcher; keep it for whoever wants to know.
      Path aside = file.resolveSibling(file.getFileName() + ".refused");
      Files.move(file, aside, StandardCopyOption.REPLACE_EXISTING);
      String reason = e instanceof CniException cni ? cni.details() : e.getMessage();
      log.error("spooled DEL set aside, it cannot be read file={} reason={}", aside, reason);
      return Optional.empty();
    }
  }
}
