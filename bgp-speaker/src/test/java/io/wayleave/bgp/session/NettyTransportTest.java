package io.wayleave.bgp.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.wayleave.bgp.ListenAddress;
import io.wayleave.bgp.PeerSecurity;
import io.wayleave.bgp.ScopedAddress;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** On the loopback network, against plain sockets. */
@Timeout(20)
class NettyTransportTest {
  private static final InetAddress LOOPBACK = IpAddress.parse("127.0.0.1").toInetAddress();

  private final NettyLoop loop = new NettyLoop("test-bgp");
  private final NettyTransport transport = new NettyTransport(loop);
  private final Recorder recorder = new Recorder();

  @AfterEach
  void stop() {
    loop.close();
  }

  private <T> T onLoop(Supplier<T> work) {
    return CompletableFuture.supplyAsync(work, loop::execute).join();
  }

  private static ListenAddress at(int port) {
    return new ListenAddress(IpAddress.of(LOOPBACK), port);
  }

  private static Transport.Target to(int port, Optional<IpAddress> source) {
    return new Transport.Target(
        ScopedAddress.of(IpAddress.of(LOOPBACK)), port, source, PeerSecurity.NONE);
  }

  @Test
  void anAddressInUseIsReportedAndTakenOnceItIsFree() throws Exception {
    ServerSocket other = new ServerSocket(0, 1, LOOPBACK);
    Listeners listeners =
        new Listeners(loop, transport, Duration.ofMillis(50), _ -> Optional.of(recorder));
    onLoop(
        () -> {
          listeners.apply(List.of(at(other.getLocalPort())));
          return "";
        });
    assertThat(onLoop(listeners::bound)).isEmpty();
    assertThat(onLoop(listeners::errors))
        .singleElement()
        .asString()
        .contains("127.0.0.1 port " + other.getLocalPort())
        .contains("in use");
    other.close();
    // The retry takes it; connecting is refused until then.
    Socket socket = connect(other.getLocalPort());
    assertThat(recorder.next()).isEqualTo("connected from 127.0.0.1");
    assertThat(onLoop(listeners::errors)).isEmpty();
    socket.close();
    assertThat(recorder.next()).startsWith("closed");
  }

  private static Socket connect(int port) throws Exception {
    while (true) {
      try {
        return new Socket(LOOPBACK, port);
      } catch (ConnectException e) {
        LockSupport.parkNanos(Duration.ofMillis(10).toNanos());
      }
    }
  }

  @Test
  void aRefusedDialSaysSo() throws Exception {
    int free;
    try (ServerSocket socket = new ServerSocket(0, 1, LOOPBACK)) {
      free = socket.getLocalPort();
    }
    onLoop(() -> transport.dial(to(free, Optional.empty()), recorder));
    assertThat(recorder.next()).contains("refused");
  }

  @Test
  void dialsFromTheGivenAddressAndCarriesBytesBothWays() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, LOOPBACK)) {
      onLoop(
          () ->
              transport.dial(
                  to(server.getLocalPort(), Optional.of(IpAddress.parse("127.0.0.9"))), recorder));
      try (Socket peer = server.accept()) {
        assertThat(peer.getInetAddress().getHostAddress()).isEqualTo("127.0.0.9");
        assertThat(recorder.next()).isEqualTo("connected from 127.0.0.1");
        peer.getOutputStream().write("hello".getBytes(StandardCharsets.US_ASCII));
        assertThat(recorder.next()).isEqualTo("hello");
        Transport.Connection connection = recorder.connection.join();
        onLoop(
            () -> {
              connection.write(Unpooled.copiedBuffer("last words", StandardCharsets.US_ASCII));
              connection.close();
              return "";
            });
        // All of it arrives, and then the end.
        assertThat(new String(peer.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
            .isEqualTo("last words");
      }
      assertThat(recorder.heard).as("nothing is told after close").isEmpty();
    }
  }

  @Test
  void aPeerThatDoesNotReadMakesTheConnectionUnwritableUntilItDoes() throws Exception {
    try (ServerSocket server = new ServerSocket(0, 1, LOOPBACK)) {
      onLoop(() -> transport.dial(to(server.getLocalPort(), Optional.empty()), recorder));
      try (Socket peer = server.accept()) {
        assertThat(recorder.next()).startsWith("connected");
        Transport.Connection connection = recorder.connection.join();
        long sent = 0;
        while (onLoop(connection::isWritable)) {
          onLoop(
              () -> {
                connection.write(Unpooled.wrappedBuffer(new byte[65_536]));
                connection.flush();
                return "";
              });
          sent += 65_536;
        }
        assertThat(peer.getInputStream().readNBytes((int) sent)).hasSize((int) sent);
        assertThat(recorder.next()).isEqualTo("writable");
      }
    }
  }

  @Test
  void anUnwantedConnectionIsClosedAtOnce() throws Exception {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, LOOPBACK)) {
      port = socket.getLocalPort();
    }
    onLoop(
        () -> {
          try {
            return transport.listen(at(port), _ -> Optional.empty());
          } catch (Transport.ListenException e) {
            throw new AssertionError(e);
          }
        });
    try (Socket stranger = new Socket(LOOPBACK, port)) {
      assertThat(stranger.getInputStream().read()).isEqualTo(-1);
    }
  }

  private static PeerSecurity md5(String key) {
    return new PeerSecurity(Optional.of(key), OptionalInt.empty());
  }

  private int listen(IpAddress address, Map<Cidr, String> keys, Transport.Handler handler)
      throws Exception {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, address.toInetAddress())) {
      port = socket.getLocalPort();
    }
    onLoop(
        () -> {
          try {
            transport
                .listen(new ListenAddress(address, port), _ -> Optional.of(handler))
                .setKeys(keys);
            return "";
          } catch (Transport.ListenException e) {
            throw new AssertionError(e);
          }
        });
    return port;
  }

  private Recorder dial(String to, int port, String from, PeerSecurity security) {
    Recorder dialler = new Recorder();
    Transport.Target target =
        new Transport.Target(
            ScopedAddress.of(IpAddress.parse(to)),
            port,
            Optional.of(IpAddress.parse(from)),
            security);
    onLoop(() -> transport.dial(target, dialler));
    return dialler;
  }

  /** RFC 2385; the keys of one host, of a range, and an IPv4 peer on an IPv6 socket. */
  @ParameterizedTest
  @CsvSource({
    "127.0.0.1, 127.0.0.1, 127.0.0.9, 127.0.0.9/32",
    "127.0.0.1, 127.0.0.1, 127.0.0.9, 127.0.0.0/28",
    "::, 127.0.0.1, 127.0.0.9, 127.0.0.0/28",
    "::1, ::1, ::1, ::1/128",
    "::1, ::1, ::1, ::/64"
  })
  void aConnectionIsMadeWithTheRightKeyOnly(String at, String to, String from, String prefix)
      throws Exception {
    int port = listen(IpAddress.parse(at), Map.of(Cidr.parse(prefix), "secret"), recorder);
    Recorder wrong = dial(to, port, from, md5("terces"));
    Recorder none = dial(to, port, from, PeerSecurity.NONE);
    Recorder right = dial(to, port, from, md5("secret"));
    assertThat(right.next()).isEqualTo("connected from " + to);
    assertThat(recorder.next()).isEqualTo("connected from " + from);
    // The kernel drops their SYNs: they hear nothing until they give up.
    assertThat(wrong.heard).isEmpty();
    assertThat(none.heard).isEmpty();
    assertThat(recorder.heard).isEmpty();
  }

  @Test
  void aKeyCanBeTakenBack() throws Exception {
    Transport.Listening[] listening = new Transport.Listening[1];
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, LOOPBACK)) {
      port = socket.getLocalPort();
    }
    Cidr range = Cidr.parse("127.0.0.0/8");
    onLoop(
        () -> {
          try {
            listening[0] = transport.listen(at(port), _ -> Optional.of(recorder));
            listening[0].setKeys(Map.of(range, "one"));
            listening[0].setKeys(Map.of(range, "two"));
            listening[0].setKeys(Map.of());
            return "";
          } catch (Transport.ListenException e) {
            throw new AssertionError(e);
          }
        });
    assertThat(dial("127.0.0.1", port, "127.0.0.9", PeerSecurity.NONE).next())
        .startsWith("connected");
  }

  /** RFC 5082: a plain socket's SYN has TTL 64 and is not answered; ours has 255. */
  @ParameterizedTest
  @CsvSource({"127.0.0.1, 127.0.0.1", "::1, ::1", "::, 127.0.0.1"})
  void aListenerTakesNoConnectionFromFartherAway(String at, String to) throws Exception {
    IpAddress remote = IpAddress.parse(to);
    Transport.Listening[] listening = new Transport.Listening[1];
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, IpAddress.parse(at).toInetAddress())) {
      port = socket.getLocalPort();
    }
    onLoop(
        () -> {
          try {
            listening[0] =
                transport.listen(
                    new ListenAddress(IpAddress.parse(at), port), _ -> Optional.of(recorder));
            listening[0].setTtlHops(remote.family(), OptionalInt.of(1));
            return "";
          } catch (Transport.ListenException e) {
            throw new AssertionError(e);
          }
        });
    try (Socket far = new Socket()) {
      assertThatExceptionOfType(SocketTimeoutException.class)
          .isThrownBy(() -> far.connect(new InetSocketAddress(remote.toInetAddress(), port), 300));
    }
    assertThat(dial(to, port, to, PeerSecurity.NONE).next()).startsWith("connected");
    assertThat(recorder.next()).startsWith("connected");
    onLoop(
        () -> {
          try {
            listening[0].setTtlHops(remote.family(), OptionalInt.empty());
            return "";
          } catch (Transport.ListenException e) {
            throw new AssertionError(e);
          }
        });
    try (Socket far = new Socket()) {
      far.connect(new InetSocketAddress(remote.toInetAddress(), port), 5_000);
      assertThat(recorder.next()).startsWith("connected");
    }
  }

  /** RFC 5082: our own segments have TTL 255, those of a plain socket have 64. */
  @ParameterizedTest
  @CsvSource({"127.0.0.1", "::1"})
  void segmentsFromFartherAwayAreNotSeen(String address) throws Exception {
    IpAddress own = IpAddress.parse(address);
    Transport.Handler strict =
        new Transport.Handler() {
          @Override
          public void connected(Transport.Connection made) {
            made.setTtlHops(1);
            recorder.connected(made);
          }

          @Override
          public void received(ByteBuf bytes) {
            recorder.received(bytes);
          }

          @Override
          public void writable() {}

          @Override
          public void closed(String reason) {}
        };
    int port = listen(own, Map.of(), strict);
    try (Socket far = new Socket(own.toInetAddress(), port)) {
      assertThat(recorder.next()).startsWith("connected");
      far.getOutputStream().write("far".getBytes(StandardCharsets.US_ASCII));
      Recorder near =
          dial(address, port, address, new PeerSecurity(Optional.empty(), OptionalInt.of(1)));
      assertThat(near.next()).startsWith("connected");
      assertThat(recorder.next()).startsWith("connected");
      Transport.Connection connection = near.connection.join();
      onLoop(
          () -> {
            connection.write(Unpooled.copiedBuffer("near", StandardCharsets.US_ASCII));
            connection.flush();
            return "";
          });
      // What was written first is not what comes first.
      assertThat(recorder.next()).isEqualTo("near");
      assertThat(recorder.heard).isEmpty();
    }
  }

  /** What a handler hears, as text. */
  private static final class Recorder implements Transport.Handler {
    private final BlockingQueue<String> heard = new LinkedBlockingQueue<>();
    private final CompletableFuture<Transport.Connection> connection = new CompletableFuture<>();

    String next() throws InterruptedException {
      return Optional.ofNullable(heard.poll(10, TimeUnit.SECONDS)).orElse("nothing");
    }

    @Override
    public void connected(Transport.Connection made) {
      connection.complete(made);
      heard.add("connected from " + made.remoteAddress());
    }

    @Override
    public void received(ByteBuf bytes) {
      heard.add(bytes.toString(StandardCharsets.US_ASCII));
    }

    @Override
    public void writable() {
      heard.add("writable");
    }

    @Override
    public void closed(String reason) {
      heard.add("closed: " + reason);
    }
  }
}
