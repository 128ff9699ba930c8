package io.wayleave.ctl;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The version of this program, which the build writes into its jar. */
final class BuildVersion {
  private BuildVersion() {}

  static String own() {
    try (InputStream text = BuildVersion.class.getResourceAsStream("version.txt")) {
      if (text == null) {
        throw new IllegalStateException("version.txt is missing from netctl's jar");
      }
      return new String(text.readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw new UncheckedIOException("version.txt in netctl's jar cannot be read", e);
    }
  }
}
