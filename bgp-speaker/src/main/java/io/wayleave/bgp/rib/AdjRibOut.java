package io.wayleave.bgp.rib;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.wire.BgpMessage.Update;
import io.wayleave.bgp.wire.PrefixList;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What one session is told of one family: what it has been sent, and what it is still to be sent.
 *
 * <p>Pending state is kept by prefix, so that a newer state overwrites an older one that was never
 * sent, and in buckets by route, so that prefixes with the same attributes share messages. A bucket
 * is in the order in which its first prefix came; withdrawals go first, because they are short and
 * stop traffic into nowhere. A bucket entry that was overwritten since is skipped when it is
 * reached.
 *
 * <p>NOT thread safe. It sends nothing: {@link #next} takes out the next message.
 */
public final class AdjRibOut {
  /** Prefixes taken out at once; bounds the work between two looks at the socket. */
  private static final int MAX_PREFIXES = 2000;

  private final Family family;
  private final PrefixMap<Route> sent;
  // Empty stands for a withdrawal.
  private final PrefixMap<Optional<Route>> pending;
  private final Map<Optional<Route>, ArrayDeque<Cidr>> buckets = new LinkedHashMap<>();
  private final ArrayDeque<Cidr> withdrawals = new ArrayDeque<>();

  public AdjRibOut(Family family) {
    this.family = requireNonNull(family, "family is null");
    sent = new PrefixMap<>(family);
    pending = new PrefixMap<>(family);
  }

  /**
   * The peer shall know this route, or none when it is empty. Nothing happens if it does already.
   */
  public void set(Cidr prefix, Optional<Route> route) {
    Optional<Route> waiting = pending.get(prefix);
    Optional<Route> known = Optional.ofNullable(sent.get(prefix));
    if (route.equals(waiting == null ? known : waiting)) {
      return;
    }
    if (route.equals(known)) {
      pending.remove(prefix);
      return;
    }
    enqueue(prefix, route);
  }

  private void enqueue(Cidr prefix, Optional<Route> route) {
    pending.put(prefix, route);
    if (route.isPresent()) {
      buckets.computeIfAbsent(route, _ -> new ArrayDeque<>()).add(prefix);
    } else {
      withdrawals.add(prefix);
    }
  }

  /** Sends everything again, for ROUTE-REFRESH (RFC 2918 section 4). */
  public void resend() {
    sent.forEach(
        (prefix, route) -> {
          if (pending.get(prefix) == null) {
            enqueue(prefix, Optional.of(route));
          }
        });
  }

  /** Takes the next message out, which then counts as sent; empty when nothing is pending. */
  public Optional<Update> next() {
    PrefixList.Builder prefixes = PrefixList.builder(family);
    int count = 0;
    while (count < MAX_PREFIXES && !withdrawals.isEmpty()) {
      Cidr prefix = withdrawals.remove();
      Optional<Route> waiting = pending.get(prefix);
      if (waiting != null && waiting.isEmpty()) {
        pending.remove(prefix);
        sent.remove(prefix);
        prefixes.add(prefix);
        count++;
      }
    }
    if (count > 0) {
      return Optional.of(Update.withdraw(prefixes.build()));
    }
    while (!buckets.isEmpty()) {
      Map.Entry<Optional<Route>, ArrayDeque<Cidr>> bucket = buckets.entrySet().iterator().next();
      Optional<Route> key = bucket.getKey();
      Route route = key.orElseThrow();
      ArrayDeque<Cidr> queue = bucket.getValue();
      while (count < MAX_PREFIXES && !queue.isEmpty()) {
        Cidr prefix = queue.remove();
        if (key.equals(pending.get(prefix))) {
          pending.remove(prefix);
          sent.put(prefix, route);
          prefixes.add(prefix);
          count++;
        }
      }
      if (queue.isEmpty()) {
        buckets.remove(key);
      }
      if (count > 0) {
        return Optional.of(Update.announce(route.attributes(), route.nextHop(), prefixes.build()));
      }
    }
    return Optional.empty();
  }

  public boolean hasPending() {
    return !pending.isEmpty();
  }

  /** How many prefixes the peer has been told. */
  public int size() {
    return sent.size();
  }

  /** What the peer has been told. */
  public void forEachSent(PrefixMap.Visitor<Route> visitor) {
    sent.forEach(visitor);
  }
}
