package io.wayleave.datastore;

/** What was opened at a datastore, and is closed with it or before. Closing again does nothing. */
public interface Part extends AutoCloseable {
  @Override
  void close();
}
