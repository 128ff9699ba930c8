package io.wayleave.ctl;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreMover;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code netctl datastore}: everything in a datastore to a file, back, and to another one. */
@Command(name = "datastore", description = "Save, restore and move all that a datastore holds.")
final class DatastoreCommand {
  /** For each listing and each transaction; a large store takes longer than a single answer. */
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final Context context;

  DatastoreCommand(Context context) {
    this.context = requireNonNull(context, "context is null");
  }

  @Command(
      name = "export",
      description = "Write everything but the agents' life signs to a new file; agents may run.")
  int export(@Parameters(paramLabel = "FILE", description = "the file to make") Path file) {
    Path unfinished = Path.of(file + ".unfinished");
    int count;
    String name;
    try (Context.Serving _ = context.serve(context.datastoreUrl(), false)) {
      if (Files.exists(file)) {
        throw new FileAlreadyExistsException(file.toString());
      }
      Files.deleteIfExists(unfinished);
      // It may hold secrets.
      try (FileChannel channel =
          FileChannel.open(
              unfinished,
              Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
        Writer writer = Channels.newWriter(channel, UTF_8);
        count = mover().export(Context.reached(context.datastore()), writer);
        name = context.datastore().description();
        channel.force(true);
      }
      Files.move(unfinished, file);
    } catch (FileAlreadyExistsException e) {
      throw new UsageException(file + " exists; give the name of a new file", e);
    } catch (IOException e) {
      throw new CommandFailedException(file + " cannot be written: " + e.getMessage(), e);
    }
    return done(count, name + " exported to " + file);
  }

  @Command(
      name = "import",
      description = "Fill an empty datastore from a file that export wrote; all of it or an error.")
  int importFrom(@Parameters(paramLabel = "FILE", description = "the file to read") Path file) {
    int count;
    String name;
    try (BufferedReader reader = Files.newBufferedReader(file, UTF_8);
        Context.Serving _ = context.serve(context.datastoreUrl(), true)) {
      count = mover().fill(reader, Context.reached(context.datastore()));
      name = context.datastore().description();
    } catch (NoSuchFileException e) {
      throw new UsageException(file + " does not exist", e);
    } catch (CharacterCodingException e) {
      throw new CommandFailedException(file + " is not UTF-8, so export did not write it", e);
    } catch (IOException e) {
      throw new CommandFailedException(file + " cannot be read: " + e.getMessage(), e);
    }
    return done(count, file + " imported to " + name);
  }

  @Command(
      name = "migrate",
      description =
          "Copy everything to an empty datastore while no agent runs. Credentials given by flag are"
              + " used for both; an embedded datastore has its own.")
  int migrate(
      @Parameters(paramLabel = "FROM", description = "URL of the datastore to read") String from,
      @Parameters(paramLabel = "TO", description = "URL of the datastore to fill") String to) {
    try (Context.Serving _ = context.serve(from, false);
        Context.Serving _ = context.serve(to, true);
        Datastore source = context.openDatastore(from);
        Datastore target = context.openDatastore(to)) {
      return done(
          mover().migrate(Context.reached(source), Context.reached(target)),
          source.description() + " copied to " + target.description());
    }
  }

  private int done(int count, String what) {
    context
        .output()
        .tree(
            JsonNodeFactory.instance.objectNode().put("entries", count),
            () -> count + " entries of " + what + "\n");
    return 0;
  }

  private static DatastoreMover mover() {
    return new DatastoreMover(PATIENCE);
  }
}
