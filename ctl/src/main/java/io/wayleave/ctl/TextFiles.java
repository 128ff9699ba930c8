package io.wayleave.ctl;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Says why a file could not be read; the JDK's messages are often the path alone. */
final class TextFiles {
  private TextFiles() {}

  /** {@code web.yaml does not exist}. */
  static String why(Path file, IOException e) {
    if (e instanceof NoSuchFileException) {
      return file + " does not exist";
    }
    if (e instanceof AccessDeniedException) {
      return file + " may not be read by this user";
    }
    if (e instanceof CharacterCodingException) {
      return file + " is not text in UTF-8";
    }
    if (Files.isDirectory(file)) {
      return file + " is a folder; give a file";
    }
    return file + " cannot be read: " + e.getMessage();
  }
}
