package io.wayleave.cni;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.InvalidInputException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.IntSupplier;

/**
 * How the CNI server runs.
 *
 * @param node name of this host
 * @param socket where launchers connect
 * @param spoolDir directory of spooled DELs and of attachment records; launchers must name the same
 * @param defaultMtu of containers whose network configuration names none, asked at each ADD
 * @param addTimeout within which an ADD succeeds or is refused
 * @param delTimeout within which a DEL has done or noted everything
 * @param settleInterval between two attempts to settle what is spooled
 * @param lateWriteTime how long after a write to the datastore was given up it may still be done
 */
public record CniOptions(
    String node,
    Path socket,
    Path spoolDir,
    IntSupplier defaultMtu,
    Duration addTimeout,
    Duration delTimeout,
    Duration settleInterval,
    Duration lateWriteTime) {
  /**
   * A request may wait its own time at a member (5 s) and another 7 s in the cluster while that
   * elects a leader.
   */
  private static final Duration USUAL_LATE_WRITE_TIME = Duration.ofSeconds(20);

  public CniOptions {
    requireNonNull(node, "node is null");
    requireNonNull(defaultMtu, "defaultMtu is null");
    positive("addTimeout", addTimeout);
    positive("delTimeout", delTimeout);
    positive("settleInterval", settleInterval);
    positive("lateWriteTime", lateWriteTime);
    if (!spoolDir.isAbsolute()) {
      throw new InvalidInputException("spoolDir", spoolDir.toString(), "an absolute path");
    }
  }

  /** With the usual time for late writes, 20 s. */
  public CniOptions(
      String node,
      Path socket,
      Path spoolDir,
      IntSupplier defaultMtu,
      Duration addTimeout,
      Duration delTimeout,
      Duration settleInterval) {
    this(
        node,
        socket,
        spoolDir,
        defaultMtu,
        addTimeout,
        delTimeout,
        settleInterval,
        USUAL_LATE_WRITE_TIME);
  }

  /** With the usual times: ADD 10 s, DEL 20 s, and spooled DELs every 2 s. */
  public static CniOptions of(String node, Path socket, Path spoolDir, IntSupplier defaultMtu) {
    return new CniOptions(
        node,
        socket,
        spoolDir,
        defaultMtu,
        Duration.ofSeconds(10),
        Duration.ofSeconds(20),
        Duration.ofSeconds(2));
  }

  /** The part of an ADD's time that is kept for giving its address back. */
  Duration addReserve() {
    return addTimeout.dividedBy(5);
  }

  private static void positive(String field, Duration value) {
    if (value.isZero() || value.isNegative()) {
      throw new InvalidInputException(field, value.toString(), "a time greater than zero");
    }
  }
}
