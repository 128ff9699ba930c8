package io.wayleave.policy.dataplane;

import io.wayleave.linux.netlink.Ipset;
import io.wayleave.linux.netlink.IpsetChange;
import io.wayleave.linux.netlink.IpsetFailure;
import io.wayleave.linux.netlink.Ipsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The kernel's sets over netlink. The socket is opened by the first call and again after a failure,
 * so that a host without the kernel's module says so and goes on.
 *
 * <p>Blocks for the kernel's answer. NOT thread safe.
 */
public final class NetlinkIpsets implements IpsetKernel {
  private final KeptSocket<Ipsets> socket;

  /**
   * Opens nothing yet.
   *
   * @param namespace such as {@code /run/netns/NAME}; empty for the namespace of the thread that
   *     calls first
   */
  public NetlinkIpsets(Optional<Path> namespace) {
    this.socket = new KeptSocket<>("ipsets", namespace, Ipsets::open, Ipsets::close);
  }

  @Override
  public List<Ipset> list(String prefix) {
    return socket.ask(ipsets -> ipsets.list(name -> name.startsWith(prefix)));
  }

  @Override
  public List<IpsetFailure> execute(List<IpsetChange> changes) {
    return socket.ask(ipsets -> ipsets.execute(changes));
  }

  @Override
  public void close() {
    socket.close();
  }
}
