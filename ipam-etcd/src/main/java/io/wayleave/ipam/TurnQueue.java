package io.wayleave.ipam;

import io.wayleave.datastore.DatastoreException;
import io.wayleave.model.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.BiPredicate;
import java.util.function.Consumer;

/**
 * Tickets of one kind that wait for their host's turn, first come first served. Who gets the turn
 * serves others along with its own. {@link #add} and {@link #abandon} from any thread; the rest
 * belongs to who has the turn.
 */
final class TurnQueue<T extends Ticket<?>> {
  private final ConcurrentLinkedQueue<T> waiting = new ConcurrentLinkedQueue<>();

  void add(T ticket) {
    waiting.add(ticket);
  }

  /**
   * The caller waits no longer.
   *
   * @return whether it is certain that nothing was and nothing will be written
   */
  boolean abandon(T ticket) {
    ticket.abandon();
    return waiting.remove(ticket) && !ticket.mayCommitLate();
  }

  /**
   * Serves this ticket and others that wait. Those that are not done when it fails wait again, for
   * their own callers have their own deadlines.
   *
   * @param mayJoin whether one more is served along with those chosen so far; when one may not,
   *     those behind it do not either
   * @param serve makes tickets done; what it throws of the store and of values is the leader's
   * @return whether it ended without an exception
   */
  boolean lead(T leader, BiPredicate<List<T>, T> mayJoin, Consumer<List<T>> serve) {
    List<T> together = choose(leader, mayJoin);
    try {
      serve.accept(together);
      return true;
    } catch (DatastoreException | InvalidInputException e) {
      if (!leader.isDone()) {
        leader.refuse(e);
      }
      return false;
    } finally {
      for (T ticket : together) {
        if (!ticket.equals(leader) && !ticket.isDone()) {
          waiting.add(ticket);
          if (ticket.isAbandoned()) {
            var _ = waiting.remove(ticket);
          }
        }
      }
    }
  }

  private List<T> choose(T leader, BiPredicate<List<T>, T> mayJoin) {
    List<T> together = new ArrayList<>();
    waiting.remove(leader);
    together.add(leader);
    while (true) {
      T next = waiting.peek();
      if (next == null || !mayJoin.test(together, next)) {
        return together;
      }
      // Gone meanwhile: its caller gave up.
      if (waiting.remove(next) && !next.isAbandoned()) {
        together.add(next);
      }
    }
  }

  static <T extends Ticket<?>> List<T> open(List<T> tickets) {
    return tickets.stream().filter(ticket -> !ticket.isDone()).toList();
  }
}
