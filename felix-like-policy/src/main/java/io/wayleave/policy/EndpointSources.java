package io.wayleave.policy;

import io.wayleave.model.Kind;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.calc.PolicyCalculator;
import java.util.HashMap;
import java.util.Map;

/**
 * Endpoints are told twice: by the CNI ADD on this host at once, and by the datastore a little
 * later. This decides whose word counts: the datastore's, unless it has not yet said anything of
 * the attachment (the generation) that ADD told. Endpoints of other nodes, which no ADD here can
 * tell, are passed on and not kept.
 *
 * <p>NOT thread safe.
 */
final class EndpointSources {
  private final String node;
  private final PolicyCalculator calculator;
  private final Map<String, WorkloadEndpoint> stored = new HashMap<>();
  private final Map<String, WorkloadEndpoint> added = new HashMap<>();

  EndpointSources(String node, PolicyCalculator calculator) {
    this.node = node;
    this.calculator = calculator;
  }

  void stored(WorkloadEndpoint endpoint) {
    String id = endpoint.id();
    WorkloadEndpoint local = added.get(id);
    if (local == null && !endpoint.spec().node().equals(node)) {
      stored.remove(id);
      calculator.put(endpoint);
      return;
    }
    stored.put(id, endpoint);
    if (local != null && sameAttachment(local, endpoint)) {
      // From here on the datastore leads: it may change labels, and it tells the end.
      added.remove(id);
    }
    tell(id);
  }

  void storedGone(String id) {
    stored.remove(id);
    tell(id);
  }

  void added(WorkloadEndpoint endpoint) {
    WorkloadEndpoint known = stored.get(endpoint.id());
    if (known == null || !sameAttachment(known, endpoint)) {
      added.put(endpoint.id(), endpoint);
    }
    tell(endpoint.id());
  }

  /** ADD was undone, or DEL has come: only what the datastore says counts. */
  void forget(String id) {
    added.remove(id);
    tell(id);
  }

  private void tell(String id) {
    WorkloadEndpoint local = added.get(id);
    WorkloadEndpoint known = local != null ? local : stored.get(id);
    if (known == null) {
      calculator.remove(Kind.WORKLOAD_ENDPOINT, id);
    } else {
      calculator.put(known);
    }
  }

  private static boolean sameAttachment(WorkloadEndpoint a, WorkloadEndpoint b) {
    return a.spec().generation().equals(b.spec().generation());
  }
}
