package io.wayleave.test.policy;

import io.wayleave.model.GlobalNetworkPolicy;
import io.wayleave.model.Kind;
import io.wayleave.model.WorkloadEndpoint;
import io.wayleave.policy.dataplane.IptablesBackend;
import io.wayleave.test.lab.LabException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * How long a change takes from the moment it is told until the kernel has it: calculation, ipsets
 * and tables. What the kernel has then is looked at outside of the clock.
 */
final class ProgrammingBench {
  private static final double ADD_GOAL_MILLIS = 20;
  private static final double MEMBER_GOAL_MILLIS = 5;
  private static final double SET_GOAL_MILLIS = 1000;

  /** So many at most are not counted, so that the code is compiled. */
  private static final int WARM_UP = 20;

  private static final int SET_ROUNDS = 5;

  private final IptablesBackend backend;
  private final int endpoints;
  private final int changes;
  private final int warmUp;
  private final FigureTable table;

  /**
   * For one back end.
   *
   * @param endpoints on the host
   * @param changes how many are measured
   */
  ProgrammingBench(IptablesBackend backend, int endpoints, int changes, FigureTable table) {
    this.backend = backend;
    this.endpoints = endpoints;
    this.changes = changes;
    this.warmUp = Math.min(WARM_UP, changes);
    this.table = table;
  }

  /** One endpoint and its policy, added on a host where each endpoint has a policy of its own. */
  void addition() throws IOException, InterruptedException {
    try (PolicyHost host = new PolicyHost(backend)) {
      populate(host, 0, endpoints - 1);
      WorkloadEndpoint added = Fleet.local(endpoints);
      GlobalNetworkPolicy policy = Fleet.ownPolicy(endpoints);
      List<Long> nanos = new ArrayList<>();
      for (int i = 0; i < warmUp + changes; i++) {
        long begin = System.nanoTime();
        host.tell(policy);
        host.program(added);
        long took = System.nanoTime() - begin;
        if (i == 0) {
          long chosen = host.rules().lines().filter(line -> dispatches(line, endpoints)).count();
          expect("rules that choose the added interface", chosen > 0 ? 1 : 0, 1);
        }
        if (i >= warmUp) {
          nanos.add(took);
        }
        host.tellGone(Kind.GLOBAL_NETWORK_POLICY, policy.id());
        host.forget(added);
      }
      table.time(
          "%s: endpoint added, the %,dth, with a policy of 10 rules, both families"
              .formatted(name(), endpoints),
          Times.ofNanos(nanos),
          goal(ADD_GOAL_MILLIS));
    }
  }

  /** A remote endpoint's label, by which it enters or leaves one set. */
  void member() throws IOException, InterruptedException {
    try (PolicyHost host = new PolicyHost(backend)) {
      populate(host, 0, endpoints);
      host.tell(Fleet.admits("admits", "name == 'e0'", "client"));
      host.tell(Fleet.remote(0, Map.of()));
      host.settle();
      List<Long> nanos = new ArrayList<>();
      for (int i = 0; i < warmUp + changes; i++) {
        boolean enters = i % 2 == 0;
        WorkloadEndpoint changed = Fleet.remote(0, enters ? Map.of("client", "") : Map.of());
        long begin = System.nanoTime();
        host.tell(changed);
        host.settle();
        long took = System.nanoTime() - begin;
        if (i < 2) {
          expect("members of sets", host.members(), enters ? 1 : 0);
        }
        if (i >= warmUp) {
          nanos.add(took);
        }
      }
      table.time(
          "%s: label of a remote endpoint, one member of one set, %,d endpoints here"
              .formatted(name(), endpoints),
          Times.ofNanos(nanos),
          goal(MEMBER_GOAL_MILLIS));
    }
  }

  /** A policy whose selector chooses remote endpoints that are known already. */
  void set(int members) throws IOException, InterruptedException {
    try (PolicyHost host = new PolicyHost(backend)) {
      host.tell(Fleet.local(0));
      for (int i = 0; i < members; i++) {
        host.tell(Fleet.remote(i, Map.of("client", "c" + i)));
      }
      host.settle();
      GlobalNetworkPolicy policy = Fleet.admits("admits", "name == 'e0'", "client");
      List<Long> nanos = new ArrayList<>();
      for (int i = 0; i < SET_ROUNDS; i++) {
        expect("members of sets before", host.members(), 0);
        long begin = System.nanoTime();
        host.tell(policy);
        host.settle();
        nanos.add(System.nanoTime() - begin);
        expect("members of sets", host.members(), members);
        host.tellGone(Kind.GLOBAL_NETWORK_POLICY, policy.id());
        host.settle();
      }
      table.time(
          "%s: set of %,d members, from nothing".formatted(name(), members),
          Times.ofNanos(nanos),
          goal(SET_GOAL_MILLIS));
    }
  }

  /** Tells endpoints, each with a policy of its own, and waits until they are in force. */
  static void populate(PolicyHost host, int from, int to) throws InterruptedException {
    for (int i = from; i < to; i++) {
      host.tell(Fleet.ownPolicy(i));
      host.tell(Fleet.local(i));
    }
    host.settle();
  }

  private static boolean dispatches(String rule, int number) {
    return rule.contains(" " + Fleet.interfaceName(number) + " ");
  }

  /** The goals are those of nft; legacy writes a whole table for each change. */
  private Optional<Double> goal(double millis) {
    return backend == IptablesBackend.NFT ? Optional.of(millis) : Optional.empty();
  }

  private String name() {
    return backend.name().toLowerCase(Locale.ROOT);
  }

  private static void expect(String what, long there, long wanted) {
    if (there != wanted) {
      throw new LabException(
          what + ": the kernel has " + there + ", not " + wanted + "; the figure would be void");
    }
  }
}
