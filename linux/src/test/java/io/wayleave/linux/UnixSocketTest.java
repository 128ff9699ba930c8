package io.wayleave.linux;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.model.InvalidInputException;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("real")
class UnixSocketTest {
  private static final Duration LONG = Duration.ofSeconds(10);
  private static final Duration SHORT = Duration.ofMillis(50);

  @TempDir private Path directory;
  private Path path;
  private UnixServer server;

  @BeforeEach
  void listen() throws IOException {
    path = directory.resolve("agent.sock");
    server = UnixServer.listen(path);
  }

  @AfterEach
  void close() {
    server.close();
  }

  @Test
  void carriesFramesBothWays() throws Exception {
    try (UnixConnection client = UnixConnection.connect(path, LONG);
        UnixConnection here = server.accept(LONG).orElseThrow()) {
      byte[] large = new byte[1_000_000];
      Arrays.fill(large, (byte) 'x');
      CompletableFuture<Void> sending =
          CompletableFuture.runAsync(
              () -> {
                try {
                  client.send("first".getBytes(UTF_8), List.of(), LONG);
                  client.send(new byte[0], List.of(), LONG);
                  client.send(large, List.of(), LONG);
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              });

      assertThat(here.receive(100, 0, LONG).bytes()).asString(UTF_8).isEqualTo("first");
      assertThat(here.receive(100, 0, LONG).bytes()).isEmpty();
      assertThat(here.receive(1_000_000, 0, LONG).bytes()).isEqualTo(large);
      sending.get(10, TimeUnit.SECONDS);
      here.send("answer".getBytes(UTF_8), List.of(), LONG);
      assertThat(client.receive(100, 0, LONG).bytes()).asString(UTF_8).isEqualTo("answer");
    }
  }

  @Test
  void theLengthIsFourBytesBigEndian() throws IOException {
    try (SocketChannel client = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      client.connect(UnixDomainSocketAddress.of(path));
      try (UnixConnection here = server.accept(LONG).orElseThrow()) {
        client.write(ByteBuffer.wrap(new byte[] {0, 0, 0, 2, 'h', 'i'}));
        assertThat(here.receive(100, 0, LONG).bytes()).asString(UTF_8).isEqualTo("hi");

        here.send("yes".getBytes(UTF_8), List.of(), LONG);
        ByteBuffer answer = ByteBuffer.allocate(7);
        while (answer.hasRemaining()) {
          client.read(answer);
        }
        assertThat(answer.array()).containsExactly(0, 0, 0, 3, 'y', 'e', 's');
      }
    }
  }

  @Test
  void handsOverANamespaceAndOwnsItThere() throws IOException {
    try (TestNamespace test = TestNamespace.create();
        UnixConnection client = UnixConnection.connect(path, LONG);
        UnixConnection here = server.accept(LONG).orElseThrow()) {
      long before = OpenFiles.count();

      client.send("ADD".getBytes(UTF_8), List.of(test.namespace().fd()), LONG);
      try (Frame frame = here.receive(100, 1, LONG)) {
        assertThat(frame.bytes()).asString(UTF_8).isEqualTo("ADD");
        assertThat(frame.descriptors()).hasSize(1);
        assertThat(OpenFiles.count()).isEqualTo(before + 1);
        try (NetworkNamespace received =
            NetworkNamespace.ofDescriptor(frame.descriptors().getFirst())) {
          assertThat(received.identity()).isEqualTo(test.namespace().identity());
        }
      }

      assertThat(OpenFiles.count()).isEqualTo(before);
      assertThat(test.namespace().fd().isClosed()).isFalse();
    }
  }

  @Test
  void aNamespaceComesFromAnotherProcess() throws Exception {
    // Debian's python3 passes descriptors; a JVM as the other process would be this code again.
    String program =
        """
        import socket, struct, sys
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.connect(sys.argv[1])
        f = open(sys.argv[2])
        socket.send_fds(s, [struct.pack('>I', 5) + b'he'], [f.fileno()])
        s.sendall(b'llo')
        n = struct.unpack('>I', s.recv(4, socket.MSG_WAITALL))[0]
        sys.exit(0 if s.recv(n, socket.MSG_WAITALL) == b'done' else 1)
        """;
    try (TestNamespace test = TestNamespace.create()) {
      long before = OpenFiles.count();
      Process process =
          new ProcessBuilder(
                  "/usr/bin/python3",
                  "-c",
                  program,
                  path.toString(),
                  NetworkNamespace.NAMES.resolve(test.name()).toString())
              .inheritIO()
              .start();
      try (UnixConnection here = server.accept(LONG).orElseThrow();
          Frame frame = here.receive(100, 1, LONG)) {
        assertThat(frame.bytes()).asString(UTF_8).isEqualTo("hello");
        assertThat(here.peer()).isEqualTo(new PeerCredentials((int) process.pid(), 0, 0));
        try (NetworkNamespace received =
            NetworkNamespace.ofDescriptor(frame.descriptors().getFirst())) {
          assertThat(received.identity()).isEqualTo(test.namespace().identity());
        }
        here.send("done".getBytes(UTF_8), List.of(), LONG);
        assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isZero();
      } finally {
        process.destroyForcibly().waitFor();
      }
      assertThat(OpenFiles.count()).isEqualTo(before);
    }
  }

  @Test
  void everyRefusalClosesWhatCame() throws IOException {
    try (TestNamespace test = TestNamespace.create()) {
      List<Fd> one = List.of(test.namespace().fd());
      List<Fd> many = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        many.add(test.namespace().fd());
      }
      long before = OpenFiles.count();

      refusal(
          client -> client.send(new byte[101], one, LONG),
          InvalidInputException.class,
          "frame: \"101 bytes\" is not allowed; allowed: a frame of at most 100 bytes");
      refusal(
          client -> client.send(new byte[1], many, LONG),
          InvalidInputException.class,
          "descriptors: \"more than 2\" is not allowed; allowed: at most 2 with a frame");
      for (int first = 0; first < 3; first++) {
        many.removeLast();
      }
      many.add(test.namespace().fd());
      refusal(
          client -> client.send(new byte[1], many, LONG),
          InvalidInputException.class,
          "at most 2 with a frame");
      refusal(
          client -> {
            client.sendRaw(new byte[] {0, 0, 0, 9, 'x'}, one, LONG);
            client.close();
          },
          EOFException.class,
          "the peer closed after 1 bytes of the frame of 9 bytes");
      refusal(
          client -> client.sendRaw(new byte[] {0, 0, 0, 9, 'x'}, one, LONG),
          SocketTimeoutException.class,
          "receive the frame of 9 bytes: not complete within PT0.05S");
      refusal(
          UnixConnection::close, EOFException.class, "the peer closed after 0 bytes of the length");
      refusal(
          client -> client.sendRaw(new byte[] {-1, -1, -1, -1}, one, LONG),
          InvalidInputException.class,
          "frame: \"4294967295 bytes\" is not allowed");

      assertThat(OpenFiles.count()).isEqualTo(before);
    }
  }

  @Test
  void aReceiverThatDoesNotReadEndsTheSendersWait() throws IOException {
    try (UnixConnection client = UnixConnection.connect(path, LONG);
        UnixConnection here = server.accept(LONG).orElseThrow()) {
      assertThat(here.peer().pid()).isEqualTo((int) ProcessHandle.current().pid());
      assertThatThrownBy(() -> client.send(new byte[10_000_000], List.of(), SHORT))
          .isInstanceOf(SocketTimeoutException.class)
          .hasMessageMatching(
              "send a frame: only [0-9]+ of 10000004 bytes were taken within PT0\\.05S");
    }
  }

  @Test
  void closingWakesAReceiverAndAnAcceptor() throws Exception {
    UnixConnection here;
    try (UnixConnection client = UnixConnection.connect(path, LONG)) {
      assertThat(client.peer().uid()).isZero();
      here = server.accept(LONG).orElseThrow();
      CompletableFuture<Frame> receiving = inThread(() -> here.receive(10, 0, LONG));
      CompletableFuture<?> accepting = inThread(() -> server.accept(LONG));
      here.close();
      server.close();

      assertThatThrownBy(() -> receiving.get(5, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class)
          .satisfies(
              e ->
                  assertThat(e.getCause())
                      .isInstanceOfAny(ClosedFdException.class, EOFException.class));
      assertThatThrownBy(() -> accepting.get(5, TimeUnit.SECONDS))
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(ClosedFdException.class);
    }
  }

  @Test
  void acceptGivesUpInTime() throws IOException {
    assertThat(server.accept(SHORT)).isEmpty();
  }

  @Test
  void onlyItsUserMayConnect() throws IOException {
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
        .isEqualTo("rw-------");
  }

  @Test
  void refusesAPathThatIsInUseAndTakesOverAStaleOne() throws IOException {
    assertThatThrownBy(() -> UnixServer.listen(path))
        .isInstanceOf(IOException.class)
        .hasMessage(
            "process " + ProcessHandle.current().pid() + " is listening on " + path + " already");

    Path stale = directory.resolve("stale.sock");
    Path kept = directory.resolve("kept.sock");
    UnixServer dead = UnixServer.listen(stale);
    Files.createLink(kept, stale);
    dead.close();
    Files.move(kept, stale);
    try (UnixServer again = UnixServer.listen(stale);
        UnixConnection client = UnixConnection.connect(stale, LONG);
        UnixConnection here = again.accept(LONG).orElseThrow()) {
      assertThat(client.peer()).isEqualTo(here.peer());
    }
    assertThat(stale).doesNotExist();

    Path file = Files.writeString(directory.resolve("file"), "precious");
    assertThatThrownBy(() -> UnixServer.listen(file))
        .isInstanceOf(IOException.class)
        .hasMessage(file + " is there and is not a socket");
    assertThat(file).hasContent("precious");
  }

  @Test
  void closeLeavesTheFileOfASuccessor() throws IOException {
    Path moved = directory.resolve("moved.sock");
    Files.move(path, moved);
    try (UnixServer successor = UnixServer.listen(path)) {
      server.close();

      assertThat(successor.path()).exists();
    }
  }

  @Test
  void errorsNameThePath() {
    Path missing = directory.resolve("missing.sock");
    assertThatThrownBy(() -> UnixConnection.connect(missing, SHORT))
        .isInstanceOf(SystemCallException.class)
        .hasMessage("connect to " + missing + ": ENOENT (No such file or directory)");
    assertThatThrownBy(() -> UnixServer.listen(Path.of("/tmp/" + "x".repeat(103))))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("a path of 1 to 107 bytes");
  }

  private interface Sender {
    void send(UnixConnection client) throws IOException;
  }

  private void refusal(Sender sender, Class<? extends Exception> type, String message)
      throws IOException {
    try (UnixConnection client = UnixConnection.connect(path, LONG);
        UnixConnection here = server.accept(LONG).orElseThrow()) {
      sender.send(client);
      assertThatThrownBy(() -> here.receive(100, 2, SHORT))
          .isInstanceOf(type)
          .hasMessageContaining(message);
    }
  }

  private static <T> CompletableFuture<T> inThread(Callable<T> work) {
    CompletableFuture<T> result = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon(true)
        .start(
            () -> {
              try {
                result.complete(work.call());
              } catch (Exception e) {
                result.completeExceptionally(e);
              }
            });
    return result;
  }
}
