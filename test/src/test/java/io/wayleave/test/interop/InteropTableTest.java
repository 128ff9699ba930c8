package io.wayleave.test.interop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The table in the documents is what the cells showed. Runs after all other classes; a run without
 * the matrix says nothing of it.
 */
@Tag("real")
@Tag("full")
@Order(Integer.MAX_VALUE)
class InteropTableTest {
  @Test
  void theDocumentSaysWhatTheTestsSay() throws IOException {
    assumeTrue(Matrix.ran(), "the matrix did not run");
    String table = Matrix.markdown();
    Path written = Path.of("target", "interop.md");
    Files.writeString(written, table);
    Path document =
        Path.of(System.getenv("WAYLEAVE_SOURCE_ROOT")).resolve("docs").resolve("interop.md");
    assertThat(document).as("differs from %s", written.toAbsolutePath()).hasContent(table);
  }
}
