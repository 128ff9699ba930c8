package io.wayleave.cni;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static java.nio.file.StandardOpenOption.CREATE_NEW;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** Files that are whole or not there, whenever the process stops; or even the machine. */
final class DurableFiles {
  private static final String TEMPORARY_PREFIX = ".new-";
  private static final AtomicLong COUNTER = new AtomicLong();

  private DurableFiles() {}

  /** Writes or replaces; on return the file and its name are on the disk. */
  static void writeSynced(Path path, byte[] content) throws IOException {
    write(path, content, true);
    sync(path.getParent());
  }

  /** Writes or replaces; a process that reads it sees the old content or the new one, whole. */
  static void write(Path path, byte[] content) throws IOException {
    write(path, content, false);
  }

  private static void write(Path path, byte[] content, boolean synced) throws IOException {
    Path directory = path.getParent();
    Path temporary =
        directory.resolve(
            TEMPORARY_PREFIX + ProcessHandle.current().pid() + "-" + COUNTER.incrementAndGet());
    try {
      try (FileChannel channel = FileChannel.open(temporary, CREATE_NEW, WRITE)) {
        ByteBuffer buffer = ByteBuffer.wrap(content);
        while (buffer.hasRemaining()) {
          channel.write(buffer);
        }
        if (synced) {
          channel.force(true);
        }
      }
      Files.move(temporary, path, ATOMIC_MOVE, REPLACE_EXISTING);
    } catch (IOException e) {
      Files.deleteIfExists(temporary);
      throw e;
    }
  }

  /**
   * Deletes; no error when it is not there. Not synced: should the machine stop now, the file may
   * be there again, and what is done about it a second time changes nothing.
   */
  static void delete(Path path) throws IOException {
    Files.deleteIfExists(path);
  }

  /** Makes the directory and its parents, and removes what a crash left half written in it. */
  static void prepareDirectory(Path directory) throws IOException {
    Files.createDirectories(directory);
    for (Path file : list(directory, TEMPORARY_PREFIX + "*")) {
      // A launcher may be writing one right now; its name has a letter pattern of its own.
      if (file.getFileName().toString().matches("\\.new-[0-9]+-[0-9]+")) {
        Files.deleteIfExists(file);
      }
    }
  }

  /** The files that match, in no order. */
  static List<Path> list(Path directory, String glob) throws IOException {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory, glob)) {
      stream.forEach(files::add);
    }
    return files;
  }

  private static void sync(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, READ)) {
      channel.force(true);
    }
  }
}
