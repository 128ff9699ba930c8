package io.wayleave.cni;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Cidr;
import io.wayleave.model.MacAddress;
import io.wayleave.model.Metadata;
import io.wayleave.model.WorkloadEndpoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@link DelSpool} and {@link AttachmentRecords}. */
class SpoolTest {
  private static final AttachmentKey KEY = new AttachmentKey("c1", "eth0");

  @TempDir Path directory;
  private AttachmentRecords records;
  private DelSpool spool;

  @BeforeEach
  void setUp() throws Exception {
    records = AttachmentRecords.open(directory);
    spool = DelSpool.open(directory);
  }

  @Test
  void aRecordIsReadAsItWasWritten() throws Exception {
    Attachment begun = Attachment.begun(KEY, "0f");
    assertThat(records.read(KEY)).isEmpty();

    records.write(begun);
    assertThat(records.read(KEY)).contains(begun);
    assertThat(begun.isFinished()).isFalse();

    Attachment finished = begun.finished(endpoint());
    records.write(finished);
    assertThat(AttachmentRecords.open(directory).read(KEY)).contains(finished);

    Attachment other = Attachment.begun(new AttachmentKey("c1", "net1"), "10");
    records.write(other);
    assertThat(records.all()).containsExactlyInAnyOrder(finished, other);

    records.delete(KEY);
    records.delete(KEY);
    assertThat(records.all()).containsExactly(other);
  }

  @Test
  void aDamagedRecordCountsAsNone() throws Exception {
    Path file = directory.resolve("attachments/c1@eth0");
    Files.writeString(directory.resolve("attachments/no@record@"), "");
    for (String content :
        List.of(
            "",
            "wayleave attachment 2 generation=1\n",
            "wayleave attachment 1 generation=1",
            "wayleave attachment 1 generation=1\n{",
            "wayleave attachment 1 generation=1\n{}")) {
      Files.writeString(file, content);
      assertThat(records.read(KEY)).isEmpty();
      assertThat(records.all()).isEmpty();
    }
  }

  @Test
  void entriesAreFoundByTheirKeyAndByNoOther() throws Exception {
    spool.add(KEY, Optional.of("0f"));
    spool.add(KEY, Optional.of("0f"));
    spool.add(KEY, Optional.empty());
    spool.add(new AttachmentKey("c1", "eth0.1"), Optional.of("10"));
    spool.add(new AttachmentKey("c", "eth0"), Optional.of("11"));

    assertThat(spool.entries()).hasSize(4);
    assertThat(spool.entriesOf(KEY))
        .extracting(DelSpool.Entry::generation)
        .containsExactlyInAnyOrder(Optional.of("0f"), Optional.empty());

    spool.remove(spool.entriesOf(KEY).getFirst());
    assertThat(spool.entriesOf(KEY)).hasSize(1);
  }

  @Test
  void anEntryOfNoUseIsSetAsideAndKeepsNoOtherBack() throws Exception {
    Files.writeString(directory.resolve("a@b@none.del"), "WLCx");
    Files.write(
        directory.resolve("b@b@none.del"),
        RequestFrame.of(Map.of("CNI_CONTAINERID", "../x", "CNI_IFNAME", "eth0")).encode());
    spool.add(KEY, Optional.empty());

    assertThat(spool.entries()).extracting(DelSpool.Entry::key).containsExactly(KEY);
    assertThat(directory.resolve("a@b@none.del.refused")).exists();
    assertThat(directory.resolve("b@b@none.del.refused")).exists();
    assertThat(spool.entries()).hasSize(1);
  }

  @Test
  void whatACrashLeftHalfWrittenGoesAtTheNextStartButNotWhatALauncherIsWriting() throws Exception {
    Path ours = Files.writeString(directory.resolve(".new-123-4"), "");
    Path launchers = Files.writeString(directory.resolve(".new-123-aB3xYz"), "");

    DelSpool reopened = DelSpool.open(directory);

    assertThat(reopened.entries()).isEmpty();
    assertThat(ours).doesNotExist();
    assertThat(launchers).exists();
  }

  private static WorkloadEndpoint endpoint() {
    return new WorkloadEndpoint(
        Metadata.of("h1.c1.eth0", Map.of("app", "web")),
        new WorkloadEndpoint.Spec(
            "h1",
            "c1",
            "eth0",
            "wl0123456789a",
            MacAddress.parse("02:00:00:00:00:01"),
            List.of(Cidr.parse("10.0.0.1/32")),
            "net",
            "0f"));
  }
}
