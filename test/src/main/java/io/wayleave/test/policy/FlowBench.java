package io.wayleave.test.policy;

import io.wayleave.policy.dataplane.IptablesBackend;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What other endpoints of a host, each with a policy of its own, cost a flow between two
 * containers. Both hosts exist all the time and are measured in turns, so what else the machine
 * does hits both alike; the median of the rounds' differences counts.
 */
final class FlowBench {
  private static final double GOAL_PERCENT = 5;

  private static final int CONNECTIONS = 200;
  private static final int ROUND_TRIPS = 2_000;

  private final IptablesBackend backend;
  private final int endpoints;
  private final int rounds;
  private final int mebibytes;

  /**
   * Compares.
   *
   * @param endpoints of the larger host
   * @param mebibytes sent for one figure of throughput
   */
  FlowBench(IptablesBackend backend, int endpoints, int rounds, int mebibytes) {
    this.backend = backend;
    this.endpoints = endpoints;
    this.rounds = rounds;
    this.mebibytes = mebibytes;
  }

  /** What was measured on one host; times of all rounds, and a figure for each round. */
  private static final class Side {
    private final List<Long> connects = new ArrayList<>();
    private final List<Long> trips = new ArrayList<>();
    private final List<Double> connect = new ArrayList<>();
    private final List<Double> trip = new ArrayList<>();
    private final List<Double> rate = new ArrayList<>();

    private void measure(FlowPair pair, int mebibytes) throws IOException {
      List<Long> connected = pair.connect(CONNECTIONS);
      List<Long> went = pair.roundTrip(ROUND_TRIPS);
      connects.addAll(connected);
      trips.addAll(went);
      connect.add(Times.ofNanos(connected).median());
      trip.add(Times.ofNanos(went).median());
      rate.add(pair.throughput(mebibytes));
    }
  }

  void run(FigureTable table) throws IOException, InterruptedException {
    Side few = new Side();
    Side many = new Side();
    try (FlowPair small = new FlowPair(backend, 2);
        FlowPair large = new FlowPair(backend, endpoints)) {
      new Side().measure(small, mebibytes);
      new Side().measure(large, mebibytes);
      for (int i = 0; i < rounds; i++) {
        if (i % 2 == 0) {
          few.measure(small, mebibytes);
          many.measure(large, mebibytes);
        } else {
          many.measure(large, mebibytes);
          few.measure(small, mebibytes);
        }
      }
    }
    latency(table, "TCP connect", few.connect, many.connect, few.connects, many.connects);
    latency(table, "TCP round trip", few.trip, many.trip, few.trips, many.trips);
    double change = change(few.rate, many.rate);
    table.row(
        what("TCP throughput"),
        "%.2f beside %.2f Gbit/s: %+.1f %%"
            .formatted(Times.median(many.rate), Times.median(few.rate), change),
        "",
        Optional.of("within %.0f %%".formatted(GOAL_PERCENT)),
        change >= -GOAL_PERCENT);
  }

  private void latency(
      FigureTable table,
      String name,
      List<Double> few,
      List<Double> many,
      List<Long> allOfFew,
      List<Long> allOfMany) {
    double change = change(few, many);
    table.row(
        what(name),
        "%.1f beside %.1f µs: %+.1f %%"
            .formatted(Times.median(many) * 1000, Times.median(few) * 1000, change),
        "%.1f beside %.1f µs"
            .formatted(Times.ofNanos(allOfMany).p99() * 1000, Times.ofNanos(allOfFew).p99() * 1000),
        Optional.of("within %.0f %%".formatted(GOAL_PERCENT)),
        change <= GOAL_PERCENT);
  }

  private String what(String name) {
    return "nft: %s, %,d endpoints on the host against two".formatted(name, endpoints);
  }

  /** The median of the rounds' differences, in percent of the host with few. */
  private static double change(List<Double> few, List<Double> many) {
    List<Double> changes = new ArrayList<>();
    for (int i = 0; i < few.size(); i++) {
      changes.add((many.get(i) / few.get(i) - 1) * 100);
    }
    return Times.median(changes);
  }
}
