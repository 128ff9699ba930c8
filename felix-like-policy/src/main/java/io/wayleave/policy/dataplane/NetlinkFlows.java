package io.wayleave.policy.dataplane;

import io.wayleave.linux.netlink.Conntrack;
import io.wayleave.linux.netlink.Flow;
import io.wayleave.model.IpAddress;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.BiPredicate;

/**
 * The kernel's connection tracking over netlink. The socket is opened by the first call and again
 * after a failure.
 *
 * <p>Blocks for the kernel's answer. NOT thread safe.
 */
public final class NetlinkFlows implements FlowKernel {
  private final KeptSocket<Conntrack> socket;

  /**
   * Opens nothing yet.
   *
   * @param namespace such as {@code /run/netns/NAME}; empty for the namespace of the thread that
   *     calls first
   */
  public NetlinkFlows(Optional<Path> namespace) {
    this.socket =
        new KeptSocket<>(
            "established flows (removeEstablished)", namespace, Conntrack::open, Conntrack::close);
  }

  @Override
  public int count() {
    return socket.ask(Conntrack::count);
  }

  @Override
  public List<Flow> list(BiPredicate<IpAddress, IpAddress> wanted) {
    return socket.ask(conntrack -> conntrack.list(wanted));
  }

  @Override
  public void forbid(Collection<Flow> flows, boolean forbidden) {
    socket.ask(
        conntrack -> conntrack.mark(flows, forbidden ? Marks.FORBIDDEN : 0, Marks.FORBIDDEN));
  }

  @Override
  public void delete(Collection<Flow> flows) {
    socket.ask(conntrack -> conntrack.delete(flows));
  }

  @Override
  public void close() {
    socket.close();
  }
}
