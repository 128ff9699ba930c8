package io.wayleave.policy.dataplane;

import static java.util.Objects.requireNonNull;

import io.wayleave.linux.NetworkNamespace;
import io.wayleave.linux.netlink.Ipset;
import io.wayleave.linux.netlink.IpsetChange;
import io.wayleave.linux.netlink.IpsetFailure;
import io.wayleave.linux.netlink.Ipsets;
import java.io.IOException;
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
  private final Optional<Path> namespace;
  private Optional<Ipsets> opened = Optional.empty();

  /**
   * Opens nothing yet.
   *
   * @param namespace such as {@code /run/netns/NAME}; empty for the namespace of the thread that
   *     calls first
   */
  public NetlinkIpsets(Optional<Path> namespace) {
    this.namespace = requireNonNull(namespace, "namespace is null");
  }

  @Override
  public List<Ipset> list(String prefix) {
    return ask(ipsets -> ipsets.list(name -> name.startsWith(prefix)));
  }

  @Override
  public List<IpsetFailure> execute(List<IpsetChange> changes) {
    return ask(ipsets -> ipsets.execute(changes));
  }

  @Override
  public void close() {
    opened.ifPresent(Ipsets::close);
    opened = Optional.empty();
  }

  @FunctionalInterface
  private interface Question<T> {
    T of(Ipsets ipsets) throws IOException;
  }

  private <T> T ask(Question<T> question) {
    try {
      Ipsets ipsets = opened.isPresent() ? opened.get() : open();
      opened = Optional.of(ipsets);
      return question.of(ipsets);
    } catch (IOException e) {
      close();
      throw new DataplaneException("ipsets: " + e.getMessage(), e);
    }
  }

  private Ipsets open() throws IOException {
    if (namespace.isEmpty()) {
      return Ipsets.open();
    }
    try (NetworkNamespace there = NetworkNamespace.ofPath(namespace.get())) {
      return Ipsets.open(there);
    }
  }
}
