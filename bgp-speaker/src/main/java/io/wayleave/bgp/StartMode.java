package io.wayleave.bgp;

import io.wayleave.model.Family;
import java.util.EnumSet;
import java.util.Set;

/** What was before the speaker started. */
public sealed interface StartMode {
  /**
   * Nothing: no route of ours is in the fabric or in this host's kernel. Routes are delivered as
   * they come.
   */
  record Fresh() implements StartMode {}

  /**
   * A speaker ran here before and what it put into the dataplane is still there, adopted by the
   * owner before this start. Peers are told so (the R bit of RFC 4724 section 3), and no learned
   * route is delivered before all peers that can have sent all of theirs.
   *
   * @param forwardingPreserved families whose routes the kernel still has (the F bit); peers drop
   *     our routes of any other family
   */
  record Restarted(Set<Family> forwardingPreserved) implements StartMode {
    public Restarted {
      forwardingPreserved =
          forwardingPreserved.isEmpty() ? Set.of() : EnumSet.copyOf(forwardingPreserved);
      forwardingPreserved = Set.copyOf(forwardingPreserved);
    }
  }
}
