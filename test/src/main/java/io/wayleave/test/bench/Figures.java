package io.wayleave.test.bench;

import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * What one load cost a speaker.
 *
 * @param announce until every receiver had everything, in seconds; infinite when the limit came
 *     first
 * @param withdraw until every receiver had seen every withdrawal, in seconds; or infinite; not a
 *     number when it did not come to that
 * @param cpu CPU seconds of the speaker for both, until all was quiet again
 * @param peak the most memory that it has had resident since its start, in MiB
 * @param toolCpu CPU seconds of the load tool meanwhile
 * @param otherCpu CPU seconds of everything else on the machine meanwhile: noise
 */
record Figures(
    double announce, double withdraw, double cpu, double peak, double toolCpu, double otherCpu) {
  /** Whether both ends were reached within the limit. */
  boolean finished() {
    return Double.isFinite(announce) && Double.isFinite(withdraw);
  }

  /** The median of each figure by itself. */
  static Figures median(List<Figures> rounds) {
    return new Figures(
        median(rounds, Figures::announce),
        median(rounds, Figures::withdraw),
        median(rounds, Figures::cpu),
        median(rounds, Figures::peak),
        median(rounds, Figures::toolCpu),
        median(rounds, Figures::otherCpu));
  }

  private static double median(List<Figures> rounds, ToDoubleFunction<Figures> figure) {
    return rounds.stream().mapToDouble(figure).sorted().toArray()[rounds.size() / 2];
  }
}
