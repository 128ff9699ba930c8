package io.wayleave.policy.dataplane;

import io.wayleave.linux.NetworkNamespace;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** An empty network namespace of the test's own, in which commands run; gone after the test. */
public final class TestHost implements AutoCloseable {
  private static final AtomicInteger COUNTER = new AtomicInteger();

  private final String name =
      "wltd" + ProcessHandle.current().pid() + "n" + COUNTER.incrementAndGet();

  public TestHost() {
    try {
      NetworkNamespace.create(name).close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public Optional<Path> namespace() {
    return Optional.of(NetworkNamespace.NAMES.resolve(name));
  }

  public CommandRunner runner() {
    return ProcessRunner.in(namespace(), Duration.ofSeconds(30));
  }

  /** What the command prints; fails when it fails. */
  public String run(String... command) {
    return feed("", command);
  }

  public String feed(String stdin, String... command) {
    CommandRunner.Result result = runner().run(List.of(command), stdin);
    if (!result.succeeded()) {
      throw new AssertionError(String.join(" ", command) + ": " + result.complaint());
    }
    return result.stdout();
  }

  @Override
  public void close() {
    try {
      NetworkNamespace.delete(name);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
