package io.wayleave.policy;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.function.BooleanSupplier;
import org.assertj.core.api.SoftAssertions;

/** Flows with the verdict that each must have, tried all at once, since silence takes its time. */
final class Flows {
  /** So many probes at once, each some processes. */
  private static final Semaphore PROBES = new Semaphore(16);

  private final PacketLab lab;
  private final Map<String, BooleanSupplier> probes = new LinkedHashMap<>();
  private final Map<String, Boolean> expected = new LinkedHashMap<>();

  Flows(PacketLab lab) {
    this.lab = lab;
  }

  /** By both families, from the container. */
  Flows tcp(int from, int to, int port, boolean passes) {
    String namespace = lab.container(from);
    add("tcp4", from, to, port, passes, () -> lab.tcp(namespace, PacketLab.v4(to), port));
    return add("tcp6", from, to, port, passes, () -> lab.tcp(namespace, PacketLab.v6(to), port));
  }

  /** By both families, from the container. */
  Flows udp(int from, int to, int port, boolean passes) {
    String namespace = lab.container(from);
    add("udp4", from, to, port, passes, () -> lab.udp(namespace, PacketLab.v4(to), port));
    return add("udp6", from, to, port, passes, () -> lab.udp(namespace, PacketLab.v6(to), port));
  }

  Flows tcp4(int from, int to, int port, boolean passes) {
    String namespace = lab.container(from);
    return add("tcp4", from, to, port, passes, () -> lab.tcp(namespace, PacketLab.v4(to), port));
  }

  Flows tcp6(int from, int to, int port, boolean passes) {
    String namespace = lab.container(from);
    return add("tcp6", from, to, port, passes, () -> lab.tcp(namespace, PacketLab.v6(to), port));
  }

  Flows ping4(int from, int to, boolean passes) {
    String namespace = lab.container(from);
    return add("ping4", from, to, 0, passes, () -> lab.ping(namespace, PacketLab.v4(to)));
  }

  Flows ping6(int from, int to, boolean passes) {
    String namespace = lab.container(from);
    return add("ping6", from, to, 0, passes, () -> lab.ping(namespace, PacketLab.v6(to)));
  }

  Flows add(String name, boolean passes, BooleanSupplier probe) {
    probes.put(name, probe);
    expected.put(name, passes);
    return this;
  }

  private Flows add(
      String protocol, int from, int to, int port, boolean passes, BooleanSupplier probe) {
    return add(protocol + " from " + from + " to " + to + " port " + port, passes, probe);
  }

  /** Each flow has its verdict. */
  void areAsExpected() {
    check(expected);
  }

  /** Each flow passes: it is policy that stops some, and nothing else. */
  void allPass() {
    Map<String, Boolean> open = new LinkedHashMap<>(expected);
    open.replaceAll((_, _) -> true);
    check(open);
  }

  private void check(Map<String, Boolean> verdicts) {
    Map<String, CompletableFuture<Boolean>> answers = new LinkedHashMap<>();
    probes.forEach(
        (name, probe) ->
            answers.put(
                name,
                CompletableFuture.supplyAsync(
                    () -> passes(probe, verdicts.get(name)),
                    task -> Thread.ofVirtual().start(task))));
    SoftAssertions wrong = new SoftAssertions();
    answers.forEach(
        (name, answer) -> wrong.assertThat(answer.join()).as(name).isEqualTo(verdicts.get(name)));
    wrong.assertAll();
  }

  private boolean passes(BooleanSupplier probe, boolean hoped) {
    PROBES.acquireUninterruptibly();
    try {
      return hoped ? lab.answersSoon(probe) : probe.getAsBoolean();
    } finally {
      PROBES.release();
    }
  }
}
