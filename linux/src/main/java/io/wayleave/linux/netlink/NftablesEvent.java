package io.wayleave.linux.netlink;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Family;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Something that happened to the tables of nf_tables, whoever did it. */
public sealed interface NftablesEvent {
  /**
   * A transaction was committed.
   *
   * @param pid the process that did it, by its number in the first pid namespace; empty when the
   *     kernel does not say
   */
  record Committed(OptionalLong pid, List<Touched> touched) implements NftablesEvent {
    public Committed {
      requireNonNull(pid, "pid is null");
      touched = List.copyOf(touched);
    }
  }

  /** Events were lost: anything may have happened. */
  record Lost(String reason) implements NftablesEvent {}

  /**
   * A table, chain or rule that was added, changed or deleted; told once for neighbours that are
   * alike. Only of tables of one IP family, not of {@code inet} and others.
   *
   * @param chain of the chain or the rule; empty for the table itself
   */
  record Touched(Family family, String table, Optional<String> chain) {}
}
