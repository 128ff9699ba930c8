package io.wayleave.test.lab;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The lab's datastore: one etcd in a namespace of its own behind the spine. Safe from any thread;
 * calls block.
 */
public final class Etcd implements Store {
  private static final String PROCESS = "etcd";
  private static final Duration START_DEADLINE = Duration.ofSeconds(20);
  private static final Duration STOP_DEADLINE = Duration.ofSeconds(10);

  private final String namespace;
  private final Daemons daemons;
  private final Path directory;

  Etcd(String namespace, Daemons daemons, Path directory) {
    this.namespace = namespace;
    this.daemons = daemons;
    this.directory = directory;
  }

  @Override
  public StoreKind kind() {
    return StoreKind.ETCD;
  }

  @Override
  public void start() {
    String peerUrl = "http://127.0.0.1:2380";
    Path log = directory.resolve("etcd.log");
    ProcessRecord process =
        daemons.start(
            PROCESS,
            log,
            Map.of(),
            NetNs.in(
                namespace,
                "etcd",
                "--name",
                "lab",
                "--data-dir",
                directory.resolve("data").toString(),
                "--listen-client-urls",
                url(),
                "--advertise-client-urls",
                url(),
                "--listen-peer-urls",
                peerUrl,
                "--initial-advertise-peer-urls",
                peerUrl,
                "--initial-cluster",
                "lab=" + peerUrl,
                "--logger",
                "zap"));
    daemons.awaitReady(process, log, START_DEADLINE, this::isHealthy);
  }

  @Override
  public void stop() {
    daemons.stop(PROCESS, STOP_DEADLINE);
  }

  /** Asks for a linearizable read. */
  @Override
  public boolean isHealthy() {
    return etcdctl("endpoint", "health").run().succeeded();
  }

  /**
   * All keys with a prefix and their values, asked past Wayleave: what is there, not what it says
   * is there.
   */
  public SortedMap<String, String> read(String prefix) {
    JsonNode answer =
        Json.read("etcdctl", etcdctl("get", "--prefix", prefix, "--write-out=json").check());
    SortedMap<String, String> found = new TreeMap<>();
    for (JsonNode pair : answer.path("kvs")) {
      found.put(decode(pair.path("key")), decode(pair.path("value")));
    }
    return found;
  }

  /** Writes past Wayleave: whatever the value is, nobody checks it. */
  public void write(String key, String value) {
    etcdctl("put", key).input(value).check();
  }

  /** Deletes past Wayleave. */
  public void delete(String key) {
    etcdctl("del", key).check();
  }

  private static String decode(JsonNode base64) {
    return new String(Base64.getDecoder().decode(base64.asText()), StandardCharsets.UTF_8);
  }

  private Command etcdctl(String... words) {
    List<String> argv = new ArrayList<>(List.of("etcdctl", "--endpoints", url()));
    argv.addAll(List.of("--dial-timeout=1s", "--command-timeout=2s"));
    argv.addAll(List.of(words));
    return Command.of(argv).environment(Map.of("ETCDCTL_API", "3")).at(NetNs.named(namespace));
  }

  private static String url() {
    return "http://" + Topology.ETCD + ":" + StoreKind.ETCD.port();
  }
}
