package io.wayleave.ipam;

import io.wayleave.datastore.OutcomeUnknownException;
import java.util.Optional;

/**
 * What a caller asks of its host and what becomes of it. {@link #isDone}, {@link #result} and
 * {@link #abandon} from any thread; the rest belongs to who has the host's turn.
 */
abstract class Ticket<R> {
  private volatile boolean abandoned;
  private volatile Optional<R> result = Optional.empty();
  private volatile Optional<RuntimeException> refusal = Optional.empty();
  // A commit may have done it: look before the next.
  private boolean outcomeUnknown;
  // And may do so later, whatever one sees now.
  private volatile boolean mayCommitLate;

  /** What is asked, for messages: such as "release of c1". */
  abstract String what();

  final boolean isDone() {
    return result.isPresent() || refusal.isPresent();
  }

  /** What it was given; throws what it was refused by. Only when it is done. */
  final R result() {
    if (refusal.isPresent()) {
      throw refusal.get();
    }
    return result.orElseThrow();
  }

  final void succeed(R given) {
    result = Optional.of(given);
  }

  final void refuse(RuntimeException reason) {
    refusal = Optional.of(told(reason));
  }

  /** After an attempt whose outcome is unknown, no other failure may hide that. */
  private RuntimeException told(RuntimeException reason) {
    return !mayCommitLate || reason instanceof OutcomeUnknownException
        ? reason
        : new OutcomeUnknownException(
            what() + ": outcome unknown, then " + reason.getMessage(), reason);
  }

  /** The answer to a commit of it did not come. */
  final void outcomeIsUnknown() {
    outcomeUnknown = true;
    mayCommitLate = true;
  }

  final boolean isOutcomeUnknown() {
    return outcomeUnknown;
  }

  /** The store was asked, and shows what that commit did. */
  final void outcomeIsSeen() {
    outcomeUnknown = false;
  }

  /** Whether a commit of it was ever sent whose answer did not come. */
  final boolean mayCommitLate() {
    return mayCommitLate;
  }

  final void abandon() {
    abandoned = true;
  }

  final boolean isAbandoned() {
    return abandoned;
  }
}
