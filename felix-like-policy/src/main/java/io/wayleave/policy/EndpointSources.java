package io.wayleave.policy;

import io.wayleave.model.Kind;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.calc.PolicyCalculator;
import java.util.HashMap;
import java.util.Map;

/**
 * Endpoints are told twice: by the CNI ADD on this host at once, and by the datastore a little
 * later. This decides whose word counts: the datastore's, unless it has not yet said anything of
 * the attachment (the generation) that ADD told.
 *
 * <p>NOT thread safe.
 */
final class EndpointSources {
  private final PolicyCalculator calculator;
  private final Map<String, WorkloadEndpoint> stored = new HashMap<>();
  private final Map<String, WorkloadEndpoint> added = new HashMap<>();

  EndpointSources(PolicyCalculator calculator) {
    this.calculator = calculator;
  }

  void stored(String name, WorkloadEndpoint endpoint) {
    stored.put(name, endpoint);
    WorkloadEndpoint local = added.get(name);
    if (local != null && sameAttachment(local, endpoint)) {
      // From here on the datastore leads: it may change labels, and it tells the end.
      added.remove(name);
    }
    tell(name);
  }

  void storedGone(String name) {
    stored.remove(name);
    tell(name);
  }

  void added(WorkloadEndpoint endpoint) {
    WorkloadEndpoint known = stored.get(endpoint.name());
    if (known == null || !sameAttachment(known, endpoint)) {
      added.put(endpoint.name(), endpoint);
    }
    tell(endpoint.name());
  }

  /** ADD was undone, or DEL has come: only what the datastore says counts. */
  void forget(String name) {
    added.remove(name);
    tell(name);
  }

  private void tell(String name) {
    WorkloadEndpoint local = added.get(name);
    WorkloadEndpoint known = local != null ? local : stored.get(name);
    if (known == null) {
      calculator.remove(Kind.WORKLOAD_ENDPOINT, name);
    } else {
      calculator.put(known);
    }
  }

  private static boolean sameAttachment(WorkloadEndpoint a, WorkloadEndpoint b) {
    return a.spec().generation().equals(b.spec().generation());
  }
}
