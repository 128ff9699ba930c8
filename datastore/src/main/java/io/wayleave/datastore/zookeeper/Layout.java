package io.wayleave.datastore.zookeeper;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.wayleave.datastore.DatastoreRefusedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * Where a key is in ZooKeeper's tree.
 *
 * <pre>
 * PREFIX                                          {@link #MARKER}, the version of this layout
 * PREFIX/k/SHARD/d-resources/SHARD/d-nodes/SHARD/k-r1h1   the value of resources/nodes/r1h1
 * PREFIX/g/SHARD                                  a generation: bumped by each creation in it
 * </pre>
 *
 * <p>Between a directory and its children stands a shard, three hexadecimal digits of a hash of the
 * child's name: ZooKeeper answers with all children of a node at once and drops the connection when
 * the answer is too long, so no node may have very many.
 */
final class Layout {
  static final String MARKER = "wayleave-zookeeper 1";

  /** The most children of one node. */
  static final int MAX_CHILDREN = 4096;

  private static final int SHARDS = 1024;
  private static final String KEY = "k-";
  private static final String DIRECTORY = "d-";

  private final String root;

  Layout(String root) {
    this.root = root;
  }

  /** The node of the whole store. */
  String root() {
    return root;
  }

  String keys() {
    return root + "/k";
  }

  String generations() {
    return root + "/g";
  }

  /** The generation that a creation of the key bumps. */
  String generation(String key) {
    return generations() + "/" + shard(key);
  }

  String path(String key) {
    int slash = key.lastIndexOf('/');
    String name = escape(key.substring(slash + 1));
    return directory(key.substring(0, slash + 1)) + "/" + shard(name) + "/" + KEY + name;
  }

  /** The node under which everything of a prefix is; the prefix is empty or ends in a slash. */
  String directory(String prefix) {
    StringBuilder path = new StringBuilder(keys());
    for (int from = 0; from < prefix.length(); ) {
      int slash = prefix.indexOf('/', from);
      String name = escape(prefix.substring(from, slash));
      path.append('/').append(shard(name)).append('/').append(DIRECTORY).append(name);
      from = slash + 1;
    }
    return path.toString();
  }

  static String parent(String path) {
    return path.substring(0, path.lastIndexOf('/'));
  }

  /** The nodes between {@link #keys} and this node, the upper first. */
  List<String> ancestors(String path) {
    List<String> ancestors = new ArrayList<>();
    for (int slash = path.indexOf('/', keys().length() + 1);
        slash > 0;
        slash = path.indexOf('/', slash + 1)) {
      ancestors.add(path.substring(0, slash));
    }
    return ancestors;
  }

  /** The key of a node that holds a value; empty for the nodes between. */
  Optional<String> key(String path) {
    int name = path.lastIndexOf('/') + 1;
    if (!path.startsWith(keys() + "/") || !path.startsWith(KEY, name)) {
      return Optional.empty();
    }
    StringBuilder key = new StringBuilder();
    String[] segments = path.substring(keys().length() + 1).split("/", -1);
    for (int i = 1; i < segments.length; i += 2) {
      boolean last = i == segments.length - 1;
      if (!segments[i].startsWith(last ? KEY : DIRECTORY)) {
        return Optional.empty();
      }
      key.append(unescape(segments[i].substring(2))).append(last ? "" : "/");
    }
    return Optional.of(key.toString());
  }

  /** What a node in a shard is. */
  record Child(boolean isDirectory, String name) {}

  /**
   * Reads the name of a node in a shard.
   *
   * @throws DatastoreRefusedException when this program did not write it there
   */
  static Child child(String shardPath, String node) {
    boolean isKey = node.startsWith(KEY);
    if (!isKey && !node.startsWith(DIRECTORY)) {
      throw foreign(shardPath + "/" + node);
    }
    String name = node.substring(2);
    if (!shardPath.endsWith("/" + shard(name)) || !escape(unescape(name)).equals(name)) {
      throw foreign(shardPath + "/" + node);
    }
    return new Child(!isKey, unescape(name));
  }

  static void checkShard(String directory, String node) {
    if (!node.matches("[0-3][0-9a-f]{2}")) {
      throw foreign(directory + "/" + node);
    }
  }

  private static DatastoreRefusedException foreign(String path) {
    return new DatastoreRefusedException(
        "ZooKeeper's node "
            + path
            + " was not written by Wayleave; allowed under this prefix: only its own nodes;"
            + " remove it or choose another prefix",
        null);
  }

  private static String shard(String name) {
    CRC32C hash = new CRC32C();
    hash.update(name.getBytes(UTF_8));
    return "%03x".formatted(hash.getValue() % SHARDS);
  }

  /** ZooKeeper refuses some characters that a key may have. */
  private static String escape(String name) {
    StringBuilder escaped = null;
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (c == '%' || (c >= 0x7f && c <= 0x9f) || (c >= 0xd800 && c <= 0xf8ff) || c >= 0xfff0) {
        if (escaped == null) {
          escaped = new StringBuilder(name.substring(0, i));
        }
        escaped.append("%%%04x".formatted((int) c));
      } else if (escaped != null) {
        escaped.append(c);
      }
    }
    return escaped == null ? name : escaped.toString();
  }

  private static String unescape(String name) {
    if (name.indexOf('%') < 0) {
      return name;
    }
    StringBuilder plain = new StringBuilder();
    for (int i = 0; i < name.length(); i++) {
      if (name.startsWith("%", i)
          && name.length() >= i + 5
          && name.substring(i + 1, i + 5).matches("[0-9a-f]{4}")) {
        plain.append((char) Integer.parseInt(name.substring(i + 1, i + 5), 16));
        i += 4;
      } else {
        plain.append(name.charAt(i));
      }
    }
    return plain.toString();
  }
}
