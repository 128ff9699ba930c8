package io.wayleave.agent;

import io.wayleave.bgp.admin.Endpoint;
import io.wayleave.model.status.AgentStatus.GarbageStatus;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** The collection of addresses in the text format of Prometheus, version 0.0.4. */
final class GarbageMetrics {
  private GarbageMetrics() {}

  /** The answer of another endpoint with metrics, and these after it. */
  static Endpoint after(Endpoint first, Supplier<Optional<GarbageStatus>> garbage) {
    return Endpoint.get(
        () -> {
          Endpoint.Text text = (Endpoint.Text) first.answer().apply(Map.of());
          return new Endpoint.Text(
              text.contentType(), text.text() + garbage.get().map(GarbageMetrics::of).orElse(""));
        });
  }

  static String of(GarbageStatus status) {
    StringBuilder text = new StringBuilder();
    add(text, "runs_total", "counter", "Looks for addresses whose owner is gone.", status.runs());
    add(text, "failures_total", "counter", "Looks that failed.", status.failures());
    add(
        text,
        "released_handles_total",
        "counter",
        "Handles released because their owner is gone.",
        status.released());
    add(
        text,
        "returned_blocks_total",
        "counter",
        "Blocks taken from nodes that are gone.",
        status.blocks());
    add(
        text,
        "suspected_handles",
        "gauge",
        "Handles whose owner was not found at the last look, and that are kept for now.",
        status.suspected());
    add(
        text,
        "last_run_timestamp_seconds",
        "gauge",
        "When the last look ended, in Unix time; 0 for never.",
        status.last().map(last -> Instant.parse(last).getEpochSecond()).orElse(0L));
    return text.toString();
  }

  private static void add(StringBuilder text, String what, String type, String help, long value) {
    String name = "wayleave_ipam_gc_" + what;
    text.append("# HELP ").append(name).append(' ').append(help).append('\n');
    text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    text.append(name).append(' ').append(value).append('\n');
  }
}
