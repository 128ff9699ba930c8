package io.wayleave.datastore.testing;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A real ZooKeeper ensemble of three servers, a process each, on free loopback ports. {@link
 * #close} ends them and removes their data. NOT thread safe.
 */
public final class ZooKeeperEnsemble implements AutoCloseable {
  private static final int SIZE = 3;
  private static final Duration ELECTION = Duration.ofSeconds(20);

  private final List<ZooKeeperProcess> members;

  private ZooKeeperEnsemble(List<ZooKeeperProcess> members) {
    this.members = members;
  }

  /** Starts one and waits until all its servers answer. */
  public static ZooKeeperEnsemble start() {
    AssertionError failure = null;
    // Between finding a free port and listening on it, another process can take it.
    for (int attempt = 0; attempt < 3; attempt++) {
      ZooKeeperEnsemble ensemble = create();
      try {
        ensemble.members.forEach(ZooKeeperProcess::startProcess);
        ensemble.members.forEach(ZooKeeperProcess::awaitAnswer);
        return ensemble;
      } catch (AssertionError e) {
        failure = e;
        ensemble.close();
      }
    }
    throw failure;
  }

  private static ZooKeeperEnsemble create() {
    StringBuilder servers = new StringBuilder("initLimit=20\nsyncLimit=10\n");
    for (int id = 1; id <= SIZE; id++) {
      servers.append(
          "server.%d=127.0.0.1:%d:%d\n"
              .formatted(id, EtcdServer.freePort(), EtcdServer.freePort()));
    }
    List<ZooKeeperProcess> members = new ArrayList<>();
    for (int id = 1; id <= SIZE; id++) {
      members.add(ZooKeeperProcess.member(id, EtcdServer.freePort(), servers.toString()));
    }
    return new ZooKeeperEnsemble(members);
  }

  /** All servers, of a datastore with the default prefix. */
  public String url() {
    return "zookeeper://"
        + String.join(",", members.stream().map(ZooKeeperProcess::hosts).toList());
  }

  /** The server that leads now. */
  public ZooKeeperProcess leader() {
    return Await.until(
        "a leader of " + url(),
        ELECTION,
        () -> members.stream().filter(ZooKeeperEnsemble::leads).findFirst());
  }

  /** The server at that client port. */
  public ZooKeeperProcess at(int port) {
    return members.stream().filter(member -> member.port() == port).findFirst().orElseThrow();
  }

  private static boolean leads(ZooKeeperProcess member) {
    return member.isAlive()
        && ask(member).filter(answer -> answer.contains("Mode: leader")).isPresent();
  }

  private static Optional<String> ask(ZooKeeperProcess member) {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), member.port())) {
      socket.setSoTimeout(2_000);
      socket.getOutputStream().write("srvr".getBytes(US_ASCII));
      return Optional.of(new String(socket.getInputStream().readAllBytes(), US_ASCII));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  @Override
  public void close() {
    members.forEach(ZooKeeperProcess::close);
  }
}
