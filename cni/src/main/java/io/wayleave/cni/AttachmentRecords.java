package io.wayleave.cni;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.wayleave.model.InvalidInputException;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.WorkloadEndpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The attachment records of this host, one file each: a line with the generation, which the
 * launcher reads, then the endpoint as JSON once the ADD has succeeded. They outlive the agent,
 * however it ends, and tell it what it has made while the datastore is away. Safe from any thread,
 * as long as nobody works on one key at the same time.
 *
 * <p>They are not synced to the disk, which would take longer than the rest of an ADD: when the
 * machine stops, every attachment ends with it. A record that is damaged is of such a time, and
 * counts as none, here as in the launcher; a DEL then goes by the datastore.
 */
public final class AttachmentRecords {
  private static final Logger log = LoggerFactory.getLogger(AttachmentRecords.class);

  private static final String DIRECTORY = "attachments";
  private static final Pattern CONTENT =
      Pattern.compile("wayleave attachment 1 generation=([0-9a-z]{1,64})\n(.*)", Pattern.DOTALL);

  private final Path directory;

  private AttachmentRecords(Path directory) {
    this.directory = directory;
  }

  /** Those below a spool directory, which is made when it is not there. */
  public static AttachmentRecords open(Path spoolDir) throws IOException {
    Path directory = spoolDir.resolve(DIRECTORY);
    DurableFiles.prepareDirectory(directory);
    return new AttachmentRecords(directory);
  }

  public Optional<Attachment> read(AttachmentKey key) throws IOException {
    Path path = path(key);
    String content;
    try {
      content = Files.readString(path, UTF_8);
    } catch (NoSuchFileException e) {
      return Optional.empty();
    }
    Matcher matcher = CONTENT.matcher(content);
    if (!matcher.matches()) {
      log.error("cni attachment record is damaged, it counts as none file={}", path);
      return Optional.empty();
    }
    String endpoint = matcher.group(2);
    try {
      return Optional.of(
          new Attachment(
              key,
              matcher.group(1),
              endpoint.isEmpty()
                  ? Optional.empty()
                  : Optional.of(
                      ResourceCodec.fromJson(endpoint.getBytes(UTF_8), WorkloadEndpoint.class))));
    } catch (InvalidInputException e) {
      log.error(
          "cni attachment record is damaged, it counts as none file={} why={}",
          path,
          e.getMessage());
      return Optional.empty();
    }
  }

  /** All records, in no order. */
  public List<Attachment> all() throws IOException {
    List<Attachment> attachments = new ArrayList<>();
    for (Path file : DurableFiles.list(directory, "*@*")) {
      Optional<AttachmentKey> key = key(file.getFileName().toString());
      if (key.isPresent()) {
        // One that a DEL deletes between the listing and the reading is none any more.
        read(key.get()).ifPresent(attachments::add);
      }
    }
    return attachments;
  }

  /** Empty for a file that is no record. */
  private static Optional<AttachmentKey> key(String fileName) {
    int at = fileName.indexOf('@');
    try {
      return Optional.of(new AttachmentKey(fileName.substring(0, at), fileName.substring(at + 1)));
    } catch (InvalidInputException e) {
      return Optional.empty();
    }
  }

  void write(Attachment attachment) throws IOException {
    String endpoint =
        attachment.endpoint().map(made -> new String(ResourceCodec.toJson(made), UTF_8)).orElse("");
    String content =
        "wayleave attachment 1 generation=" + attachment.generation() + "\n" + endpoint;
    DurableFiles.write(path(attachment.key()), content.getBytes(UTF_8));
  }

  void delete(AttachmentKey key) throws IOException {
    DurableFiles.delete(path(key));
  }

  private Path path(AttachmentKey key) {
    return directory.resolve(key.fileName());
  }
}
