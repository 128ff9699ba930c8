package io.wayleave.policy;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** One long-lived TCP connection between two namespaces, to a server that echoes each line. */
final class Conversation implements AutoCloseable {
  private final Process server;
  private final Process client;
  private final BufferedWriter toClient;
  private final BufferedReader fromClient;

  Conversation(String serverNamespace, String clientNamespace, String address, int port)
      throws IOException {
    this.server =
        new ProcessBuilder(
                "nsenter",
                "--net=/run/netns/" + serverNamespace,
                "busybox",
                "nc",
                "-ll",
                "-p",
                Integer.toString(port),
                "-e",
                "cat")
            .start();
    // The server needs a moment to listen: the client tries until it is there.
    String script =
        """
        for i in $(seq 100); do
          { exec 3<>/dev/tcp/%s/%d; } 2>/dev/null && break
          read -t 0.05 <> <(:)
        done
        while read -r line; do
          echo "$line" >&3
          read -t 1 -r -u 3 echoed && test "$echoed" = "$line" && echo yes || echo no
        done
        """
            .formatted(address, port);
    this.client =
        new ProcessBuilder(
                List.of("nsenter", "--net=/run/netns/" + clientNamespace, "bash", "-c", script))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    this.toClient =
        new BufferedWriter(
            new OutputStreamWriter(client.getOutputStream(), StandardCharsets.UTF_8));
    this.fromClient =
        new BufferedReader(new InputStreamReader(client.getInputStream(), StandardCharsets.UTF_8));
  }

  /** Whether the line came back within a second. */
  boolean say(String line) throws IOException {
    toClient.write(line + "\n");
    toClient.flush();
    return "yes".equals(fromClient.readLine());
  }

  @Override
  public void close() {
    for (Process process : List.of(client, server)) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }
}
