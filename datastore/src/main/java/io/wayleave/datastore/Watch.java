package io.wayleave.datastore;

import java.util.List;

/**
 * The changes of the keys under a prefix. It reconnects by itself, for as long as it takes, and
 * tells every change after its first revision in order, or {@link WatchEvent.Resync} and then
 * nothing more. Of changes of one key that follow each other fast it may tell the last alone, in
 * the place of an earlier one; so it can tell of the deletion of a key that it never told of.
 *
 * <p>Reading is pulling: one thread at a time calls {@link #take}; a reader that is slow slows the
 * store's stream and not the process. {@link #close} may be called by any thread.
 */
public interface Watch extends Part {
  /**
   * The next events, at least one, as soon as there are some. The changes of one transaction are in
   * one batch. An empty list: the deadline passed, or the watch is closed or has told {@link
   * WatchEvent.Resync}.
   *
   * @throws InterruptedException when the thread is interrupted while it waits
   */
  List<WatchEvent> take(Deadline deadline) throws InterruptedException;

  /** Whether no event will come any more. */
  boolean isEnded();

  @Override
  void close();
}
