package io.wayleave.datastore.zookeeper;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Collection;
import org.apache.zookeeper.client.HostProvider;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells a client of an embedded server where that listens, looked up before each try, since it may
 * listen elsewhere after a restart. Owned by the client's sending thread.
 */
final class EmbeddedAddress implements HostProvider {
  private static final Logger log = LoggerFactory.getLogger(EmbeddedAddress.class);

  /** Nobody can listen there: a try that fails at once. */
  private static final int NOWHERE = 0;

  private final EmbeddedDirectory directory;
  private boolean tried;

  EmbeddedAddress(EmbeddedDirectory directory) {
    this.directory = directory;
  }

  @Override
  public int size() {
    return 1;
  }

  @Override
  public InetSocketAddress next(long pauseMillis) {
    if (tried && pauseMillis > 0) {
      try {
        Thread.sleep(pauseMillis);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    tried = true;
    return new InetSocketAddress(loopback(), port());
  }

  private int port() {
    try {
      return directory.servedPort().orElse(NOWHERE);
    } catch (IOException | RuntimeException e) {
      log.warn("port of the embedded datastore not read directory={}: {}", directory, e.toString());
      return NOWHERE;
    }
  }

  static InetAddress loopback() {
    try {
      // With a name, so that nobody looks one up.
      return InetAddress.getByAddress("127.0.0.1", new byte[] {127, 0, 0, 1});
    } catch (UnknownHostException e) {
      throw new IllegalStateException(e); // four bytes are an address
    }
  }

  @Override
  public void onConnected() {
    tried = false;
  }

  @Override
  public boolean updateServerList(
      Collection<InetSocketAddress> servers, InetSocketAddress connected) {
    return false;
  }
}
