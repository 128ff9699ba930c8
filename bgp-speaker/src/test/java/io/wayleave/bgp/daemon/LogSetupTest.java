package io.wayleave.bgp.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import org.junit.jupiter.api.Test;

class LogSetupTest {
  private final LogRecord record =
      new LogRecord(Level.INFO, "session established peer=10.0.0.1 reason=\"it is time\" hold=9s");

  LogSetupTest() {
    record.setInstant(Instant.parse("2026-01-02T03:04:05Z"));
    record.setLoggerName("io.wayleave.bgp.session.Session");
  }

  @Test
  void textIsOneLineWithTimeLevelAndPart() {
    assertThat(new LogSetup.TextLines().format(record))
        .isEqualTo(
            "2026-01-02T03:04:05.000Z INFO  bgp: session established peer=10.0.0.1 reason=\"it is"
                + " time\" hold=9s\n");
  }

  @Test
  void jsonHasThePairsAsFields() {
    assertThat(new LogSetup.JsonLines().format(record))
        .isEqualTo(
            "{\"time\":\"2026-01-02T03:04:05.000Z\",\"level\":\"INFO\",\"part\":\"bgp\",\"message\":\"session"
                + " established peer=10.0.0.1 reason=\\\"it is time\\\""
                + " hold=9s\",\"fields\":{\"peer\":\"10.0.0.1\",\"reason\":\"it is"
                + " time\",\"hold\":\"9s\"}}\n");
  }

  @Test
  void anErrorKeepsItsTrace() {
    record.setThrown(new IllegalStateException("boom"));
    record.setLevel(Level.SEVERE);
    record.setLoggerName("io.netty.util.Something");
    assertThat(new LogSetup.TextLines().format(record))
        .contains(" ERROR io.netty.util.Something: ")
        .contains("java.lang.IllegalStateException: boom")
        .contains("at io.wayleave.bgp.daemon.LogSetupTest");
  }
}
