package io.wayleave.datastore;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.InvalidInputException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Where a datastore is: {@code etcd://host:port,host:port/prefix}, {@code etcds://…} for TLS, or
 * {@code zookeeper://…}. A port that is not given is 2379 or 2181, a prefix that is not given is
 * {@code /wayleave/v1}. An IPv6 address stands in brackets.
 *
 * @param prefix begins with a slash and does not end in one
 */
public record DatastoreUrl(Scheme scheme, List<Endpoint> endpoints, String prefix) {
  public static final String DEFAULT_PREFIX = "/wayleave/v1";

  private static final String EXAMPLE =
      "a URL such as etcd://10.0.0.1:2379,10.0.0.2:2379/wayleave/v1";

  /** The kind of store and of connection. */
  public enum Scheme {
    ETCD("etcd", 2379),
    ETCDS("etcds", 2379),
    ZOOKEEPER("zookeeper", 2181);

    private final String text;
    private final int defaultPort;

    Scheme(String text, int defaultPort) {
      this.text = text;
      this.defaultPort = defaultPort;
    }

    private static Scheme of(String text) {
      for (Scheme scheme : values()) {
        if (scheme.text.equals(text)) {
          return scheme;
        }
      }
      throw new InvalidInputException(
          "datastore.scheme", text, "etcd, etcds or zookeeper; or embedded: and a directory");
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /** A host name or address (IPv6 without brackets) and a TCP port. */
  public record Endpoint(String host, int port) {
    @Override
    public String toString() {
      return host.indexOf(':') >= 0 ? "[" + host + "]:" + port : host + ":" + port;
    }
  }

  public DatastoreUrl {
    endpoints = List.copyOf(endpoints);
    requireNonNull(scheme, "scheme is null");
    requireNonNull(prefix, "prefix is null");
  }

  /** Whether the connection is encrypted. */
  public boolean tls() {
    return scheme == Scheme.ETCDS;
  }

  /**
   * Reads a URL.
   *
   * @throws InvalidInputException that names the part of the URL that is wrong
   */
  public static DatastoreUrl parse(String url) {
    int schemeEnd = url.indexOf("://");
    if (schemeEnd < 0) {
      throw new InvalidInputException("datastore", url, EXAMPLE);
    }
    Scheme scheme = Scheme.of(url.substring(0, schemeEnd));
    String rest = url.substring(schemeEnd + 3);
    int slash = rest.indexOf('/');
    String authority = slash < 0 ? rest : rest.substring(0, slash);
    if (authority.indexOf('@') >= 0) {
      // A URL ends up in process lists and logs, a password must not.
      throw new InvalidInputException(
          "datastore.hosts",
          "***@" + authority.substring(authority.lastIndexOf('@') + 1),
          "no user in the URL; give user and password as options");
    }
    return new DatastoreUrl(
        scheme,
        parseEndpoints(authority, scheme.defaultPort),
        parsePrefix(slash < 0 ? "" : rest.substring(slash)));
  }

  private static List<Endpoint> parseEndpoints(String authority, int defaultPort) {
    if (authority.isEmpty()) {
      throw new InvalidInputException(
          "datastore.hosts", authority, "at least one host, " + EXAMPLE);
    }
    Set<Endpoint> endpoints = new LinkedHashSet<>();
    for (String part : authority.split(",", -1)) {
      if (!endpoints.add(parseEndpoint(part, defaultPort))) {
        throw new InvalidInputException("datastore.hosts", part, "each host and port once");
      }
    }
    return new ArrayList<>(endpoints);
  }

  private static Endpoint parseEndpoint(String part, int defaultPort) {
    String host;
    String port;
    if (part.startsWith("[")) {
      int close = part.indexOf(']');
      if (close < 0 || (close + 1 < part.length() && part.charAt(close + 1) != ':')) {
        throw new InvalidInputException(
            "datastore.hosts", part, "an IPv6 address in brackets, such as [fd00::1]:2379");
      }
      host = part.substring(1, close);
      port = close + 1 < part.length() ? part.substring(close + 2) : null;
      if (host.indexOf(':') < 0 || !host.matches("[0-9a-fA-F:.]+(%[A-Za-z0-9_.-]+)?")) {
        throw new InvalidInputException(
            "datastore.hosts", part, "an IPv6 address in brackets, such as [fd00::1]:2379");
      }
    } else {
      int colon = part.indexOf(':');
      host = colon < 0 ? part : part.substring(0, colon);
      port = colon < 0 ? null : part.substring(colon + 1);
      if (!host.matches("[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")) {
        throw new InvalidInputException(
            "datastore.hosts", part, "a host name or address and a port, such as 10.0.0.1:2379");
      }
    }
    if (port == null) {
      return new Endpoint(host, defaultPort);
    }
    if (!port.matches("[1-9][0-9]{0,4}") || Integer.parseInt(port) > 65535) {
      throw new InvalidInputException("datastore.port", port, "a TCP port of 1 to 65535");
    }
    return new Endpoint(host, Integer.parseInt(port));
  }

  private static String parsePrefix(String path) {
    if (path.isEmpty() || path.equals("/")) {
      return DEFAULT_PREFIX;
    }
    String trimmed = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
    if (!trimmed.matches("(/[A-Za-z0-9._-]+)+")) {
      throw new InvalidInputException(
          "datastore.prefix", path, "names of letters, digits, '.', '_' and '-', each after a /");
    }
    return trimmed;
  }

  @Override
  public String toString() {
    return scheme
        + "://"
        + String.join(",", endpoints.stream().map(Endpoint::toString).toList())
        + prefix;
  }
}
