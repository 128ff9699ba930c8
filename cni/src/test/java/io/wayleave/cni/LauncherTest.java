package io.wayleave.cni;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.wayleave.cni.Launcher.Outcome;
import io.wayleave.linux.Fd;
import io.wayleave.linux.Frame;
import io.wayleave.linux.UnixConnection;
import io.wayleave.linux.UnixServer;
import io.wayleave.model.ResourceCodec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The launcher as the build made it, with a socket server of the test as its agent, and without.
 */
@Timeout(60)
class LauncherTest {
  private static final Duration TIME = Duration.ofSeconds(20);

  @TempDir Path directory;

  private Path socket;
  private Path spool;

  @BeforeEach
  void setUp() {
    socket = directory.resolve("agent.sock");
    spool = directory.resolve("var/spool");
  }

  // ---- VERSION

  @ParameterizedTest
  @EnumSource(CniVersion.class)
  void versionEchoesTheAskedVersionAndListsTheSupportedOnes(CniVersion version) throws Exception {
    Outcome outcome = Launcher.of("VERSION").config(config(version)).run();

    assertThat(outcome.exitStatus()).isZero();
    assertThat(outcome.json())
        .isEqualTo(
            json(
                """
                {"cniVersion": "%s", "supportedVersions": ["0.3.1", "0.4.0", "1.0.0", "1.1.0"]}
                """
                    .formatted(version)));
  }

  @Test
  void versionEchoesAVersionThatIsNotSupported() throws Exception {
    Outcome outcome = Launcher.of("VERSION").config("{\"cniVersion\":\"2.0.0\"}").run();

    assertThat(outcome.exitStatus()).isZero();
    assertThat(outcome.json().path("cniVersion").asText()).isEqualTo("2.0.0");
  }

  @Test
  void versionNeedsNoConfiguration() throws Exception {
    Outcome outcome = Launcher.of("VERSION").run();

    assertThat(outcome.exitStatus()).isZero();
    assertThat(outcome.json().path("cniVersion").asText()).isEqualTo("1.1.0");
  }

  // ---- no agent

  @ParameterizedTest
  @EnumSource(CniVersion.class)
  void withoutAnAgentAddIsToBeTriedAgainLater(CniVersion version) throws Exception {
    Outcome outcome =
        attachment("ADD").with("CNI_NETNS", "/proc/self/ns/net").config(config(version)).run();

    assertError(outcome, 11);
    assertThat(outcome.json().path("cniVersion").asText()).isEqualTo(version.toString());
    assertThat(outcome.json().path("details").asText()).contains(socket.toString(), "ENOENT");
    assertThat(spool).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource({
    "CHECK, 0.4.0, 11",
    "CHECK, 1.0.0, 11",
    "CHECK, 1.1.0, 11",
    "STATUS, 1.1.0, 50",
    "GC, 1.1.0, 11",
  })
  void withoutAnAgentTheOthersFailAsTheSpecificationSays(String command, String version, int code)
      throws Exception {
    Outcome outcome =
        attachment(command)
            .with("CNI_NETNS", "/proc/self/ns/net")
            .config("{\"cniVersion\":\"%s\",\"name\":\"n\"}".formatted(version))
            .run();

    assertError(outcome, code);
    assertThat(outcome.json().path("cniVersion").asText()).isEqualTo(version);
    assertThat(outcome.json().path("details").asText()).contains(socket.toString());
  }

  @ParameterizedTest
  @CsvSource({"CHECK, 0.3.1", "STATUS, 1.0.0", "GC, 0.4.0", "ADD, 0.2.0", "ADD, 1.2.0"})
  void aCommandThatTheVersionLacksIsIncompatible(String command, String version) throws Exception {
    Outcome outcome =
        attachment(command)
            .with("CNI_NETNS", "/proc/self/ns/net")
            .config("{\"cniVersion\":\"%s\"}".formatted(version))
            .run();

    assertError(outcome, 1);
    assertThat(outcome.json().path("details").asText()).contains("\"" + version + "\"");
  }

  @Test
  void aConfigurationWithoutAVersionMeansOneThatIsTooOld() throws Exception {
    Outcome outcome = attachment("DEL").config("{\"name\":\"n\"}").run();

    assertError(outcome, 1);
    assertThat(outcome.json().path("details").asText()).contains("0.1.0");
  }

  @Test
  void whenNobodyListensAnyMoreTheErrorSaysSo() throws Exception {
    UnixServer server = UnixServer.listen(socket);
    Path kept = directory.resolve("kept.sock");
    Files.createLink(kept, socket);
    server.close();

    Outcome outcome =
        attachment("ADD")
            .with("WAYLEAVE_SOCKET", kept.toString())
            .with("CNI_NETNS", "/proc/self/ns/net")
            .config(config(CniVersion.V1_0_0))
            .run();

    assertError(outcome, 11);
    assertThat(outcome.json().path("details").asText()).contains("ECONNREFUSED");
  }

  // ---- the spool

  @ParameterizedTest
  @EnumSource(CniVersion.class)
  void withoutAnAgentDelIsSpooledAndSucceeds(CniVersion version) throws Exception {
    Outcome outcome = attachment("DEL").with("CNI_NETNS", "/no/such").config(config(version)).run();

    assertThat(outcome).isEqualTo(new Outcome(0, ""));
    RequestFrame entry = RequestFrame.decode(Files.readAllBytes(onlyFile()));
    assertThat(onlyFile().getFileName()).hasToString("c-1.x_y@eth0@none.del");
    assertThat(entry.variable("CNI_COMMAND")).contains("DEL");
    assertThat(entry.variable("CNI_CONTAINERID")).contains("c-1.x_y");
    assertThat(entry.variable("CNI_IFNAME")).contains("eth0");
    assertThat(entry.text(RequestFrame.CONFIG)).contains(config(version));
    assertThat(entry.text(RequestFrame.GENERATION)).isEmpty();
    assertThat(entry.text("netnsError")).contains("ENOENT");
  }

  @Test
  void aSpooledDelNamesTheGenerationOfTheRecord() throws Exception {
    AttachmentRecords.open(spool)
        .write(Attachment.begun(new AttachmentKey("c-1.x_y", "eth0"), "0123456789abcdef"));

    assertThat(attachment("DEL").config(config(CniVersion.V1_1_0)).run().exitStatus()).isZero();

    DelSpool.Entry entry = DelSpool.open(spool).entries().getFirst();
    assertThat(entry.key()).isEqualTo(new AttachmentKey("c-1.x_y", "eth0"));
    assertThat(entry.generation()).contains("0123456789abcdef");
    assertThat(entry.file().getFileName()).hasToString("c-1.x_y@eth0@0123456789abcdef.del");
  }

  @Test
  void aRepeatedDelReplacesItsOwnEntry() throws Exception {
    for (int i = 0; i < 3; i++) {
      assertThat(attachment("DEL").config(config(CniVersion.V1_1_0)).run().exitStatus()).isZero();
    }
    assertThat(DelSpool.open(spool).entries()).hasSize(1);
    try (Stream<Path> files = Files.list(spool)) {
      assertThat(files).hasSize(1);
    }
  }

  @Test
  void aDelThatCannotBeSpooledFails() throws Exception {
    Files.writeString(directory.resolve("file"), "");

    Outcome outcome =
        attachment("DEL")
            .with("WAYLEAVE_SPOOL", directory.resolve("file/spool").toString())
            .config(config(CniVersion.V1_1_0))
            .run();

    assertError(outcome, 5);
    assertThat(outcome.json().path("details").asText()).contains("ENOTDIR", "file/");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "generation=12\n",
        "wayleave attachment 1 generation=\n",
        "wayleave attachment 1 generation=../x\n",
        "wayleave attachment 1 generation=12"
      })
  void aDamagedRecordCountsAsNone(String content) throws Exception {
    Path record = spool.resolve("attachments/c-1.x_y@eth0");
    Files.createDirectories(record.getParent());
    Files.writeString(record, content);

    assertThat(attachment("DEL").config(config(CniVersion.V1_1_0)).run())
        .isEqualTo(new Outcome(0, ""));

    assertThat(DelSpool.open(spool).entries().getFirst().generation()).isEmpty();
  }

  @Test
  void aRecordThatCannotBeReadIsAnErrorAndNotNone() throws Exception {
    Path record = spool.resolve("attachments/c-1.x_y@eth0");
    Files.createDirectories(record);

    Outcome outcome = attachment("DEL").config(config(CniVersion.V1_1_0)).run();

    assertError(outcome, 5);
    assertThat(outcome.json().path("details").asText()).contains(record.toString(), "EISDIR");
  }

  // ---- hand-over

  @Test
  void theAgentGetsEnvironmentConfigurationAndNamespaceAndItsAnswerIsPrinted() throws Exception {
    String config = "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"x\":\"\\u00e9 \u00e9\"}";
    try (UnixServer server = UnixServer.listen(socket)) {
      Launcher.Running running =
          attachment("ADD")
              .with("CNI_NETNS", "/proc/self/ns/net")
              .with("CNI_ARGS", "IP=10.0.0.1;K8S_POD_NAME=p")
              .with("WAYLEAVE_LABELS", "app=web")
              .with("SECRET", "not for the agent")
              .config(config)
              .start();
      try (UnixConnection connection = server.accept(TIME).orElseThrow();
          Frame frame = connection.receive(RequestFrame.MAX_BYTES, 1, TIME)) {
        RequestFrame request = RequestFrame.decode(frame.bytes());
        assertThat(request.text(RequestFrame.CONFIG)).contains(config);
        assertThat(request.variable("CNI_COMMAND")).contains("ADD");
        assertThat(request.variable("CNI_NETNS")).contains("/proc/self/ns/net");
        assertThat(request.variable("CNI_ARGS")).contains("IP=10.0.0.1;K8S_POD_NAME=p");
        assertThat(request.variable("WAYLEAVE_LABELS")).contains("app=web");
        assertThat(request.text(RequestFrame.SPOOL_DIR)).contains(spool.toString());
        assertThat(request.text("SECRET")).isEmpty();
        assertThat(frame.descriptors()).hasSize(1);
        assertThat(target(frame.descriptors().getFirst()))
            .isEqualTo(Files.readSymbolicLink(Path.of("/proc/self/ns/net")).toString());
        connection.send(new CniReply(0, "{\"ips\":[]}\n").encode(), List.of(), TIME);
      }
      assertThat(running.await()).isEqualTo(new Outcome(0, "{\"ips\":[]}\n"));
    }
  }

  @Test
  void theExitStatusIsThatOfTheReply() throws Exception {
    try (UnixServer server = UnixServer.listen(socket)) {
      Launcher.Running running = attachment("DEL").config(config(CniVersion.V1_0_0)).start();
      answer(server, Optional.of(new CniReply(1, "{\"code\":999}")));
      assertThat(running.await()).isEqualTo(new Outcome(1, "{\"code\":999}"));
      assertThat(spool).doesNotExist();
    }
  }

  @Test
  void aDelOfAnAttachmentThatExistsNamesItsGenerationToTheAgent() throws Exception {
    AttachmentRecords.open(spool)
        .write(Attachment.begun(new AttachmentKey("c-1.x_y", "eth0"), "00ff"));
    try (UnixServer server = UnixServer.listen(socket)) {
      Launcher.Running running = attachment("DEL").config(config(CniVersion.V1_0_0)).start();
      RequestFrame request = answer(server, Optional.of(CniReply.done()));
      assertThat(request.text(RequestFrame.GENERATION)).contains("00ff");
      assertThat(running.await().exitStatus()).isZero();
    }
  }

  @Test
  void anAnswerOfManyChunksArrivesWhole() throws Exception {
    String large = "x".repeat(1 << 20);
    try (UnixServer server = UnixServer.listen(socket)) {
      Launcher.Running running = attachment("DEL").config(config(CniVersion.V1_0_0)).start();
      answer(server, Optional.of(new CniReply(0, large)));
      assertThat(running.await()).isEqualTo(new Outcome(0, large));
    }
  }

  @Test
  void whenTheAgentDiesBeforeItAnswersAnAddIsRefusedAndADelSpooled() throws Exception {
    try (UnixServer server = UnixServer.listen(socket)) {
      Launcher.Running add =
          attachment("ADD")
              .with("CNI_NETNS", "/proc/self/ns/net")
              .config(config(CniVersion.V1_1_0))
              .start();
      answer(server, Optional.empty());
      Outcome refused = add.await();
      assertError(refused, 11);
      assertThat(refused.json().path("details").asText()).contains("closed the connection");

      Launcher.Running del = attachment("DEL").config(config(CniVersion.V1_1_0)).start();
      answer(server, Optional.empty());
      assertThat(del.await()).isEqualTo(new Outcome(0, ""));
      assertThat(DelSpool.open(spool).entries()).hasSize(1);
    }
  }

  @Test
  void anAgentThatDoesNotAnswerIsGivenUpAtTheDeadline() throws Exception {
    try (UnixServer server = UnixServer.listen(socket)) {
      Launcher.Running running =
          attachment("ADD")
              .with("CNI_NETNS", "/proc/self/ns/net")
              .config("{\"cniVersion\":\"1.0.0\",\"timeoutSeconds\":1}")
              .start();
      try (UnixConnection connection = server.accept(TIME).orElseThrow();
          Frame frame = connection.receive(RequestFrame.MAX_BYTES, 1, TIME)) {
        assertThat(frame.descriptors()).hasSize(1);
        Outcome outcome = running.await();
        assertError(outcome, 11);
        assertThat(outcome.json().path("details").asText()).contains("deadline");
      }
    }
  }

  @Test
  void theSocketAndTheSpoolOfTheConfigurationCountWhenTheEnvironmentNamesNone() throws Exception {
    Path other = directory.resolve("dir \u00e9");
    Files.createDirectories(other);
    String config =
        """
        {"nested": {"agentSocket": "/wrong", "list": [{"spoolDir": "/wrong"}, "}", "\\""]},
         "agentSock\\u0065t": "%s/a.sock", "spoolDir": "%s\\/sp\\u006fol", "cniVersion": "1.0.0"}
        """
            .formatted(other, other);

    Outcome outcome =
        attachment("DEL").without("WAYLEAVE_SOCKET").without("WAYLEAVE_SPOOL").config(config).run();

    assertThat(outcome).isEqualTo(new Outcome(0, ""));
    assertThat(DelSpool.open(other.resolve("spool")).entries()).hasSize(1);
    try (UnixServer server = UnixServer.listen(other.resolve("a.sock"))) {
      Launcher.Running running =
          attachment("DEL")
              .without("WAYLEAVE_SOCKET")
              .without("WAYLEAVE_SPOOL")
              .config(config)
              .start();
      answer(server, Optional.of(CniReply.done()));
      assertThat(running.await().exitStatus()).isZero();
    }
  }

  // ---- bad input

  @ParameterizedTest
  @ValueSource(strings = {"CNI_COMMAND", "CNI_CONTAINERID", "CNI_IFNAME", "CNI_NETNS"})
  void aMissingVariableIsNamed(String missing) throws Exception {
    Launcher launcher =
        attachment("ADD").with("CNI_NETNS", "/proc/self/ns/net").config(config(CniVersion.V0_4_0));

    assertMissing(launcher.without(missing).run(), missing);
    assertMissing(launcher.with(missing, "").run(), missing);
  }

  @ParameterizedTest
  @CsvSource({
    "CNI_COMMAND, add",
    "CNI_COMMAND, ATTACH",
    "CNI_CONTAINERID, ../../etc",
    "CNI_CONTAINERID, a@b",
    "CNI_CONTAINERID, -a",
    "CNI_IFNAME, a/b",
    "CNI_IFNAME, ..",
    "CNI_IFNAME, a:b",
    "CNI_IFNAME, sixteencharacter",
    "CNI_NETNS, /no/such/file",
    "WAYLEAVE_SOCKET, relative",
    "WAYLEAVE_SPOOL, relative",
    "WAYLEAVE_TIMEOUT, 0",
    "WAYLEAVE_TIMEOUT, 601",
    "WAYLEAVE_TIMEOUT, 5s",
  })
  void aMalformedVariableIsNamedWithItsValue(String variable, String value) throws Exception {
    Outcome outcome =
        attachment("ADD")
            .with("CNI_NETNS", "/proc/self/ns/net")
            .with(variable, value)
            .config(config(CniVersion.V1_1_0))
            .run();

    assertError(outcome, 4);
    assertThat(outcome.json().path("details").asText()).contains(variable, value);
  }

  @Test
  void aContainerIdThatIsTooLongForAFileNameIsRefused() throws Exception {
    String longest = "a".repeat(AttachmentKey.MAX_CONTAINER_ID);

    assertError(
        attachment("DEL")
            .with("CNI_CONTAINERID", longest + "a")
            .config(config(CniVersion.V1_1_0))
            .run(),
        4);
    assertThat(
            attachment("DEL")
                .with("CNI_CONTAINERID", longest)
                .with("CNI_IFNAME", "fifteencharacte")
                .config(config(CniVersion.V1_1_0))
                .run())
        .isEqualTo(new Outcome(0, ""));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "{",
        "[]",
        "null",
        "{\"a\":1,}",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":+1}",
        "{\"a\":tru}",
        "{\"a\" 1}",
        "{'a':1}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\udc00\\ud800\"}",
        "{\"a\":\"tab\there\"}",
        "{\"a\":\"open",
        "{\"a\":\"open\\",
        "{\"a\":[1}",
        "{} {}",
        "{\"cniVersion\":\"1.0.0\",\"cniVersion\":\"1.1.0\"}",
        "{\"a\":\u0000}"
      })
  void aConfigurationThatIsNoJsonIsRefusedWithItsPlace(String text) throws Exception {
    Outcome outcome = attachment("DEL").config(text).run();

    assertError(outcome, 6);
    assertThat(outcome.json().path("details").asText()).contains("byte ");
    assertThat(spool).doesNotExist();
  }

  @Test
  void aConfigurationOfBytesThatAreNotUtf8IsRefused() throws Exception {
    for (int[] bad :
        new int[][] {
          {0xff}, {0xc0, 0x80}, {0xed, 0xa0, 0x80}, {0xf4, 0x90, 0x80, 0x80}, {0xe2, 0x82}
        }) {
      byte[] text = new byte[bad.length + 8];
      byte[] start = "{\"a\":\"".getBytes(UTF_8);
      System.arraycopy(start, 0, text, 0, start.length);
      for (int i = 0; i < bad.length; i++) {
        text[start.length + i] = (byte) bad[i];
      }
      text[text.length - 2] = '"';
      text[text.length - 1] = '}';
      assertError(attachment("DEL").config(text).run(), 6);
    }
  }

  @Test
  void deepNestingIsRefusedAndNotFollowed() throws Exception {
    Outcome outcome =
        attachment("DEL").config("{\"a\":" + "[".repeat(500_000) + "]".repeat(500_000) + "}").run();

    assertError(outcome, 6);
    assertThat(outcome.json().path("details").asText()).contains("64 levels");
  }

  @Test
  void aHugeConfigurationIsRefused() throws Exception {
    String huge = "{\"cniVersion\":\"1.0.0\",\"a\":\"" + "x".repeat(1 << 20) + "\"}";

    assertError(attachment("DEL").config(huge).run(), 7);
    assertThat(spool).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "agentSocket | 7",
        "agentSocket | \"relative\"",
        "agentSocket | \"/with\\u0000nul\"",
        "spoolDir | {}",
        "timeoutSeconds | \"5\"",
        "timeoutSeconds | 0",
        "timeoutSeconds | 1.5",
        "timeoutSeconds | -1",
      })
  void aFieldOfTheLauncherWithABadValueIsNamed(String field, String value) throws Exception {
    Outcome outcome =
        attachment("DEL")
            .without("WAYLEAVE_SOCKET")
            .without("WAYLEAVE_SPOOL")
            .config("{\"cniVersion\":\"1.0.0\",\"%s\":%s}".formatted(field, value))
            .run();

    assertError(outcome, 7);
    assertThat(outcome.json().path("details").asText()).contains(field);
  }

  @Test
  void aSocketPathThatDoesNotFitIsRefused() throws Exception {
    Outcome outcome =
        attachment("DEL")
            .with("WAYLEAVE_SOCKET", "/" + "x".repeat(108))
            .config(config(CniVersion.V1_0_0))
            .run();

    assertError(outcome, 4);
  }

  // ---- helpers

  private Launcher attachment(String command) {
    return Launcher.of(command, "c-1.x_y", "eth0")
        .with("WAYLEAVE_SOCKET", socket.toString())
        .with("WAYLEAVE_SPOOL", spool.toString());
  }

  private static String config(CniVersion version) {
    return "{\"cniVersion\":\"" + version + "\",\"name\":\"net\",\"type\":\"wayleave\"}";
  }

  /** Takes one request, and answers it or hangs up. */
  private static RequestFrame answer(UnixServer server, Optional<CniReply> reply) throws Exception {
    try (UnixConnection connection = server.accept(TIME).orElseThrow();
        Frame frame = connection.receive(RequestFrame.MAX_BYTES, 1, TIME)) {
      if (reply.isPresent()) {
        connection.send(reply.get().encode(), List.of(), TIME);
      }
      return RequestFrame.decode(frame.bytes());
    }
  }

  private Path onlyFile() throws IOException {
    try (Stream<Path> files = Files.list(spool)) {
      List<Path> all = files.toList();
      assertThat(all).hasSize(1);
      return all.getFirst();
    }
  }

  private static String target(Fd descriptor) throws IOException {
    return Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor.number())).toString();
  }

  private static void assertMissing(Outcome outcome, String variable) throws IOException {
    assertError(outcome, 4);
    assertThat(outcome.json().path("cniVersion").asText()).isEqualTo("0.4.0");
    assertThat(outcome.json().path("details").asText()).isEqualTo(variable + " is not set");
  }

  private static void assertError(Outcome outcome, int code) throws IOException {
    assertThat(outcome.exitStatus()).as(outcome.output()).isEqualTo(1);
    assertThat(outcome.json().path("code").asInt()).as(outcome.output()).isEqualTo(code);
    assertThat(outcome.json().path("msg").asText()).isNotEmpty();
    assertThat(outcome.json().path("details").asText()).isNotEmpty();
  }

  private static JsonNode json(String text) throws IOException {
    return ResourceCodec.jsonMapper().readTree(text);
  }
}
