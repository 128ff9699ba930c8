package io.wayleave.bgp;

import io.wayleave.linux.NetworkNamespace;
import io.wayleave.linux.netlink.Links;
import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.linux.netlink.VethPair;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Two network namespaces joined by one link: "ours", where the code under test works, and "its",
 * where a daemon does. Each end is called {@code fab0}. Gone after {@link #close}.
 */
public final class JoinedNamespaces implements AutoCloseable {
  public static final String LINK = "fab0";

  private static final AtomicInteger COUNT = new AtomicInteger();

  private final String ourName;
  private final String itsName;
  private final NetworkNamespace ours;
  private final NetworkNamespace its;

  private JoinedNamespaces(
      String ourName, String itsName, NetworkNamespace ours, NetworkNamespace its) {
    this.ourName = ourName;
    this.itsName = itsName;
    this.ours = ours;
    this.its = its;
  }

  public static JoinedNamespaces create() throws IOException {
    String name = "wlb" + ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet();
    NetworkNamespace ours = NetworkNamespace.create(name + "a");
    try {
      NetworkNamespace its = NetworkNamespace.create(name + "b");
      JoinedNamespaces joined = new JoinedNamespaces(name + "a", name + "b", ours, its);
      try {
        for (String side : List.of(joined.ourName, joined.itsName)) {
          // No duplicate address detection: link-local addresses are usable at once.
          in(side, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0");
          in(side, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1");
          in(side, "ip", "link", "set", "lo", "up");
        }
        joined.connect();
        return joined;
      } catch (IOException | RuntimeException | Error e) {
        joined.close();
        throw e;
      }
    } catch (IOException | RuntimeException | Error e) {
      ours.close();
      NetworkNamespace.delete(name + "a");
      throw e;
    }
  }

  /** Makes the link; its interfaces get new indexes each time. */
  public void connect() throws IOException {
    try (NetlinkSocket socket = NetlinkSocket.open(ours)) {
      socket.execute(
          Links.creating(new VethPair(VethPair.End.of(LINK), VethPair.End.of(LINK).in(its))));
    }
    our("ip", "link", "set", LINK, "up");
    its("ip", "link", "set", LINK, "up");
  }

  /** Deletes the link with both ends. */
  public void disconnect() {
    our("ip", "link", "delete", LINK);
  }

  public NetworkNamespace ours() {
    return ours;
  }

  public NetworkNamespace its() {
    return its;
  }

  public String our(String... command) {
    return in(ourName, command);
  }

  public String its(String... command) {
    return in(itsName, command);
  }

  /** A command line that runs in the daemon's namespace. */
  public List<String> itsCommand(List<String> command) {
    return inside(itsName, command);
  }

  private static List<String> inside(String name, List<String> command) {
    List<String> line = new ArrayList<>(List.of("nsenter", "--net=/run/netns/" + name));
    line.addAll(command);
    return line;
  }

  private static String in(String name, String... command) {
    return Daemon.run(inside(name, List.of(command)));
  }

  @Override
  public void close() throws IOException {
    ours.close();
    its.close();
    NetworkNamespace.delete(ourName);
    NetworkNamespace.delete(itsName);
  }
}
