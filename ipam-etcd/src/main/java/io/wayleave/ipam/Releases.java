package io.wayleave.ipam;

import io.wayleave.datastore.Datastore;
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
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * Releases of one host. The handles of those that wait at the same moment are read together and
 * deleted in one transaction, as many as fit; each of them succeeds or fails by itself. The queue
 * is for any thread; the rest belongs to who has the host's turn.
 */
final class Releases {
  /** Handles at once: with an owner record each, about what fits one transaction. */
  static final int MOST = 60;

  private final Datastore datastore;
  private final HostMemory memory;
  private final LongSupplier now;
  private final TurnQueue<Asked> queue = new TurnQueue<>();

  /**
   * @param now in seconds since 1970
   */
  Releases(Datastore datastore, HostMemory memory, LongSupplier now) {
    this.datastore = datastore;
    this.memory = memory;
    this.now = now;
  }

  /** A handle that is to be released. */
  static final class Asked extends Ticket<Ipam.Released> {
    private final String id;
    private final String key;
    private final Predicate<Handle> meant;
    private final List<String> absent;

    /**
     * @param meant whether the handle that is there is the one
     * @param absent keys that must not exist; when one does, it is as if the handle were another
     */
    Asked(String id, Predicate<Handle> meant, List<String> absent) {
      this.id = id;
      this.key = IpamKeys.handle(id);
      this.meant = meant;
      this.absent = List.copyOf(absent);
    }

    @Override
    String what() {
      return "release of " + id;
    }

    /** It is not there as it was meant; when an earlier commit may have deleted it, that did. */
    private void isGone(Ipam.Released otherwise) {
      succeed(mayCommitLate() ? Ipam.Released.RELEASED : otherwise);
    }
  }

  /** A ticket and the handle that it is about, as read. */
  private record Part(Asked ticket, Entry entry, Handle handle) {}

  TurnQueue<Asked> queue() {
    return queue;
  }

  /** Serves this release and others that wait. */
  void lead(Asked leader, Deadline deadline) {
    boolean well =
        queue.lead(
            leader,
            (together, next) -> together.size() < MOST && next.absent.equals(leader.absent),
            together -> run(together, deadline));
    if (!well) {
      memory.forget();
    }
  }

  private void run(List<Asked> tickets, Deadline deadline) {
    Map<String, Entry> handles = read(tickets, deadline);
    int refusals = 0;
    while (refusals < Allocations.MAX_ATTEMPTS) {
      List<Part> round = plan(TurnQueue.open(tickets), handles);
      if (round.isEmpty()) {
        return;
      }
      try {
        if (!write(round, handles, deadline)) {
          refusals++;
        }
      } catch (OutcomeUnknownException e) {
        round.forEach(part -> part.ticket().outcomeIsUnknown());
        memory.forget();
        memory.view().clear();
        if (deadline.hasPassed()) {
          throw e;
        }
        refusals++;
        handles = read(TurnQueue.open(tickets), deadline);
      }
    }
    for (Asked ticket : TurnQueue.open(tickets)) {
      ticket.refuse(new IpamException.Contended(ticket.what(), Allocations.MAX_ATTEMPTS));
    }
  }

  private Map<String, Entry> read(List<Asked> tickets, Deadline deadline) {
    Set<String> keys = new LinkedHashSet<>();
    tickets.forEach(ticket -> keys.add(ticket.key));
    return new HashMap<>(datastore.getAll(keys, deadline));
  }

  /** Answers those for which nothing is to be done, and returns as many of the others as fit. */
  private static List<Part> plan(List<Asked> open, Map<String, Entry> handles) {
    Release release = new Release();
    List<Part> round = new ArrayList<>();
    for (Asked ticket : open) {
      Entry entry = handles.get(ticket.key);
      if (entry == null) {
        ticket.isGone(Ipam.Released.NOT_FOUND);
        continue;
      }
      try {
        Handle handle = Ipam.readHandle(entry);
        if (!ticket.meant.test(handle)) {
          ticket.isGone(Ipam.Released.OTHER_GENERATION);
        } else if (release.add(entry, handle)) {
          round.add(new Part(ticket, entry, handle));
        }
      } catch (InvalidInputException e) {
        ticket.refuse(e);
      }
    }
    return round;
  }

  /**
   * Writes what can be written of the round, and takes over in {@code handles} what is told.
   *
   * @return false when it was refused, because something is not as it was seen
   */
  private boolean write(List<Part> round, Map<String, Entry> handles, Deadline deadline) {
    Map<Cidr, BlockView.Held> blocks = new HashMap<>();
    Map<String, Version> owners = new HashMap<>();
    List<Part> parts = withRecords(round, blocks, owners, deadline);
    if (parts.isEmpty()) {
      return true;
    }
    Release release = new Release();
    parts.forEach(part -> release.add(part.entry(), part.handle()));
    List<String> absent = parts.getFirst().ticket().absent;
    Transaction.Builder transaction = release.transaction(blocks, owners, now.getAsLong());
    absent.forEach(transaction::ifAbsent);
    switch (datastore.commit(transaction.build(), deadline)) {
      case TransactionResult.Committed committed -> {
        release.applyTo(memory, committed);
        for (Part part : parts) {
          part.ticket().succeed(Ipam.Released.RELEASED);
          handles.remove(part.entry().key());
        }
        return true;
      }
      case TransactionResult.Failed failed -> {
        if (absent.stream().anyMatch(failed::because)) {
          parts.forEach(part -> part.ticket().succeed(Ipam.Released.OTHER_GENERATION));
          return true;
        }
        for (Part part : parts) {
          handles.remove(part.entry().key());
        }
        failed
            .current()
            .forEach(
                (key, entry) -> {
                  if (key.startsWith(Keys.HANDLES)) {
                    handles.put(key, entry);
                  }
                });
        memory.learn(failed, release.blocks());
        return false;
      }
    }
  }

  /**
   * Collects the owner records of the handles, and their blocks; those that are not in memory are
   * read along with the owner records.
   *
   * @return the parts whose blocks can all be read; the others are refused
   */
  private List<Part> withRecords(
      List<Part> round,
      Map<Cidr, BlockView.Held> blocks,
      Map<String, Version> owners,
      Deadline deadline) {
    Set<Cidr> wanted = new LinkedHashSet<>();
    round.forEach(part -> wanted.addAll(Release.blocksOf(part.handle())));
    List<String> missing = new ArrayList<>();
    round.forEach(part -> missing.addAll(part.handle().owners()));
    for (Cidr cidr : wanted) {
      memory
          .view()
          .get(cidr)
          .ifPresentOrElse(held -> blocks.put(cidr, held), () -> missing.add(IpamKeys.block(cidr)));
    }
    Map<Cidr, InvalidInputException> unreadable = new HashMap<>();
    datastore
        .getAll(missing, deadline)
        .values()
        .forEach(
            entry -> {
              if (!entry.key().startsWith(Keys.BLOCKS)) {
                owners.put(entry.key(), entry.version());
                return;
              }
              Cidr cidr = IpamKeys.cidr(entry.key());
              try {
                blocks.put(cidr, new BlockView.Held(BlockView.read(entry), entry.version()));
              } catch (InvalidInputException e) {
                unreadable.put(cidr, e);
              }
            });
    List<Part> parts = new ArrayList<>();
    for (Part part : round) {
      Release.blocksOf(part.handle()).stream()
          .filter(unreadable::containsKey)
          .findFirst()
          .ifPresentOrElse(
              cidr -> part.ticket().refuse(unreadable.get(cidr)), () -> parts.add(part));
    }
    return parts;
  }
}
