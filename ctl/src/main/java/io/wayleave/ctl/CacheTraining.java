package io.wayleave.ctl;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Goes through netctl's commands in one process, so that the JVM can write the start-up cache of
 * what they use. Run by the build against a datastore and an agent that it made for this; of no use
 * otherwise. Fails when a command does, because its classes would then be missing from the cache.
 */
public final class CacheTraining {
  private static final String MANIFEST =
      """
      apiVersion: wayleave.io/v1
      kind: GlobalNetworkPolicy
      metadata: {name: training}
      spec:
        selector: app == "training"
        ingress: [{action: Allow, protocol: TCP, destination: {ports: [80]}}]
      """;

  private CacheTraining() {}

  /** Exits with 1 and the failing command's message when one fails. */
  public static void main(String[] args) throws IOException {
    Path manifest = Files.createTempFile("netctl-training", ".yaml");
    try {
      Files.writeString(manifest, MANIFEST);
      List<List<String>> commands =
          List.of(
              List.of("version"),
              List.of("pool", "create", "other", "--cidr", "203.0.113.0/24"),
              List.of("pool", "list"),
              List.of("pool", "show"),
              List.of("ipam", "show"),
              List.of("pool", "delete", "other"),
              List.of("peer", "list"),
              List.of("node", "list"),
              List.of("node", "status"),
              List.of("bgp", "summary"),
              List.of("bgp", "routes"),
              List.of("endpoint", "list"),
              List.of("apply", "-f", manifest.toString()),
              List.of("get", "globalnetworkpolicy", "training", "-o", "yaml"),
              List.of("get", "ippool", "-o", "json"),
              List.of("delete", "-f", manifest.toString()),
              List.of("--help"));
      for (List<String> command : commands) {
        run(command);
      }
    } finally {
      Files.deleteIfExists(manifest);
    }
  }

  private static void run(List<String> command) {
    try (PrintStream out =
        new PrintStream(PrintStream.nullOutputStream(), false, StandardCharsets.UTF_8)) {
      int code = Netctl.run(command.toArray(String[]::new), out, System.err, System.getenv());
      if (code != 0) {
        System.err.println("training: netctl " + String.join(" ", command) + " ended with " + code);
        System.exit(1);
      }
    }
  }
}
