package io.wayleave.test.ipam;

import io.wayleave.test.interop.DaemonProcess;
import io.wayleave.test.lab.Await;
import io.wayleave.test.lab.Command;
import io.wayleave.test.lab.NetNs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A real datastore of three members, each a process in a network namespace of its own. {@link
 * #close} ends them and removes their network; the folder is the caller's. NOT thread safe.
 */
final class Cluster implements AutoCloseable {
  static final int MEMBERS = 3;

  private static final Duration START = Duration.ofSeconds(60);

  private final ClusterKind kind;
  private final ClusterNetwork network;
  private final Path folder;
  private final List<DaemonProcess> processes = new ArrayList<>();

  private Cluster(ClusterKind kind, ClusterNetwork network, Path folder) {
    this.kind = kind;
    this.network = network;
    this.folder = folder;
  }

  /** Starts it; {@link #awaitWhole} waits until it serves. */
  static Cluster start(ClusterKind kind, Path folder) throws IOException {
    Cluster cluster = new Cluster(kind, ClusterNetwork.make(MEMBERS), folder);
    try {
      for (int i = 0; i < MEMBERS; i++) {
        cluster.processes.add(cluster.startMember(i));
      }
      return cluster;
    } catch (IOException | RuntimeException e) {
      cluster.close();
      throw e;
    }
  }

  private DaemonProcess startMember(int member) throws IOException {
    Path own = Files.createDirectories(folder.resolve("member" + member));
    return DaemonProcess.start(
        NetNs.named(network.namespace(member)),
        own,
        Map.of(),
        kind.command(network, member, own).toArray(String[]::new));
  }

  String url() {
    return kind.url(network);
  }

  ClusterNetwork network() {
    return network;
  }

  /** Every member serves, and one leads. */
  void awaitWhole() {
    Await.until(
        "all members serve",
        START,
        () -> roles().size() == MEMBERS && roles().containsValue(ClusterKind.Role.LEADER),
        this::describe);
  }

  int leader() {
    return Await.value(
        "a leader",
        START,
        () ->
            roles().entrySet().stream()
                .filter(entry -> entry.getValue() == ClusterKind.Role.LEADER)
                .map(Map.Entry::getKey)
                .findFirst(),
        this::describe);
  }

  private Map<Integer, ClusterKind.Role> roles() {
    try {
      return kind.roles(network);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private String describe() {
    StringBuilder text = new StringBuilder(roles().toString());
    processes.forEach(process -> text.append('\n').append(process.log()));
    return text.toString();
  }

  /** SIGKILL; the data stays. */
  void kill(int member) {
    processes.get(member).kill();
  }

  void restart(int member) throws IOException {
    processes.set(member, startMember(member));
  }

  /** Stops the member in the middle of what it does, and lets it go on. */
  void freeze(int member, boolean frozen) {
    Command.of("kill", frozen ? "-STOP" : "-CONT", Long.toString(processes.get(member).pid()))
        .check();
  }

  @Override
  public void close() throws IOException {
    processes.forEach(DaemonProcess::close);
    network.close();
  }
}
