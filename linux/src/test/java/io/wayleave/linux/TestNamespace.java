package io.wayleave.linux;

import io.wayleave.linux.netlink.Link;
import io.wayleave.linux.netlink.Links;
import io.wayleave.linux.netlink.NetlinkSocket;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;

/** A fresh network namespace with a name of its own, its loopback up; gone after the test. */
public final class TestNamespace implements AutoCloseable {
  private static final AtomicInteger COUNT = new AtomicInteger();

  private final String name;
  private final NetworkNamespace namespace;

  private TestNamespace(String name, NetworkNamespace namespace) {
    this.name = name;
    this.namespace = namespace;
  }

  public static TestNamespace create() throws IOException {
    String name = freshName();
    TestNamespace created = new TestNamespace(name, NetworkNamespace.create(name));
    try (NetlinkSocket socket = created.open()) {
      Link loopback = socket.links().get("lo");
      socket.execute(Links.settingUp(loopback.index()));
    } catch (IOException e) {
      created.close();
      throw e;
    }
    return created;
  }

  public static String freshName() {
    return "wlt" + ProcessHandle.current().pid() + "-" + COUNT.incrementAndGet();
  }

  public NetworkNamespace namespace() {
    return namespace;
  }

  public String name() {
    return name;
  }

  public NetlinkSocket open() throws IOException {
    return NetlinkSocket.open(namespace);
  }

  @Override
  public void close() throws IOException {
    namespace.close();
    NetworkNamespace.delete(name);
  }
}
