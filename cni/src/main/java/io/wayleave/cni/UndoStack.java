package io.wayleave.cni;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What to undo if a later step fails. A step is pushed <em>before</em> it is done, as it may fail
 * half way, so each must be safe when there is nothing to undo. NOT thread safe: belongs to one
 * ADD.
 */
final class UndoStack {
  private static final Logger log = LoggerFactory.getLogger(UndoStack.class);

  /** One thing to undo. */
  @FunctionalInterface
  interface Step {
    void run() throws Exception;
  }

  private record Named(String what, Step step, boolean onlyWhenComplete) {}

  private final Deque<Named> steps = new ArrayDeque<>();

  /**
   * @param what the step undoes, as the end of "could not undo: …"
   */
  void push(String what, Step step) {
    steps.push(new Named(what, step, false));
  }

  /**
   * The same for what must stay while something above it could not be undone: the policy of a link
   * that is still there, an address that is still in use, and the note that says so.
   */
  void pushLast(String what, Step step) {
    steps.push(new Named(what, step, true));
  }

  /**
   * Undoes everything, the one pushed last first. A step that fails keeps none of the others from
   * running; its failure is logged and attached to the one that made this necessary, which stays
   * the one that is reported. What interrupted the ADD does not interrupt its undoing; the thread
   * is as interrupted afterwards as it was before.
   *
   * @return whether everything was undone
   */
  boolean undo(Throwable failure) {
    boolean complete = true;
    boolean interrupted = Thread.interrupted();
    while (!steps.isEmpty()) {
      Named named = steps.pop();
      if (named.onlyWhenComplete() && !complete) {
        log.error("left as it is, because something that needs it is left: {}", named.what());
        continue;
      }
      try {
        named.step().run();
      } catch (Exception e) {
        if (e instanceof InterruptedException) {
          interrupted = true;
        }
        complete = false;
        failure.addSuppressed(e);
        log.error("could not undo: {}", named.what(), e);
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    return complete;
  }
}
