package io.wayleave.test.lab;

import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A stream of a hundred echo requests a second whose answers are counted by sequence number, so
 * that one lost packet shows. Used by one thread; the sending process is its own.
 */
public final class Pinger implements AutoCloseable {
  /** Longer than any answer that is still under way when the stream is stopped. */
  private static final int SETTLE_REPLIES = 50;

  private static final Duration REPLIES_DEADLINE = Duration.ofSeconds(30);
  private static final Duration STOP_DEADLINE = Duration.ofSeconds(10);
  private static final Pattern REPLY = Pattern.compile("(?m)bytes from .* icmp_seq=(\\d+) .*$");
  private static final Pattern SUMMARY = Pattern.compile("(\\d+) packets transmitted");

  private final Process process;
  private final Path output;

  private Pinger(Process process, Path output) {
    this.process = process;
    this.output = output;
  }

  /**
   * What became of the requests.
   *
   * @param sent how many there were
   * @param lost sequence numbers that were never answered, though later ones were or enough time
   *     passed
   */
  public record Result(int sent, List<Integer> lost) {
    public Result {
      lost = List.copyOf(lost);
    }
  }

  /**
   * Starts sending and returns after the first answer.
   *
   * @param from the words that put a command into the sender's network
   */
  public static Pinger start(List<String> from, IpAddress to) {
    List<String> argv = new ArrayList<>(from);
    // A line at a time: a block of ping's output is half a second of answers.
    argv.addAll(List.of("stdbuf", "-oL", "ping", "-n", "-i", "0.01", to.toString()));
    try {
      Path output = Files.createTempFile("wayleave-ping", ".txt");
      Process process =
          new ProcessBuilder(argv)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      Pinger pinger = new Pinger(process, output);
      try {
        pinger.awaitReplies(1);
      } catch (RuntimeException e) {
        pinger.close();
        throw e;
      }
      return pinger;
    } catch (IOException e) {
      throw new UncheckedIOException("ping cannot be started: " + argv, e);
    }
  }

  /** How many requests were answered until now. */
  public int answered() {
    return replies(read()).cardinality();
  }

  /** Waits until that many more requests were answered. */
  public void awaitReplies(int more) {
    int wanted = answered() + more;
    Await.until(
        wanted + " echo replies",
        REPLIES_DEADLINE,
        () -> answered() >= wanted,
        () -> answered() + " replies");
  }

  /** Stops sending and counts. Only after answers came again does a gap have an end. */
  public Result stop() {
    try {
      // ping prints its summary upon SIGINT.
      Command.of("kill", "-INT", Long.toString(process.pid())).check();
      if (!process.waitFor(STOP_DEADLINE.toSeconds(), TimeUnit.SECONDS)) {
        throw new LabException("ping does not end upon SIGINT");
      }
      return parse(read());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LabException("interrupted while ping ends", e);
    } finally {
      close();
    }
  }

  /** Waits for half a second of answers and then stops: nothing hides in the stream's end. */
  public Result settle() {
    awaitReplies(SETTLE_REPLIES);
    return stop();
  }

  static Result parse(String text) {
    Matcher summary = SUMMARY.matcher(text);
    if (!summary.find()) {
      throw new LabException("ping printed no summary: " + text.strip());
    }
    int sent = Integer.parseInt(summary.group(1));
    BitSet answered = replies(text);
    // The answers to the newest requests may have been under way when it was stopped.
    int last = Math.max(answered.length() - 1, sent - SETTLE_REPLIES);
    List<Integer> lost = new ArrayList<>();
    for (int sequence = 1; sequence <= last; sequence++) {
      if (!answered.get(sequence)) {
        lost.add(sequence);
      }
    }
    return new Result(sent, lost);
  }

  private static BitSet replies(String text) {
    BitSet answered = new BitSet();
    Matcher reply = REPLY.matcher(text);
    while (reply.find()) {
      answered.set(Integer.parseInt(reply.group(1)));
    }
    return answered;
  }

  private String read() {
    try {
      return Files.readString(output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
    try {
      Files.deleteIfExists(output);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
