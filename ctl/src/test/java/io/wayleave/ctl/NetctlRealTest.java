package io.wayleave.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.ResourceStore;
import io.wayleave.datastore.Session;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.testing.EtcdServer;
import io.wayleave.ipam.AllocationRequest;
import io.wayleave.ipam.Ipam;
import io.wayleave.ipam.IpamOptions;
import io.wayleave.model.Kind;
import io.wayleave.model.ResourceCodec;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** netctl against a real etcd, and as a process of its own. */
@Tag("real")
class NetctlRealTest {
  private static EtcdServer etcd;

  @TempDir private Path directory;

  @BeforeAll
  static void startEtcd() {
    etcd = EtcdServer.start();
  }

  @AfterAll
  static void stopEtcd() {
    etcd.close();
  }

  @AfterEach
  void forget() {
    etcd.control("del", "--prefix", "");
  }

  @Test
  void everyCommandWorksOnEtcd() throws IOException {
    assertThat(run("pool", "create", "web", "--cidr", "10.244.0.0/26").out())
        .isEqualTo("IPPool web created\n");
    assertThat(run("pool", "create", "db", "--cidr", "10.244.0.0/27"))
        .isEqualTo(
            new NetctlRun.Result(
                1,
                "",
                "netctl: IPPool \"db\": spec.cidr: \"10.244.0.0/27\" is not allowed; allowed: a"
                    + " range that overlaps no other pool, here web 10.244.0.0/26\n"));
    assertThat(run("peer", "create", "tor1", "--address", "10.0.0.1", "--as", "65001").out())
        .isEqualTo("BGPPeer tor1 created\n");
    assertThat(run("peer", "list").out()).contains("tor1  10.0.0.1  65001  all()");
    Path manifest = Files.writeString(directory.resolve("node.yaml"), Samples.NODES);
    assertThat(run("create", "-f", manifest.toString()).out()).isEqualTo("Node r2h1 created\n");
    assertThat(run("replace", "-f", manifest.toString()).out()).isEqualTo("Node r2h1 unchanged\n");
    assertThat(run("apply", "-f", manifest.toString()).out()).isEqualTo("Node r2h1 unchanged\n");
    assertThat(run("node", "label", "r2h1", "rack=2").out()).isEqualTo("Node r2h1 replaced\n");
    assertThat(run("get", "nodes", "r2h1", "-o", "yaml").out()).contains("rack: \"2\"");

    try (Datastore datastore = etcd.connect();
        Session session = datastore.openSession(Duration.ofSeconds(10), datastore.deadline())) {
      datastore.commit(
          Transaction.builder()
              .putBound(
                  Keys.presence("r2h1"),
                  "{\"version\":\"0.1.0\",\"since\":\"now\"}".getBytes(StandardCharsets.UTF_8),
                  session)
              .build(),
          datastore.deadline());
      new ResourceStore(datastore)
          .put(ResourceCodec.fromManifest(Samples.EVERY_KIND).getLast(), datastore.deadline());
      assertThat(run("node", "list").out()).contains("r2h1  -          64512  Ready     0.1.0");
      assertThat(run("version").out()).contains(etcd.url() + " reachable").contains("r2h1  0.1.0");
      assertThat(run("delete", "node", "r2h1").err()).contains("has an agent that is running");
      assertThat(run("endpoint", "list").out()).contains("0123456789ab");
      assertThat(run("endpoint", "show", "0123456789ab").code()).isZero();

      new Ipam(datastore, "r2h1", Map::of, IpamOptions.defaults())
          .allocate(AllocationRequest.oneOfEachFamily("r2h1.c1.eth0"), datastore.deadline());
    }
    assertThat(run("pool", "show", "web", "--holders").out())
        .contains("10.244.0.0  r2h1.c1.eth0  r2h1");
    assertThat(run("pool", "show").out()).contains("r2h1  web   1       1          63");
    assertThat(run("pool", "delete", "web").err())
        .contains("has 1 address in use: 10.244.0.0 by r2h1.c1.eth0;");
    assertThat(run("pool", "delete", "web", "--force").out()).isEqualTo("IPPool web deleted\n");
    assertThat(run("pool", "list").out()).hasLineCount(1);
    assertThat(run("peer", "delete", "tor1").out()).isEqualTo("BGPPeer tor1 deleted\n");
    assertThat(run("delete", "-f", manifest.toString()).out()).isEqualTo("Node r2h1 deleted\n");
  }

  @Test
  void applyOfTwoDocumentsWritesNothingWhenTheSecondIsBad() throws IOException {
    Path manifest =
        Files.writeString(
            directory.resolve("two.yaml"), Samples.NODES + "---\n" + Samples.NODES + "extra: 1\n");
    assertThat(run("apply", "-f", manifest.toString()))
        .isEqualTo(
            new NetctlRun.Result(
                1,
                "",
                "netctl: "
                    + manifest
                    + ", document 2, Node \"r2h1\": extra: \"1\" is not allowed; allowed: one of"
                    + " the fields that exist here: metadata, spec\n"));
    assertThat(etcd.control("get", "--prefix", "--keys-only", "")).isBlank();
  }

  @Test
  void nobodyLosesALabelWhenManyLabelAtOnce() {
    run("apply", "-f", writeNode().toString());
    List<CompletableFuture<NetctlRun.Result>> runs = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      String label = "l" + i + "=" + i;
      runs.add(CompletableFuture.supplyAsync(() -> run("node", "label", "r2h1", label)));
    }
    runs.forEach(run -> assertThat(run.join().err()).isEmpty());
    assertThat(run("get", "node", "r2h1").out())
        .contains("l0=0,l1=1,l2=2,l3=3,l4=4,l5=5,l6=6,l7=7");
  }

  @Test
  void ofTwoOverlappingPoolsCreatedAtOnceOneIsRefused() {
    List<CompletableFuture<NetctlRun.Result>> runs =
        List.of(
            CompletableFuture.supplyAsync(
                () -> run("pool", "create", "a", "--cidr", "10.1.0.0/16")),
            CompletableFuture.supplyAsync(
                () -> run("pool", "create", "b", "--cidr", "10.1.2.0/24")));
    assertThat(runs.stream().map(run -> run.join().code())).containsExactlyInAnyOrder(0, 1);
    assertThat(run("pool", "list").out()).hasLineCount(2);
  }

  @Test
  void anUnreachableDatastoreIsOneLineWithinTheTimeout() {
    String url = "etcd://127.0.0.1:" + EtcdServer.freePort();
    long start = System.nanoTime();
    NetctlRun.Result result = run("get", "nodes", "--datastore", url, "--timeout", "500ms");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
    assertThat(result.code()).isEqualTo(1);
    assertThat(result.out()).isEmpty();
    assertThat(result.err())
        .startsWith(
            "netctl: the datastore "
                + url
                + " does not answer within 500ms; check that it runs and can be reached,"
                + " and that --datastore or WAYLEAVE_DATASTORE is right (")
        .hasLineCount(1);
  }

  @Test
  void asAProcessItPrintsTheResultAloneAndInUtf8() throws Exception {
    Path manifest =
        Files.writeString(
            directory.resolve("node.yaml"),
            Samples.NODES.replace("name: r2h1", "name: r2h1, labels: {city: Zürich}"));
    assertThat(process("apply", "-f", manifest.toString()))
        .isEqualTo(new NetctlRun.Result(0, "Node r2h1 created\n", ""));
    NetctlRun.Result json = process("get", "nodes", "-o", "json");
    assertThat(json.err()).isEmpty();
    assertThat(ResourceCodec.fromManifest(json.out()).getFirst().metadata().labels())
        .containsEntry("city", "Zürich");
    NetctlRun.Result away =
        process(
            "get",
            "nodes",
            "-o",
            "json",
            "--timeout",
            "500ms",
            "--datastore",
            "etcd://127.0.0.1:" + EtcdServer.freePort());
    assertThat(away.code()).isEqualTo(1);
    assertThat(away.out()).isEmpty();
    assertThat(away.err()).startsWith("netctl: the datastore ").hasLineCount(1);
    assertThat(process("get").code()).isEqualTo(2);
  }

  @Test
  void aResultThatCannotBeWrittenIsAFailure() {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    PrintStream full =
        new PrintStream(
            new OutputStream() {
              @Override
              public void write(int b) throws IOException {
                throw new IOException("No space left on device");
              }
            });
    int code =
        Netctl.run(
            new String[] {"get", Kind.NODE.plural(), "--datastore", etcd.url()},
            full,
            new PrintStream(err, true, StandardCharsets.UTF_8),
            Map.of());
    assertThat(code).isEqualTo(1);
    assertThat(err.toString(StandardCharsets.UTF_8))
        .isEqualTo("netctl: the result could not be written to standard output\n");
  }

  private Path writeNode() {
    try {
      return Files.writeString(directory.resolve("node.yaml"), Samples.NODES);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static NetctlRun.Result run(String... args) {
    return NetctlRun.real(Map.of("WAYLEAVE_DATASTORE", etcd.url()), args);
  }

  /** In a JVM of its own, in a locale that knows no umlauts. */
  private NetctlRun.Result process(String... args) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                Netctl.class.getName()));
    command.addAll(List.of(args));
    Path out = directory.resolve("out");
    Path err = directory.resolve("err");
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
    builder.environment().put("LC_ALL", "C");
    builder.environment().put("WAYLEAVE_DATASTORE", etcd.url());
    Process process = builder.start();
    try {
      process.getOutputStream().close();
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("netctl ends").isTrue();
    } finally {
      process.destroyForcibly();
    }
    return new NetctlRun.Result(process.exitValue(), Files.readString(out), Files.readString(err));
  }
}
