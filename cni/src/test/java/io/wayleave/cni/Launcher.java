package io.wayleave.cni;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import io.wayleave.model.ResourceCodec;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** The real launcher, executed as a runtime does it: with nothing but what is given here. */
final class Launcher {
  static final Path BINARY = Path.of("target", "wayleave").toAbsolutePath();

  private final Map<String, String> environment = new HashMap<>();
  private byte[] config = new byte[0];

  /** What came of it. */
  record Outcome(int exitStatus, String output) {
    JsonNode json() throws IOException {
      return ResourceCodec.jsonMapper().readTree(output);
    }
  }

  /** A launcher that runs. */
  record Running(Process process, CompletableFuture<byte[]> output) {
    Outcome await() throws Exception {
      if (!process.waitFor(30, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new AssertionError("the launcher did not end");
      }
      return new Outcome(process.exitValue(), new String(output.get(30, TimeUnit.SECONDS), UTF_8));
    }
  }

  Launcher() {
    if (!Files.isExecutable(BINARY)) {
      throw new AssertionError(BINARY + " is not there; the build makes it");
    }
  }

  static Launcher of(String command) {
    return new Launcher().with("CNI_COMMAND", command);
  }

  /** With an attachment too. */
  static Launcher of(String command, String containerId, String ifname) {
    return of(command).with("CNI_CONTAINERID", containerId).with("CNI_IFNAME", ifname);
  }

  Launcher with(String variable, String value) {
    environment.put(variable, value);
    return this;
  }

  Launcher without(String variable) {
    environment.remove(variable);
    return this;
  }

  Launcher config(String text) {
    config = text.getBytes(UTF_8);
    return this;
  }

  Launcher config(byte[] bytes) {
    config = bytes.clone();
    return this;
  }

  Outcome run() throws Exception {
    return start().await();
  }

  Running start() throws IOException {
    ProcessBuilder builder = new ProcessBuilder(BINARY.toString()).redirectErrorStream(true);
    builder.environment().clear();
    builder.environment().putAll(environment);
    Process process = builder.start();
    CompletableFuture<byte[]> output =
        CompletableFuture.supplyAsync(
            () -> {
              try {
                return process.getInputStream().readAllBytes();
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
    try (OutputStream stdin = process.getOutputStream()) {
      stdin.write(config);
    } catch (IOException e) {
      // It ended before it had read everything, which is for the test to judge.
    }
    return new Running(process, output);
  }
}
