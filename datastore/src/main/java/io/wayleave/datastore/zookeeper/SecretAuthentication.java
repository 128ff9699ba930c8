package io.wayleave.datastore.zookeeper;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.server.ServerCnxn;
import org.apache.zookeeper.server.auth.AuthenticationProvider;

/**
 * Lets an embedded server know its clients by a secret. ZooKeeper's own digest takes every user for
 * known and only keeps nodes apart. ZooKeeper makes the object itself, by the name of the class.
 */
public final class SecretAuthentication implements AuthenticationProvider {
  static final String SCHEME = "wayleave";

  /** Digests of the secrets of the servers in this process: one, but for tests. */
  private static final Set<String> ACCEPTED = ConcurrentHashMap.newKeySet();

  static void accept(byte[] secret) {
    ACCEPTED.add(EmbeddedServer.digest(secret));
  }

  @Override
  public String getScheme() {
    return SCHEME;
  }

  @Override
  public KeeperException.Code handleAuthentication(ServerCnxn connection, byte[] secret) {
    // Digests are compared, so the time that it takes tells nothing of the secret.
    String digest = EmbeddedServer.digest(secret);
    if (!ACCEPTED.contains(digest)) {
      return KeeperException.Code.AUTHFAILED;
    }
    connection.addAuthInfo(new Id(SCHEME, digest));
    return KeeperException.Code.OK;
  }

  @Override
  public boolean matches(String id, String granted) {
    return id.equals(granted);
  }

  @Override
  public boolean isAuthenticated() {
    return true;
  }

  @Override
  public boolean isValid(String id) {
    return id.matches("[0-9a-f]{64}");
  }
}
