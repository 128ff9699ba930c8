package io.wayleave.bgp.wire;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Optional;

/** What became of one received message; the decoder has no other way out. */
public sealed interface DecodeOutcome {
  /**
   * A good message. An UPDATE may have lost attributes to RFC 7606's "attribute discard"; {@code
   * discarded} says which, for the log.
   */
  record Decoded(BgpMessage message, List<UpdateError> discarded) implements DecodeOutcome {
    public Decoded {
      requireNonNull(message, "message is null");
      discarded = List.copyOf(discarded);
    }

    public Decoded(BgpMessage message) {
      this(message, List.of());
    }
  }

  /**
   * RFC 7606's "treat-as-withdraw": the session goes on, and every prefix of the message counts as
   * withdrawn.
   *
   * @param withdrawals has no {@code reach}
   * @param errors at least one
   */
  record TreatAsWithdraw(BgpMessage.Update withdrawals, List<UpdateError> errors)
      implements DecodeOutcome {
    public TreatAsWithdraw {
      requireNonNull(withdrawals, "withdrawals is null");
      errors = List.copyOf(errors);
    }
  }

  /** A message that the standard has a speaker ignore, such as an unknown ROUTE-REFRESH subtype. */
  record Ignored(String reason) implements DecodeOutcome {
    public Ignored {
      requireNonNull(reason, "reason is null");
    }
  }

  /**
   * The session ends.
   *
   * @param answer what to send first; none when the bad message was itself a NOTIFICATION (RFC 4271
   *     section 6.4)
   * @param reason for the log and the operator
   */
  record Reset(Optional<BgpMessage.Notification> answer, String reason) implements DecodeOutcome {
    public Reset {
      requireNonNull(answer, "answer is null");
      requireNonNull(reason, "reason is null");
    }

    static Reset with(BgpMessage.Notification answer, String reason) {
      return new Reset(Optional.of(answer), reason);
    }
  }
}
