package io.wayleave.policy.dataplane;

import io.wayleave.model.Family;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;
import java.util.function.LongPredicate;
import java.util.function.Supplier;

/**
 * Looks for what others did to our chains, jumps and sets between our own writes. The writer
 * brackets each of its writes, so that they are not taken for others'.
 */
public interface TableWatch extends AutoCloseable {
  /** A write begins. */
  void writing();

  /**
   * It is over.
   *
   * @param expected what the kernel holds now as far as the writer knows; asked at most once,
   *     before this returns
   */
  void written(Supplier<KernelState> expected);

  /** Ends the watch; nothing is told any more. */
  @Override
  void close();

  /**
   * Watches the kernel from now on. Where that cannot be done it is logged and nothing is told.
   *
   * @param namespace the host's network namespace; empty for that of this process
   * @param ours whether a process is one that writes for us, by its number
   * @param onChange called on the watch's thread, which it must not block
   */
  static TableWatch start(
      Optional<Path> namespace,
      IptablesBackend backend,
      Collection<Family> families,
      LongPredicate ours,
      Runnable onChange) {
    return KernelWatch.start(namespace, backend, families, ours, onChange);
  }

  /** For those who do not want to be told. */
  static TableWatch none() {
    return new TableWatch() {
      @Override
      public void writing() {}

      @Override
      public void written(Supplier<KernelState> expected) {}

      @Override
      public void close() {}
    };
  }
}
