package io.wayleave.test.lab;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;

/**
 * The lab's state on disk, as JSON. A reader sees the old state or the new one and never a mixture,
 * also when a writer is killed; changes of several threads and several processes are one after the
 * other. Safe from any thread.
 */
final class StateFile {
  private final Path file;
  private final Path lockFile;

  /** A file lock belongs to the whole JVM and cannot tell its threads apart. */
  private static final ReentrantLock THREADS = new ReentrantLock();

  StateFile(Path directory) {
    this.file = directory.resolve("state.json");
    this.lockFile = directory.resolve("state.lock");
  }

  /** The state, empty when no lab was begun here. */
  Optional<LabState> read() {
    try {
      return Optional.of(Json.MAPPER.readValue(Files.readString(file), LabState.class));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (JsonProcessingException e) {
      throw new LabException(file + " is not the state of a lab: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  LabState require() {
    return read().orElseThrow(() -> new LabException("no lab has its state in " + file));
  }

  void create(LabState state) {
    locked(() -> write(state));
  }

  void update(UnaryOperator<LabState> change) {
    locked(() -> write(change.apply(require())));
  }

  private void locked(Runnable action) {
    THREADS.lock();
    try (FileChannel channel =
            FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = channel.lock()) {
      if (lock.isValid()) {
        action.run();
      }
    } catch (IOException e) {
      throw new UncheckedIOException("state of the lab cannot be locked: " + lockFile, e);
    } finally {
      THREADS.unlock();
    }
  }

  private void write(LabState state) {
    Path next = file.resolveSibling("state.json.next");
    try {
      Files.writeString(next, Json.write(state));
      Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException("state of the lab cannot be written: " + file, e);
    }
  }
}
