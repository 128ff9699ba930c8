package io.wayleave.bgp.session;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.ListenAddress;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the configured addresses bound. One that cannot be had is tried again, as an address may
 * come later than the speaker; until then peers on it are reached by dialling only. Owned by the
 * loop thread.
 */
final class Listeners {
  private static final Logger log = LoggerFactory.getLogger(Listeners.class);

  private final Transport transport;
  private final Duration retry;
  private final Transport.Acceptor acceptor;
  private final Set<ListenAddress> wanted = new LinkedHashSet<>();
  private final Map<ListenAddress, Transport.Listening> bound = new LinkedHashMap<>();
  private final Map<ListenAddress, String> errors = new LinkedHashMap<>();
  private final Timer retryTimer;
  private Map<Cidr, String> keys = Map.of();
  private Map<Family, Integer> ttlHops = Map.of();

  Listeners(Loop loop, Transport transport, Duration retry, Transport.Acceptor acceptor) {
    this.transport = requireNonNull(transport, "transport is null");
    this.retry = requireNonNull(retry, "retry is null");
    this.acceptor = requireNonNull(acceptor, "acceptor is null");
    retryTimer = new Timer(loop, this::bindMissing);
  }

  void apply(List<ListenAddress> addresses) {
    wanted.clear();
    wanted.addAll(addresses);
    for (ListenAddress address : List.copyOf(bound.keySet())) {
      if (!wanted.contains(address)) {
        bound.remove(address).close();
        log.info("bgp listener closed address={} port={}", address.address(), address.port());
      }
    }
    errors.keySet().retainAll(wanted);
    bindMissing();
  }

  /**
   * What protects the listening sockets themselves.
   *
   * @param wantedKeys what connections from these prefixes must be signed with (RFC 2385)
   * @param wantedHops how far away whoever connects by a family may be (RFC 5082); absent: anywhere
   */
  void secure(Map<Cidr, String> wantedKeys, Map<Family, Integer> wantedHops) {
    if (!keys.equals(wantedKeys) || !ttlHops.equals(wantedHops)) {
      keys = Map.copyOf(wantedKeys);
      ttlHops = Map.copyOf(wantedHops);
      bindMissing();
    }
  }

  private void bindMissing() {
    boolean missing = false;
    for (ListenAddress address : wanted) {
      try {
        if (!bound.containsKey(address)) {
          bound.put(address, transport.listen(address, acceptor));
          log.info("bgp listening address={} port={}", address.address(), address.port());
        }
        bound.get(address).setKeys(keys);
        for (Family family : Family.values()) {
          Integer hops = ttlHops.get(family);
          bound
              .get(address)
              .setTtlHops(family, hops == null ? OptionalInt.empty() : OptionalInt.of(hops));
        }
        errors.remove(address);
      } catch (Transport.ListenException e) {
        missing = true;
        if (!e.getMessage().equals(errors.put(address, e.getMessage()))) {
          log.error(
              "bgp listener failed reason=\"{}\" retry={}s", e.getMessage(), retry.toSeconds());
        }
      }
    }
    if (missing) {
      retryTimer.start(retry);
    } else {
      retryTimer.stop();
    }
  }

  void close() {
    wanted.clear();
    retryTimer.stop();
    bound.values().forEach(Transport.Listening::close);
    bound.clear();
  }

  List<ListenAddress> bound() {
    return List.copyOf(bound.keySet());
  }

  List<String> errors() {
    return new ArrayList<>(errors.values());
  }
}
