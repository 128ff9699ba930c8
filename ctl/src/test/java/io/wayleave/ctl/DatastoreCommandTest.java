package io.wayleave.ctl;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Transaction;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DatastoreCommandTest {
  @TempDir private Path directory;

  private final NetctlRun netctl = new NetctlRun();

  @BeforeEach
  void fill() {
    netctl
        .datastore()
        .commit(
            Transaction.builder().put("a", "1").put("b/c", "2").build(),
            netctl.datastore().deadline());
  }

  @Test
  void whatIsExportedCanBeImported() throws Exception {
    Path file = directory.resolve("all.json");
    NetctlRun.Result exported = netctl.run("datastore", "export", file.toString());
    assertThat(exported.err()).isEmpty();
    assertThat(exported.out()).isEqualTo("2 entries of memory exported to " + file + "\n");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    NetctlRun.Result again = netctl.run("datastore", "export", file.toString());
    assertThat(again.code()).isEqualTo(2);
    assertThat(again.err()).contains("exists");

    NetctlRun other = new NetctlRun();
    NetctlRun.Result imported = other.run("datastore", "import", file.toString());
    assertThat(imported.err()).isEmpty();
    assertThat(imported.out()).isEqualTo("2 entries of " + file + " imported to memory\n");
    assertThat(other.datastore().listAll("", other.datastore().deadline()).entries())
        .extracting(Entry::text)
        .isEqualTo(List.of("1", "2"));
    NetctlRun.Result refused = netctl.run("datastore", "import", file.toString());
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err()).contains("an empty datastore");
  }

  @Test
  void aFileThatIsNoExportIsRefused() throws Exception {
    Path file = directory.resolve("other.json");
    assertThat(netctl.run("datastore", "import", file.toString()).err()).contains("does not exist");
    Files.writeString(file, "{}\n", UTF_8);
    assertThat(netctl.run("datastore", "import", file.toString()).err()).contains("line 1");
  }

  @Test
  void aMigrationOpensBothAndIsRefusedWhereTheTargetIsNotEmpty() {
    NetctlRun.Result result = netctl.run("datastore", "migrate", "etcd://a", "zookeeper://b");
    assertThat(netctl.opened())
        .extracting(NetctlRun.Opened::url)
        .containsExactly("etcd://a", "zookeeper://b");
    assertThat(result.code()).isEqualTo(1);
    assertThat(result.err()).contains("an empty datastore");
  }
}
