package io.wayleave.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreMover;
import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.OutcomeUnknownException;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.TransactionResult;
import io.wayleave.datastore.Version;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Allocations of one host. Those that wait at the same moment are written in one transaction, at
 * most {@link AllocationRequest#MAX_ADDRESSES} addresses; each of them succeeds or fails by itself.
 * The queue is for any thread; the rest belongs to who has the host's turn.
 */
final class Allocations {
  /** Conflicts with others before it gives up; each conflict means that another got something. */
  static final int MAX_ATTEMPTS = 200;

  /** Of handles and owner records in one transaction; ZooKeeper takes 1,000,000 of everything. */
  private static final int MAX_BYTES = 500_000;

  private final Datastore datastore;
  private final String node;
  private final Supplier<Map<String, String>> nodeLabels;
  private final IpamOptions options;
  private final HostMemory memory;
  private final Supplier<String> names;
  private final TurnQueue<Asked> queue = new TurnQueue<>();

  Allocations(
      Datastore datastore,
      String node,
      Supplier<Map<String, String>> nodeLabels,
      IpamOptions options,
      HostMemory memory,
      Supplier<String> names) {
    this.datastore = datastore;
    this.node = node;
    this.nodeLabels = nodeLabels;
    this.options = options;
    this.memory = memory;
    this.names = names;
  }

  /** A request for addresses. */
  static final class Asked extends Ticket<Handle> {
    private final AllocationRequest request;
    // Given with its first turn.
    private String attempt = "";

    Asked(AllocationRequest request) {
      this.request = request;
    }

    @Override
    String what() {
      return "allocation for " + request.handle();
    }
  }

  /**
   * One request's share of a transaction.
   *
   * @param records what it writes, none of which may exist: the handle and its owner records
   */
  private record Part(Asked ticket, Handle handle, Map<String, byte[]> records) {
    int bytes() {
      return records.values().stream().mapToInt(value -> value.length).sum();
    }
  }

  private record Round(Planner planner, List<Part> parts) {}

  TurnQueue<Asked> queue() {
    return queue;
  }

  /** Serves this request and others that wait. */
  void lead(Asked leader, Deadline deadline) {
    boolean well = queue.lead(leader, Allocations::mayJoin, together -> run(together, deadline));
    if (!well) {
      memory.forget();
    }
  }

  private static boolean mayJoin(List<Asked> together, Asked next) {
    int addresses = together.stream().mapToInt(ticket -> ticket.request.most()).sum();
    return addresses + next.request.most() <= AllocationRequest.MAX_ADDRESSES;
  }

  private void run(List<Asked> tickets, Deadline deadline) {
    for (Asked ticket : tickets) {
      if (ticket.attempt.isEmpty()) {
        ticket.attempt = names.get();
      }
    }
    boolean fresh = false;
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      settle(tickets, deadline);
      List<Asked> open = TurnQueue.open(tickets);
      if (open.isEmpty()) {
        return;
      }
      if (!memory.isLoaded()) {
        memory.load(deadline);
        fresh = true;
      }
      memory.recallPools(deadline);
      Optional<Round> round = plan(open, fresh);
      if (round.isEmpty()) {
        // Perhaps an address was freed by another, which is better than a new block or none.
        memory.refresh(deadline);
        fresh = true;
      } else if (!round.get().parts().isEmpty()) {
        write(round.get(), deadline);
      }
    }
    for (Asked ticket : TurnQueue.open(tickets)) {
      ticket.refuse(new IpamException.Contended(ticket.what(), MAX_ATTEMPTS));
    }
  }

  /** Looks for what an attempt of unknown outcome may have written. */
  private void settle(List<Asked> tickets, Deadline deadline) {
    for (Asked ticket : TurnQueue.open(tickets)) {
      if (ticket.isOutcomeUnknown()) {
        Optional<Entry> entry = datastore.get(IpamKeys.handle(ticket.request.handle()), deadline);
        try {
          entry
              .map(Ipam::readHandle)
              .filter(found -> found.attempt().equals(ticket.attempt))
              .ifPresent(ticket::succeed);
        } catch (InvalidInputException e) {
          ticket.refuse(e); // it is another's, and cannot be read
        }
        ticket.outcomeIsSeen();
      }
    }
  }

  /** Empty: the memory does not do, and is not fresh. */
  private Optional<Round> plan(List<Asked> open, boolean fresh) {
    Planner planner =
        new Planner(memory.pools(), memory.view(), fresh, node, nodeLabels.get(), options, names);
    List<Part> parts = new ArrayList<>();
    Set<String> written = new HashSet<>();
    int bytes = 0;
    for (Asked ticket : open) {
      Planner.Mark mark = planner.mark();
      Optional<Planner.Plan> plan;
      try {
        plan = planner.plan(ticket.request);
      } catch (IpamException | InvalidInputException e) {
        // What others of this transaction take may be given back yet: then it is another's turn.
        if (parts.isEmpty()) {
          ticket.refuse(e);
        }
        continue;
      }
      if (plan.isEmpty()) {
        return Optional.empty();
      }
      Part part;
      try {
        part = part(ticket, plan.get());
      } catch (RuntimeException e) {
        // Of the caller's own function, so it is that caller's, whoever has the turn.
        planner.backTo(mark);
        ticket.refuse(e);
        continue;
      }
      parts.add(part);
      boolean apart = part.records().keySet().stream().noneMatch(written::contains);
      // One alone may be as large as the store takes.
      boolean small = parts.size() == 1 || bytes + part.bytes() <= MAX_BYTES;
      if (apart && small && fits(planner, parts)) {
        bytes += part.bytes();
        written.addAll(part.records().keySet());
        continue;
      }
      parts.removeLast();
      planner.backTo(mark);
      if (parts.isEmpty()) {
        ticket.refuse(
            new InvalidInputException(
                "addresses",
                Integer.toString(part.handle().assigned().size()),
                "fewer at once: these need more than "
                    + Transaction.MAX_OPERATIONS
                    + " operations in one transaction"));
      }
    }
    return Optional.of(new Round(planner, parts));
  }

  private Part part(Asked ticket, Planner.Plan plan) {
    AllocationRequest request = ticket.request;
    OwnerRecord owner = request.owner().apply(plan.addresses());
    if (owner.puts().isEmpty()) {
      owner = OwnerRecord.plain(request.handle(), node, request.use(), plan.addresses());
    }
    Handle handle =
        new Handle(
            request.handle(),
            node,
            request.generation(),
            ticket.attempt,
            request.use(),
            Handle.noted(request.attributes(), options.now()),
            List.copyOf(owner.puts().keySet()),
            plan.assigned());
    Map<String, byte[]> records = new LinkedHashMap<>();
    records.put(IpamKeys.handle(handle.id()), handle.toJson());
    records.putAll(owner.puts());
    return new Part(ticket, handle, records);
  }

  private static boolean fits(Planner planner, List<Part> parts) {
    int records = parts.stream().mapToInt(part -> part.records().size()).sum();
    int operations = records;
    int conditions = records + 3 + planner.pools().size();
    for (Planner.Change change : planner.changes().values()) {
      int claimed = change.claim() ? 1 : 0;
      conditions += 1 + claimed;
      operations += 1 + claimed + (change.from().isPresent() ? 1 : 0);
    }
    return Math.max(operations, conditions) <= Transaction.MAX_OPERATIONS;
  }

  private void write(Round round, Deadline deadline) {
    Map<Cidr, Claim> claims = new LinkedHashMap<>();
    TransactionResult result;
    try {
      for (Map.Entry<Cidr, Planner.Change> change : round.planner().changes().entrySet()) {
        if (change.getValue().claim()) {
          claims.put(change.getKey(), writePending(change.getKey(), deadline));
        }
      }
      result = datastore.commit(transaction(round, claims), deadline);
    } catch (OutcomeUnknownException e) {
      // The next attempt looks for the handle, and is refused if it arrives later.
      for (Part part : round.parts()) {
        part.ticket().outcomeIsUnknown();
      }
      memory.forget();
      if (deadline.hasPassed()) {
        throw e;
      }
      return;
    }
    switch (result) {
      case TransactionResult.Committed committed -> {
        for (Planner.Change change : round.planner().changes().values()) {
          memory.wrote(change.after(), committed.versionOf(IpamKeys.block(change.after().cidr())));
        }
        round.parts().forEach(part -> part.ticket().succeed(part.handle()));
      }
      case TransactionResult.Failed failed -> {
        claims.forEach(
            (block, claim) -> {
              if (claim.state() == Affinity.State.PENDING) {
                boolean _ = memory.withdraw(block, claim.version(), deadline);
              }
            });
        learn(failed, round);
      }
    }
  }

  private Transaction transaction(Round round, Map<Cidr, Claim> claims) {
    Transaction.Builder transaction = Transaction.builder();
    for (Part part : round.parts()) {
      part.records().forEach((key, value) -> transaction.ifAbsent(key).put(key, value));
    }
    // In a store that is being filled, an address that looks free may be in use.
    transaction.ifAbsent(DatastoreMover.INCOMPLETE);
    PoolGuard guard = memory.pools().guard();
    transaction.ifSame(Keys.SETTINGS_GUARD, guard.settings());
    if (!round.planner().leftOut().isEmpty()) {
      transaction.ifSame(Keys.POOL_GUARD, guard.pools());
    }
    round.planner().pools().forEach(pool -> transaction.ifUnchanged(pool.key(), pool.version()));
    round
        .planner()
        .changes()
        .forEach(
            (cidr, change) -> {
              String key = IpamKeys.block(cidr);
              transaction.ifSame(key, change.before()).put(key, change.after().toJson());
              change.from().ifPresent(other -> transaction.delete(IpamKeys.affinity(other, cidr)));
            });
    claims.forEach(
        (cidr, claim) -> {
          String key = IpamKeys.affinity(node, cidr);
          transaction
              .ifUnchanged(key, claim.version())
              .put(key, new Affinity(node, cidr, Affinity.State.CONFIRMED).toJson());
        });
    return transaction.build();
  }

  /** Takes over what a refusal tells. */
  private void learn(TransactionResult.Failed failed, Round round) {
    for (Part part : round.parts()) {
      if (failed.because(DatastoreMover.INCOMPLETE)) {
        part.ticket().refuse(new IpamException.StoreIncomplete(datastore.description()));
      } else {
        learn(failed, part);
      }
    }
    Planner planner = round.planner();
    if (failed.because(Keys.SETTINGS_GUARD)
        || failed.because(Keys.POOL_GUARD)
        || planner.pools().stream().anyMatch(pool -> failed.because(pool.key()))) {
      memory.forgetPools();
    }
    memory.learn(failed, planner.changes().keySet());
  }

  private void learn(TransactionResult.Failed failed, Part part) {
    Entry existing = failed.current().get(IpamKeys.handle(part.handle().id()));
    if (existing != null) {
      try {
        Handle other = Ipam.readHandle(existing);
        if (other.attempt().equals(part.handle().attempt())) {
          memory.forget(); // the blocks that it took from are not known here
          part.ticket().succeed(other);
        } else {
          part.ticket().refuse(new IpamException.HandleExists(other));
        }
      } catch (InvalidInputException e) {
        part.ticket().refuse(e);
      }
      return;
    }
    part.records().keySet().stream()
        .filter(failed::because)
        .findFirst()
        .ifPresent(key -> part.ticket().refuse(new IpamException.OwnerExists(key)));
  }

  /**
   * An affinity of this host's, as it is in the store.
   *
   * @param state confirmed where an earlier attempt of unknown outcome has come through after all:
   *     then the block is there too, and the affinity is not to be taken back
   */
  private record Claim(Version version, Affinity.State state) {}

  /** Says that this host wants the block; returns the state to be confirmed. */
  private Claim writePending(Cidr block, Deadline deadline) {
    String key = IpamKeys.affinity(node, block);
    TransactionResult result =
        datastore.commit(
            Transaction.builder()
                .ifAbsent(key)
                .put(key, new Affinity(node, block, Affinity.State.PENDING).toJson())
                .build(),
            deadline);
    return switch (result) {
      case TransactionResult.Committed committed ->
          new Claim(committed.versionOf(key), Affinity.State.PENDING);
      case TransactionResult.Failed failed -> {
        // Left by an earlier attempt of ours: this one goes on with it, if it is what it seems.
        Entry left = failed.current().get(key);
        yield new Claim(left.version(), Affinity.read(left).state());
      }
    };
  }
}
