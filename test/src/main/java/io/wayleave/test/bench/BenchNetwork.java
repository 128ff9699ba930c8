package io.wayleave.test.bench;

import io.wayleave.linux.NetworkNamespace;
import io.wayleave.test.lab.Command;
import java.io.IOException;
import java.util.concurrent.Callable;

/**
 * Two network namespaces and a wire: the speaker's, and one with all the peers' addresses. Every
 * peer is a neighbour on one subnet. {@link #close} removes both, from any thread.
 */
final class BenchNetwork implements AutoCloseable {
  private static final String LINK = "bench";

  private final String speaker;
  private final String peers;

  private BenchNetwork(String run) {
    speaker = run + "-speaker";
    peers = run + "-peers";
  }

  /**
   * @param run tells it apart from that of another run
   * @param count how many peers there are
   */
  static BenchNetwork make(String run, Load.Plan plan, int count) throws IOException {
    BenchNetwork network = new BenchNetwork(run);
    try {
      network.make(plan, count);
      return network;
    } catch (IOException | RuntimeException e) {
      network.close();
      throw e;
    }
  }

  private void make(Load.Plan plan, int count) throws IOException {
    NetworkNamespace.create(speaker).close();
    NetworkNamespace.create(peers).close();
    Command.of("ip", "-netns", speaker, "link", "set", "lo", "up").check();
    Command.of(
            "ip", "-netns", speaker, "link", "add", LINK, "type", "veth", "peer", "name", LINK,
            "netns", peers)
        .check();
    Command.of("ip", "-netns", speaker, "-batch", "-")
        .input(address(plan.speakerAddress()) + up())
        .check();
    StringBuilder addresses = new StringBuilder();
    for (int i = 0; i < count; i++) {
      addresses.append(address(plan.address(i)));
    }
    Command.of("ip", "-netns", peers, "-batch", "-").input(addresses + up()).check();
  }

  private static String address(int address) {
    String text = PrefixSet.text(PrefixSet.key(address, 16));
    return "address add " + text + " dev " + LINK + "\n";
  }

  private static String up() {
    return "link set " + LINK + " up\n";
  }

  /** The name of the namespace that the speaker is to run in. */
  String speakerNamespace() {
    return speaker;
  }

  /** Runs the load tool where the peers are. */
  <T> T atPeers(Callable<T> work) throws IOException {
    try (NetworkNamespace namespace = NetworkNamespace.ofName(peers)) {
      return namespace.run(work);
    }
  }

  @Override
  public void close() throws IOException {
    NetworkNamespace.delete(speaker);
    NetworkNamespace.delete(peers);
  }
}
