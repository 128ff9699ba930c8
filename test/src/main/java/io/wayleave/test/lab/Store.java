package io.wayleave.test.lab;

/** The datastore of a lab: one server that all hosts reach. Safe from any thread; calls block. */
public interface Store {
  StoreKind kind();

  /** Starts it, with the data of an earlier run, and returns when it serves. */
  void start();

  /** Ends it; its data stays. */
  void stop();

  /** Whether it answers over the network. */
  boolean isHealthy();
}
