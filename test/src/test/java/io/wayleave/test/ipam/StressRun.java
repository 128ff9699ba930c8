package io.wayleave.test.ipam;

import io.wayleave.test.lab.Await;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * Hosts, each a process, on a real cluster of three members that loses its leader, is partitioned
 * and hangs, one fault after the other. NOT thread safe.
 */
final class StressRun implements AutoCloseable {
  private static final Duration START = Duration.ofMinutes(3);

  /** For the hosts to get on while a fault lasts, and for the cluster to be whole after it. */
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  private static final int END_SECONDS = 180;

  /** What goes wrong. */
  enum Fault {
    /** The leader is killed, and started again when the others have gone on without it. */
    LEADER_KILLED,
    /** The leader and the others do not hear each other; clients reach all of them. */
    LEADER_ISOLATED,
    /** Nobody reaches the leader. */
    LEADER_CUT_OFF,
    /** The leader stops in the middle of what it does, and goes on with it later. */
    LEADER_HANGS,
    /** Nobody reaches one of the followers. */
    FOLLOWER_CUT_OFF,
    /** A host is killed, and started again when the others have gone on. */
    HOST_KILLED
  }

  private final int hosts;
  private final StressHost.Defect defect;
  private final Path folder;
  private final Cluster cluster;
  private final SplittableRandom random;
  private final long began = System.currentTimeMillis();
  private final List<StressProcess> running = new ArrayList<>();
  private final Map<Fault, Integer> faults = new EnumMap<>(Fault.class);
  private final long[] read;
  private int acknowledged;
  private Optional<StressProcess> referee = Optional.empty();

  private StressRun(int hosts, StressHost.Defect defect, Path folder, Cluster cluster, long seed) {
    this.hosts = hosts;
    this.defect = defect;
    this.folder = folder;
    this.cluster = cluster;
    this.random = new SplittableRandom(seed);
    this.read = new long[hosts];
  }

  /** What came of it. */
  record Outcome(int status, List<String> violations, String report) {}

  /**
   * Starts a cluster and the hosts, and returns when all of these have begun.
   *
   * @param folder empty; for logs and data
   */
  static StressRun start(
      ClusterKind kind, int hosts, StressHost.Defect defect, Path folder, long seed)
      throws IOException {
    StressRun run =
        new StressRun(
            hosts,
            defect,
            folder,
            Cluster.start(kind, Files.createDirectories(folder.resolve("cluster"))),
            seed);
    try {
      run.startProcesses();
      return run;
    } catch (IOException | RuntimeException e) {
      run.close();
      throw e;
    }
  }

  private void startProcesses() throws IOException {
    StressProcess judge =
        StressProcess.start(
            cluster.network(),
            folder,
            "referee",
            StressReferee.class,
            List.of(cluster.url(), Integer.toString(hosts), folder.toString()));
    referee = Optional.of(judge);
    Await.until(
        "the pools are there",
        START,
        () -> judge.output().contains(StressReferee.READY) || !judge.isAlive(),
        judge::log);
    for (int i = 0; i < hosts; i++) {
      running.add(startHost(i));
    }
    for (int i = 0; i < hosts; i++) {
      int host = i;
      Await.until(
          "host " + host + " begins",
          START,
          () -> hasBegun(host) || !running.get(host).isAlive(),
          () -> running.get(host).log());
    }
    cluster.awaitWhole();
  }

  private StressProcess startHost(int number) throws IOException {
    return StressProcess.start(
        cluster.network(),
        folder,
        "host-" + number,
        StressHost.class,
        List.of(
            cluster.url(),
            Integer.toString(hosts),
            Integer.toString(number),
            log(number).toString(),
            Long.toString(random.nextLong()),
            Long.toString(began),
            defect.name()));
  }

  private Path log(int number) {
    return folder.resolve("host-" + number + ".log");
  }

  private boolean hasBegun(int host) {
    return log(host).toFile().length() > 0;
  }

  /** Allocations that the host has been told of since the last look. */
  private int count(int host) {
    try {
      if (!Files.exists(log(host))) {
        return 0;
      }
      try (RandomAccessFile file = new RandomAccessFile(log(host).toFile(), "r")) {
        file.seek(read[host]);
        byte[] news = new byte[(int) (file.length() - read[host])];
        file.readFully(news);
        String text = new String(news, StandardCharsets.US_ASCII);
        int end = text.lastIndexOf('\n') + 1;
        read[host] += end;
        int count =
            (int)
                text.substring(0, end)
                    .lines()
                    .filter(line -> line.contains(" " + StressLog.Kind.ALLOCATED + " "))
                    .count();
        acknowledged += count;
        return count;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Allocations that all hosts have been told of so far. */
  private int acknowledged() {
    for (int i = 0; i < hosts; i++) {
      count(i);
    }
    return acknowledged;
  }

  /** Waits until so many more allocations have been acknowledged. */
  void awaitProgress(int allocations) {
    int wanted = acknowledged() + allocations;
    Await.until(
        allocations + " more allocations",
        PATIENCE,
        () -> acknowledged() >= wanted,
        () -> "only " + (acknowledged - wanted + allocations) + "\n" + logs());
  }

  private String logs() {
    return String.join("\n", running.stream().map(StressProcess::log).toList());
  }

  /** The fault, until the hosts have got on in spite of it, and its end. */
  void suffer(Fault fault, int allocations) throws IOException {
    faults.merge(fault, 1, Integer::sum);
    int leader = cluster.leader();
    switch (fault) {
      case LEADER_KILLED -> {
        cluster.kill(leader);
        awaitProgress(allocations);
        cluster.restart(leader);
      }
      case LEADER_ISOLATED -> {
        cluster.network().isolate(leader);
        awaitProgress(allocations);
        cluster.network().mend(leader);
      }
      case LEADER_CUT_OFF -> {
        cluster.network().cut(leader);
        awaitProgress(allocations);
        cluster.network().mend(leader);
      }
      case LEADER_HANGS -> {
        cluster.freeze(leader, true);
        awaitProgress(allocations);
        cluster.freeze(leader, false);
      }
      case FOLLOWER_CUT_OFF -> {
        int follower = (leader + 1 + random.nextInt(Cluster.MEMBERS - 1)) % Cluster.MEMBERS;
        cluster.network().cut(follower);
        awaitProgress(allocations);
        cluster.network().mend(follower);
      }
      case HOST_KILLED -> {
        int host = random.nextInt(hosts);
        running.get(host).close();
        awaitProgress(allocations);
        running.set(host, startHost(host));
      }
    }
    cluster.awaitWhole();
  }

  /** Ends the hosts and has everything checked. */
  Outcome end() throws IOException, InterruptedException {
    List<String> violations = new ArrayList<>();
    for (StressProcess host : running) {
      host.stop();
    }
    for (int i = 0; i < hosts; i++) {
      if (running.get(i).await(END_SECONDS) != 0) {
        violations.add("host-" + i + " failed: " + running.get(i).log());
      }
    }
    StressProcess judge = referee.orElseThrow();
    judge.stop();
    int status = judge.await(END_SECONDS);
    String output = judge.output();
    if (status != 0 && !output.contains(StressReferee.VIOLATION)) {
      violations.add("the referee failed: " + judge.log());
    }
    output
        .lines()
        .filter(line -> line.startsWith(StressReferee.VIOLATION))
        .map(line -> line.substring(StressReferee.VIOLATION.length()))
        .forEach(violations::add);
    return new Outcome(
        status,
        violations,
        "%d hosts, %.1f s, faults %s%n%s"
            .formatted(hosts, (System.currentTimeMillis() - began) / 1000.0, faults, output));
  }

  @Override
  public void close() throws IOException {
    running.forEach(StressProcess::close);
    referee.ifPresent(StressProcess::close);
    cluster.close();
  }
}
