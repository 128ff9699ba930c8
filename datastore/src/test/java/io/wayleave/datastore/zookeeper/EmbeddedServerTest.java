package io.wayleave.datastore.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreException;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.Datastores;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.testing.Await;
import io.wayleave.datastore.testing.Commands;
import io.wayleave.model.InvalidInputException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("real")
@Timeout(120)
class EmbeddedServerTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  @TempDir private Path temporary;

  @Test
  void whatWasWrittenIsThereAfterARestart() throws Exception {
    Path directory = temporary.resolve("a/b");
    String url = "embedded:" + directory;
    assertThatThrownBy(() -> Datastores.open(url, DatastoreOptions.DEFAULTS))
        .isInstanceOf(DatastoreUnavailableException.class)
        .hasMessageContaining(url);
    int port;
    try (EmbeddedServer server = start(directory);
        Datastore client = Datastores.open(url, DatastoreOptions.DEFAULTS)) {
      assertThat(server).isNotNull();
      port = port(directory);
      client.commit(Transaction.builder().put("a", "1").build(), deadline());
      assertThatThrownBy(() -> start(directory))
          .isInstanceOf(DatastoreUnavailableException.class)
          .hasMessageContaining("served by another process already");
    }
    try (EmbeddedServer server = start(directory);
        Datastore client = Datastores.open(url, DatastoreOptions.DEFAULTS)) {
      assertThat(server).isNotNull();
      assertThat(client.get("a", deadline()).map(Entry::text)).contains("1");
      assertThat(port(directory)).isEqualTo(port);
    }
  }

  @Test
  void nobodyWithoutTheSecretIsServedAndOnlyOnLoopback() throws Exception {
    try (EmbeddedServer server = start(temporary.resolve("d"));
        Datastore client =
            Datastores.open("embedded:" + temporary.resolve("d"), DatastoreOptions.DEFAULTS)) {
      assertThat(server).isNotNull();
      client.commit(Transaction.builder().put("a", "1").build(), deadline());
      int port = Integer.parseInt(Files.readString(temporary.resolve("d/port")).strip());

      try (Datastore stranger =
          Datastores.open("zookeeper://127.0.0.1:" + port, DatastoreOptions.DEFAULTS)) {
        assertThatThrownBy(() -> stranger.get("a", Deadline.after(Duration.ofSeconds(3))))
            .isInstanceOf(DatastoreException.class);
      }
      ZooKeeper raw = new ZooKeeper("127.0.0.1:" + port, 5_000, _ -> {});
      try {
        raw.addAuthInfo("digest", "w:w".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        Await.until("connected", LIMIT, () -> raw.getState().isConnected());
        assertThatThrownBy(() -> raw.getChildren("/", false)).isInstanceOf(KeeperException.class);
      } finally {
        raw.close();
      }
      try (Socket other = new Socket()) {
        // Another loopback address is not ours either.
        assertThatThrownBy(
                () ->
                    other.connect(
                        new InetSocketAddress(
                            InetAddress.getByAddress(new byte[] {127, 0, 0, 2}), port),
                        2_000))
            .isInstanceOf(java.io.IOException.class);
      }
    }
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(temporary.resolve("d"))))
        .isEqualTo("rwx------");
    Path secret = temporary.resolve("d/secret");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(secret)))
        .isEqualTo("rw-------");
    Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-r--r--"));
    assertThatThrownBy(() -> start(temporary.resolve("d")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining(secret.toString());
  }

  @Test
  void aClientFollowsAServerThatListensElsewhereAndShowsItsSecretToNobodyElse() throws Exception {
    Path directory = temporary.resolve("d");
    String url = "embedded:" + directory;
    EmbeddedServer first = start(directory);
    int port = port(directory);
    try (Datastore client = Datastores.open(url, DatastoreOptions.DEFAULTS)) {
      client.commit(Transaction.builder().put("a", "1").build(), deadline());
      assertThat(client.description()).isEqualTo(url);
      first.close();
      try (ServerSocket stranger = new ServerSocket(port, 10, loopback())) {
        // Long enough for several tries to connect.
        assertThatThrownBy(() -> client.get("a", Deadline.after(Duration.ofSeconds(3))))
            .isInstanceOf(DatastoreUnavailableException.class)
            .hasMessageContaining(url);
        assertThatThrownBy(() -> Datastores.open(url, DatastoreOptions.DEFAULTS))
            .isInstanceOf(DatastoreUnavailableException.class)
            .hasMessageContaining("served by no process");
        try (EmbeddedServer second = start(directory)) {
          assertThat(second).isNotNull();
          assertThat(port(directory)).isNotEqualTo(port);
          assertThat(client.get("a", deadline()).map(Entry::text)).contains("1");
        }
        stranger.setSoTimeout(1);
        assertThatThrownBy(stranger::accept).isInstanceOf(SocketTimeoutException.class);
      }
    }
  }

  @Test
  void aServerThatCannotWriteItsLogSaysThatItHasEnded() throws Exception {
    Path directory = Files.createDirectory(temporary.resolve("small"));
    run("mount", "-t", "tmpfs", "-o", "size=16m,mode=0700", "none", directory.toString());
    try {
      AtomicReference<Throwable> death = new AtomicReference<>();
      String url = "embedded:" + directory;
      try (EmbeddedServer _ = EmbeddedServer.start(directory, death::set);
          Datastore client = Datastores.open(url, DatastoreOptions.DEFAULTS)) {
        client.commit(Transaction.builder().put("a", "1").build(), deadline());
        fill(directory.resolve("filler"));
        assertThat(death.get()).isNull();
        byte[] much = new byte[500_000];
        assertThatThrownBy(
                () ->
                    client.commit(
                        Transaction.builder().put("b", much).build(),
                        Deadline.after(Duration.ofSeconds(3))))
            .isInstanceOf(DatastoreUnavailableException.class);
        Await.until("told", LIMIT, () -> death.get() != null);
        assertThat(death.get()).hasMessageContaining("could not write");
      }
      Files.delete(directory.resolve("filler"));
      try (EmbeddedServer _ = start(directory);
          Datastore client = Datastores.open(url, DatastoreOptions.DEFAULTS)) {
        assertThat(client.get("a", deadline()).map(Entry::text)).contains("1");
      }
    } finally {
      // ZooKeeper leaves a log that it could not write open.
      run("umount", "--lazy", directory.toString());
    }
  }

  private void run(String... command) {
    var _ = Commands.run(temporary, List.of(command));
  }

  private static void fill(Path file) throws IOException {
    byte[] zeros = new byte[4096];
    try (OutputStream out = Files.newOutputStream(file)) {
      for (int i = 0; i < 16 << 8; i++) {
        out.write(zeros);
      }
    } catch (IOException e) {
      assertThat(e).hasMessageContaining("No space left");
      return;
    }
    throw new AssertionError("it is larger than it was made");
  }

  @Test
  void aDirectoryThatOthersMayEnterIsRefused() throws IOException {
    Path directory = Files.createDirectory(temporary.resolve("open"));
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    assertThatThrownBy(() -> start(directory))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("rwxr-xr-x");
  }

  private static EmbeddedServer start(Path directory) {
    return EmbeddedServer.start(
        directory,
        e -> {
          throw new AssertionError(e);
        });
  }

  private static int port(Path directory) throws IOException {
    return Integer.parseInt(Files.readString(directory.resolve("port")).strip());
  }

  private static InetAddress loopback() throws IOException {
    return InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
  }

  @Test
  void aUrlThatNamesNoDirectoryIsRefused() {
    assertThatThrownBy(() -> Datastores.open("embedded:data", DatastoreOptions.DEFAULTS))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("absolute");
    assertThatThrownBy(
            () ->
                Datastores.open(
                    "embedded:/x", DatastoreOptions.DEFAULTS.withPassword("user", "secret")))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("user");
  }

  private static Deadline deadline() {
    return Deadline.after(LIMIT);
  }
}
