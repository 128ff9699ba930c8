package io.wayleave.ipam;

import static io.wayleave.ipam.Fixture.deadline;

import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.OutcomeUnknownException;
import io.wayleave.model.IpAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;

/**
 * Several callers of one host in a model whose requests wait at the same moment, so that they are
 * written together. Some give up, before their turn or while another serves them, and some ask for
 * what cannot be written. NOT thread safe.
 */
final class ModelBatch {
  private final ModelLedger ledger;
  private final ModelPoints points;
  private final RandomGenerator random;
  private final Ipam ipam;

  // Those whose callers wait, and what becomes of it when one gives up at a commit.
  private final Map<Ticket<?>, Runnable> waiting = new HashMap<>();
  private final List<Ticket<?>> order = new ArrayList<>();

  ModelBatch(ModelLedger ledger, ModelPoints points, RandomGenerator random, Ipam ipam) {
    this.ledger = ledger;
    this.points = points;
    this.random = random;
    this.ipam = ipam;
  }

  /** Of a caller whose owner record cannot be made. */
  private static final class BadOwner extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  /** Something is written for one of them: the caller of another may give up. */
  void atCommit() {
    if (random.nextInt(6) != 0) {
      return;
    }
    List<Ticket<?>> open =
        order.stream().filter(each -> waiting.containsKey(each) && !each.isDone()).toList();
    if (!open.isEmpty()) {
      waiting.remove(open.get(random.nextInt(open.size()))).run();
    }
  }

  /** The caller of this one waits no longer for others to serve it; false: it has given up. */
  private boolean takesItsTurn(Ticket<?> ticket) {
    return waiting.remove(ticket) != null;
  }

  private void add(Ticket<?> ticket, Runnable givesUp) {
    order.add(ticket);
    waiting.put(ticket, givesUp);
  }

  /** All but the first, who takes its turn, may give up. */
  private void someGiveUp(ModelPoints.Caller how, Consumer<Ticket<?>> abandon) {
    for (Ticket<?> ticket : order.subList(1, order.size())) {
      if (random.nextInt(8) == 0) {
        waiting.remove(ticket);
        abandon.accept(ticket);
        points.hit(how);
      }
    }
  }

  String allocate(List<AllocationRequest> requests) {
    Map<Allocations.Asked, String> tickets = new HashMap<>();
    for (AllocationRequest request : requests) {
      String id = request.handle();
      ledger.unsettle(List.of(id));
      Allocations.Asked ticket =
          ipam.ask(
              random.nextInt(8) == 0
                  ? request.withOwner(
                      _ -> {
                        throw new BadOwner();
                      })
                  : request);
      tickets.put(ticket, id);
      add(
          ticket,
          () -> {
            points.hit(ModelPoints.Caller.ALLOCATION_GIVEN_UP_AT_COMMIT);
            abandon(ticket, id);
          });
    }
    someGiveUp(
        ModelPoints.Caller.ALLOCATION_GIVEN_UP_WAITING,
        ticket -> {
          Allocations.Asked asked = (Allocations.Asked) ticket;
          abandon(asked, tickets.get(asked));
        });
    List<String> outcomes = new ArrayList<>();
    for (Ticket<?> each : order) {
      Allocations.Asked ticket = (Allocations.Asked) each;
      outcomes.add(
          tickets.get(ticket)
              + " "
              + (takesItsTurn(ticket) ? await(ticket, tickets.get(ticket)) : "given up"));
    }
    return "allocate together " + outcomes;
  }

  private void abandon(Allocations.Asked ticket, String id) {
    if (ipam.abandon(ticket)) {
      ledger.refused(id);
    }
  }

  private String await(Allocations.Asked ticket, String id) {
    try {
      Handle handle = ipam.await(ticket, deadline());
      var _ = ledger.given(id, handle.addresses());
      return handle.addresses().toString();
    } catch (OutcomeUnknownException _) {
      return "unknown";
    } catch (BadOwner _) {
      points.hit(ModelPoints.Caller.ALLOCATION_WITH_BAD_OWNER);
      ledger.refused(id);
      return "bad owner";
    } catch (IpamException | DatastoreUnavailableException e) {
      ledger.refused(id);
      return e.getClass().getSimpleName();
    }
  }

  /**
   * Releases these, of which some may be the same.
   *
   * @param happened grows with each thing that others do
   * @param goesLate whether a transaction is under way that deletes this handle
   */
  String release(List<String> ids, LongSupplier happened, Predicate<String> goesLate) {
    Map<String, List<IpAddress>> held = new HashMap<>();
    for (String id : ids) {
      if (ledger.isHeld(id) && Collections.frequency(ids, id) == 1 && !goesLate.test(id)) {
        held.put(id, ledger.addresses(id));
      }
    }
    ledger.releasing(ids);
    int before = ledger.arrivals();
    long began = happened.getAsLong();
    // When nothing was released, and nobody else did anything, its owner has it still.
    Set<String> kept = new HashSet<>();
    Map<Releases.Asked, String> tickets = new HashMap<>();
    for (String id : ids) {
      Releases.Asked ticket = ipam.ask(new Releases.Asked(id, _ -> true, List.of()));
      tickets.put(ticket, id);
      add(
          ticket,
          () -> {
            points.hit(ModelPoints.Caller.RELEASE_GIVEN_UP_AT_COMMIT);
            if (ipam.abandon(ticket)) {
              kept.add(id);
            }
          });
    }
    someGiveUp(
        ModelPoints.Caller.RELEASE_GIVEN_UP_WAITING,
        ticket -> {
          Releases.Asked asked = (Releases.Asked) ticket;
          if (ipam.abandon(asked)) {
            kept.add(tickets.get(asked));
          }
        });
    List<String> outcomes = new ArrayList<>();
    for (Ticket<?> each : order) {
      Releases.Asked ticket = (Releases.Asked) each;
      String id = tickets.get(ticket);
      outcomes.add(
          id + " " + (takesItsTurn(ticket) ? await(ticket, id, before, kept) : "given up"));
    }
    if (happened.getAsLong() == began) {
      kept.stream()
          .filter(held::containsKey)
          .forEach(
              id -> {
                var _ = ledger.given(id, held.get(id));
              });
    }
    return "release together " + outcomes;
  }

  private String await(Releases.Asked ticket, String id, int before, Set<String> kept) {
    try {
      Ipam.Released released = ipam.await(ticket, deadline());
      // One that was not there yet may have come meanwhile.
      if (released != Ipam.Released.NOT_FOUND || !ledger.arrivedSince(before, id)) {
        ledger.gone(List.of(id));
      }
      return released.toString();
    } catch (OutcomeUnknownException _) {
      return "unknown";
    } catch (IpamException | DatastoreUnavailableException e) {
      kept.add(id);
      return e.getClass().getSimpleName();
    }
  }
}
