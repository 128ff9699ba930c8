package io.wayleave.test.lab;

import java.util.function.Supplier;

/** Where the lab says what it is doing. Implementations are safe from any thread. */
public interface Progress {
  /** Says nothing. */
  Progress SILENT =
      new Progress() {
        @Override
        public <T> T step(String what, Supplier<T> work) {
          return work.get();
        }
      };

  /** Does a piece of work and shows its begin, its end and how it went. */
  <T> T step(String what, Supplier<T> work);

  default void step(String what, Runnable work) {
    Boolean _ =
        step(
            what,
            () -> {
              work.run();
              return true;
            });
  }
}
