package io.wayleave.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreException;
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
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;

/**
 * Allocations of one host. Those that wait at the same moment are written in one transaction, at
 * most {@link AllocationRequest#MAX_ADDRESSES} addresses; each of them succeeds or fails by itself.
 * {@link #add} and {@link #abandon} from any thread; the rest belongs to who has the host's turn.
 */
final class Allocations {
  /** Conflicts with others before it gives up; each conflict means that another got something. */
  static final int MAX_ATTEMPTS = 200;

  private final Datastore datastore;
  private final String node;
  private final Supplier<Map<String, String>> nodeLabels;
  private final IpamOptions options;
  private final HostMemory memory;
  private final Supplier<String> names;
  private final ConcurrentLinkedQueue<Ticket> waiting = new ConcurrentLinkedQueue<>();

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

  /** A request and what becomes of it. All but {@code abandoned} belongs to who has the turn. */
  static final class Ticket {
    private final AllocationRequest request;
    // Given with its first turn.
    private String attempt = "";
    private volatile boolean abandoned;
    private volatile Optional<Handle> handle = Optional.empty();
    private volatile Optional<RuntimeException> refusal = Optional.empty();
    // A commit may have written it: look before the next.
    private boolean outcomeUnknown;
    // And may do so later, whatever one sees now.
    private volatile boolean mayCommitLate;

    private Ticket(AllocationRequest request) {
      this.request = request;
    }

    boolean isDone() {
      return handle.isPresent() || refusal.isPresent();
    }

    /** What it was given; throws what it was refused by. Only when it is done. */
    Handle result() {
      if (refusal.isPresent()) {
        throw refusal.get();
      }
      return handle.orElseThrow();
    }

    private void refuse(RuntimeException reason) {
      refusal = Optional.of(told(reason));
    }

    /** After an attempt whose outcome is unknown, no other failure may hide that. */
    RuntimeException told(RuntimeException reason) {
      return !mayCommitLate || reason instanceof OutcomeUnknownException
          ? reason
          : new OutcomeUnknownException(
              "allocation for "
                  + request.handle()
                  + ": outcome unknown, then "
                  + reason.getMessage(),
              reason);
    }
  }

  /** One request's share of a transaction. */
  private record Part(Ticket ticket, Handle handle, OwnerRecord owner) {}

  private record Round(Planner planner, List<Part> parts) {}

  Ticket add(AllocationRequest request) {
    Ticket ticket = new Ticket(request);
    waiting.add(ticket);
    return ticket;
  }

  /**
   * The caller waits no longer.
   *
   * @return whether it is certain that nothing was and nothing will be written
   */
  boolean abandon(Ticket ticket) {
    ticket.abandoned = true;
    return waiting.remove(ticket) && !ticket.mayCommitLate;
  }

  /**
   * Serves this request and others that wait. Those that are not done when it fails wait again, for
   * their own callers have their own deadlines.
   */
  void lead(Ticket leader, Deadline deadline) {
    List<Ticket> tickets = batch(leader);
    for (Ticket ticket : tickets) {
      if (ticket.attempt.isEmpty()) {
        ticket.attempt = names.get();
      }
    }
    try {
      run(tickets, deadline);
    } catch (DatastoreException | InvalidInputException e) {
      if (!leader.isDone()) {
        leader.refuse(e);
      }
      memory.forget();
    } finally {
      for (Ticket ticket : tickets) {
        if (ticket != leader && !ticket.isDone()) {
          waiting.add(ticket);
          if (ticket.abandoned) {
            var _ = waiting.remove(ticket);
          }
        }
      }
    }
  }

  private List<Ticket> batch(Ticket leader) {
    List<Ticket> tickets = new ArrayList<>();
    waiting.remove(leader);
    tickets.add(leader);
    int addresses = leader.request.most();
    while (true) {
      Ticket next = waiting.peek();
      if (next == null || addresses + next.request.most() > AllocationRequest.MAX_ADDRESSES) {
        return tickets;
      }
      // Gone meanwhile: its caller gave up.
      if (waiting.remove(next) && !next.abandoned) {
        tickets.add(next);
        addresses += next.request.most();
      }
    }
  }

  private void run(List<Ticket> tickets, Deadline deadline) {
    boolean fresh = false;
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      settle(tickets, deadline);
      List<Ticket> open = open(tickets);
      if (open.isEmpty()) {
        return;
      }
      if (!memory.isLoaded()) {
        memory.load(deadline);
        fresh = true;
      }
      Optional<Round> round = plan(open, fresh);
      if (round.isEmpty()) {
        // Perhaps an address was freed by another, which is better than a new block or none.
        memory.refresh(deadline);
        fresh = true;
      } else if (!round.get().parts().isEmpty()) {
        write(round.get(), deadline);
      }
    }
    for (Ticket ticket : open(tickets)) {
      ticket.refuse(
          new IpamException.Contended("allocation for " + ticket.request.handle(), MAX_ATTEMPTS));
    }
  }

  private static List<Ticket> open(List<Ticket> tickets) {
    return tickets.stream().filter(ticket -> !ticket.isDone()).toList();
  }

  /** Looks for what an attempt of unknown outcome may have written. */
  private void settle(List<Ticket> tickets, Deadline deadline) {
    for (Ticket ticket : open(tickets)) {
      if (ticket.outcomeUnknown) {
        ticket.handle =
            datastore
                .get(IpamKeys.handle(ticket.request.handle()), deadline)
                .map(Ipam::readHandle)
                .filter(found -> found.attempt().equals(ticket.attempt));
        ticket.outcomeUnknown = false;
      }
    }
  }

  /** Empty: the memory does not do, and is not fresh. */
  private Optional<Round> plan(List<Ticket> open, boolean fresh) {
    Planner planner =
        new Planner(memory.pools(), memory.view(), node, nodeLabels.get(), options, names);
    List<Part> parts = new ArrayList<>();
    Set<String> written = new HashSet<>();
    for (Ticket ticket : open) {
      Planner.Mark mark = planner.mark();
      Planner.Plan plan;
      try {
        plan = planner.plan(ticket.request);
      } catch (IpamException | InvalidInputException e) {
        if (!fresh) {
          return Optional.empty();
        }
        // What others of this transaction take may be given back yet: then it is another's turn.
        if (parts.isEmpty()) {
          ticket.refuse(e);
        }
        continue;
      }
      if (!plan.fromMemory() && !fresh) {
        return Optional.empty();
      }
      Part part = part(ticket, plan);
      List<String> keys = new ArrayList<>(part.owner().puts().keySet());
      keys.add(IpamKeys.handle(part.handle().id()));
      parts.add(part);
      boolean apart = keys.stream().noneMatch(written::contains);
      if (apart && fits(planner, parts)) {
        written.addAll(keys);
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

  private Part part(Ticket ticket, Planner.Plan plan) {
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
    return new Part(ticket, handle, owner);
  }

  private static boolean fits(Planner planner, List<Part> parts) {
    int records = parts.stream().mapToInt(part -> 1 + part.owner().puts().size()).sum();
    int operations = records;
    int conditions = records + 2 + planner.pools().size();
    for (Planner.Change change : planner.changes().values()) {
      int claimed = change.claim() ? 1 : 0;
      conditions += 1 + claimed;
      operations += 1 + claimed + (change.from().isPresent() ? 1 : 0);
    }
    return Math.max(operations, conditions) <= Transaction.MAX_OPERATIONS;
  }

  private void write(Round round, Deadline deadline) {
    Map<Cidr, Version> claims = new LinkedHashMap<>();
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
        part.ticket().outcomeUnknown = true;
        part.ticket().mayCommitLate = true;
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
        round.parts().forEach(part -> part.ticket().handle = Optional.of(part.handle()));
      }
      case TransactionResult.Failed failed -> {
        claims.forEach((block, version) -> memory.withdraw(block, version, deadline));
        learn(failed, round);
      }
    }
  }

  private Transaction transaction(Round round, Map<Cidr, Version> claims) {
    Transaction.Builder transaction = Transaction.builder();
    for (Part part : round.parts()) {
      String handleKey = IpamKeys.handle(part.handle().id());
      transaction.ifAbsent(handleKey).put(handleKey, part.handle().toJson());
      part.owner().puts().forEach((key, value) -> transaction.ifAbsent(key).put(key, value));
    }
    // In a store that is being filled, an address that looks free may be in use.
    transaction.ifAbsent(DatastoreMover.INCOMPLETE);
    transaction.ifSame(Keys.POOL_GUARD, memory.pools().guard());
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
        (cidr, pending) -> {
          String key = IpamKeys.affinity(node, cidr);
          transaction
              .ifUnchanged(key, pending)
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
    if (failed.because(Keys.POOL_GUARD)
        || planner.pools().stream().anyMatch(pool -> failed.because(pool.key()))) {
      memory.forget();
    }
    memory.learn(failed, planner.changes().keySet());
  }

  private void learn(TransactionResult.Failed failed, Part part) {
    Entry existing = failed.current().get(IpamKeys.handle(part.handle().id()));
    if (existing != null) {
      Handle other = Ipam.readHandle(existing);
      if (other.attempt().equals(part.handle().attempt())) {
        memory.forget(); // the blocks that it took from are not known here
        part.ticket().handle = Optional.of(other);
      } else {
        part.ticket().refuse(new IpamException.HandleExists(other));
      }
      return;
    }
    part.owner().puts().keySet().stream()
        .filter(failed::because)
        .findFirst()
        .ifPresent(key -> part.ticket().refuse(new IpamException.OwnerExists(key)));
  }

  /** Says that this host wants the block; returns the state to be confirmed. */
  private Version writePending(Cidr block, Deadline deadline) {
    String key = IpamKeys.affinity(node, block);
    TransactionResult result =
        datastore.commit(
            Transaction.builder()
                .ifAbsent(key)
                .put(key, new Affinity(node, block, Affinity.State.PENDING).toJson())
                .build(),
            deadline);
    return switch (result) {
      case TransactionResult.Committed committed -> committed.versionOf(key);
      // Left by an earlier attempt of ours: this one goes on with it.
      case TransactionResult.Failed failed -> failed.current().get(key).version();
    };
  }
}
