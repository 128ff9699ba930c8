package io.wayleave.policy.dataplane;

import static java.util.Objects.requireNonNull;

import io.wayleave.linux.NetworkNamespace;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;

/**
 * A netlink socket of a namespace. It is opened by the first question and again after a failure, so
 * that a host without the kernel's module says so and goes on.
 *
 * <p>Blocks for the kernel's answer. NOT thread safe.
 */
final class KeptSocket<S> implements AutoCloseable {
  private final String subject;
  private final Optional<Path> namespace;
  private final Callable<S> opening;
  private final Consumer<S> closing;
  private Optional<S> opened = Optional.empty();

  @FunctionalInterface
  interface Question<S, T> {
    T of(S socket) throws IOException;
  }

  /**
   * Opens nothing yet.
   *
   * @param subject that a failure is said to be of
   * @param namespace such as {@code /run/netns/NAME}; empty for the namespace of the thread that
   *     asks first
   */
  KeptSocket(String subject, Optional<Path> namespace, Callable<S> opening, Consumer<S> closing) {
    this.subject = requireNonNull(subject, "subject is null");
    this.namespace = requireNonNull(namespace, "namespace is null");
    this.opening = requireNonNull(opening, "opening is null");
    this.closing = requireNonNull(closing, "closing is null");
  }

  /**
   * Asks the kernel.
   *
   * @throws DataplaneException when it does not answer
   */
  <T> T ask(Question<S, T> question) {
    try {
      S socket = opened.isPresent() ? opened.get() : NetworkNamespace.runIn(namespace, opening);
      opened = Optional.of(socket);
      return question.of(socket);
    } catch (IOException e) {
      close();
      throw new DataplaneException(subject + ": " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    opened.ifPresent(closing);
    opened = Optional.empty();
  }
}
