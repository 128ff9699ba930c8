package io.wayleave.policy.dataplane;

import static java.util.Objects.requireNonNull;

import io.wayleave.linux.NetworkNamespace;
import io.wayleave.linux.netlink.Conntrack;
import io.wayleave.linux.netlink.Flow;
import io.wayleave.model.IpAddress;
import java.io.IOException;
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
  private final Optional<Path> namespace;
  private Optional<Conntrack> opened = Optional.empty();

  /**
   * Opens nothing yet.
   *
   * @param namespace such as {@code /run/netns/NAME}; empty for the namespace of the thread that
   *     calls first
   */
  public NetlinkFlows(Optional<Path> namespace) {
    this.namespace = requireNonNull(namespace, "namespace is null");
  }

  @Override
  public int count() {
    return ask(Conntrack::count);
  }

  @Override
  public List<Flow> list(BiPredicate<IpAddress, IpAddress> wanted) {
    return ask(conntrack -> conntrack.list(wanted));
  }

  @Override
  public void forbid(Collection<Flow> flows, boolean forbidden) {
    ask(conntrack -> conntrack.mark(flows, forbidden ? Marks.FORBIDDEN : 0, Marks.FORBIDDEN));
  }

  @Override
  public void delete(Collection<Flow> flows) {
    ask(conntrack -> conntrack.delete(flows));
  }

  @Override
  public void close() {
    opened.ifPresent(Conntrack::close);
    opened = Optional.empty();
  }

  @FunctionalInterface
  private interface Question<T> {
    T of(Conntrack conntrack) throws IOException;
  }

  private <T> T ask(Question<T> question) {
    try {
      Conntrack conntrack = opened.isPresent() ? opened.get() : open();
      opened = Optional.of(conntrack);
      return question.of(conntrack);
    } catch (IOException e) {
      close();
      throw new DataplaneException("established flows (removeEstablished): " + e.getMessage(), e);
    }
  }

  private Conntrack open() throws IOException {
    if (namespace.isEmpty()) {
      return Conntrack.open();
    }
    try (NetworkNamespace there = NetworkNamespace.ofPath(namespace.get())) {
      return Conntrack.open(there);
    }
  }
}
