package io.wayleave.test.bench;

import com.sun.management.OperatingSystemMXBean;
import io.wayleave.test.lab.LabException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Measures one speaker: starts it, opens every session, and gives it the same load twice. The first
 * finds a process that has just started, the second one that has done it all before.
 */
final class Measurement {
  private static final int LOADS = 2;
  private static final Duration SESSIONS = Duration.ofSeconds(60);
  private static final Duration WARM_UP = Duration.ofMillis(300);
  private static final double NANOS_PER_SECOND = 1e9;

  private final Load load;
  private final Load.Plan plan;
  private final BenchNetwork network;
  private final Duration limit;
  private final boolean checked;

  /**
   * @param limit for announcing and for withdrawing, each
   * @param checked whether receivers keep and compare what they get, which costs them time
   */
  Measurement(Load load, Load.Plan plan, BenchNetwork network, Duration limit, boolean checked) {
    this.load = load;
    this.plan = plan;
    this.network = network;
    this.limit = limit;
    this.checked = checked;
  }

  /** The figures of each load, in order; less than two when a load did not end within the limit. */
  List<Figures> of(SpeakerKind kind) throws IOException {
    return network.atPeers(
        () -> {
          try (SpeakerProcess speaker =
                  SpeakerProcess.start(
                      kind, plan, load.size().peers(), network.speakerNamespace());
              LoadTool tool = new LoadTool(load, plan, checked)) {
            return measure(kind, speaker, tool);
          }
        });
  }

  private List<Figures> measure(SpeakerKind kind, SpeakerProcess speaker, LoadTool tool)
      throws IOException {
    List<Figures> loads = new ArrayList<>();
    try {
      tool.warmUp(WARM_UP);
      tool.open(SESSIONS, speaker::isAlive);
      while (loads.size() < LOADS) {
        Figures figures = load(speaker, tool);
        loads.add(figures);
        if (!tool.mistakes().isEmpty()) {
          throw new LabException(
              "receivers got what they should not:\n  " + String.join("\n  ", tool.mistakes()));
        }
        if (!figures.finished()) {
          break;
        }
      }
      return loads;
    } catch (LabException e) {
      throw new LabException(
          kind.title() + ": " + e.getMessage() + "\nEnd of its log: " + speaker.log(), e);
    }
  }

  private Figures load(SpeakerProcess speaker, LoadTool tool) throws IOException {
    Usage before = Usage.now(speaker);
    double announce = tool.announce(limit);
    double withdraw = Double.NaN;
    if (Double.isFinite(announce)) {
      tool.awaitQuiet();
      withdraw = tool.withdraw(limit);
    }
    if (Double.isFinite(withdraw)) {
      tool.awaitQuiet();
    } else if (checked) {
      throw new LabException("receivers do not have what they should: " + tool);
    }
    Usage used = Usage.now(speaker).minus(before);
    return new Figures(
        announce,
        withdraw,
        used.speaker,
        speaker.peakMebibytes(),
        used.tool,
        Math.max(0, used.machine - used.speaker - used.tool));
  }

  /** CPU seconds. */
  private record Usage(double speaker, double tool, double machine) {
    private static Usage now(SpeakerProcess speaker) {
      return new Usage(
          speaker.cpuSeconds(),
          ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime()
              / NANOS_PER_SECOND,
          Machine.cpuSeconds());
    }

    private Usage minus(Usage earlier) {
      return new Usage(speaker - earlier.speaker, tool - earlier.tool, machine - earlier.machine);
    }
  }
}
