package io.wayleave.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.DatastoreRefusedException;
import io.wayleave.datastore.DatastoreUnavailableException;
import io.wayleave.datastore.OutcomeUnknownException;
import io.wayleave.model.InvalidInputException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ErrorLineTest {
  record Case(Throwable thrown, String text, int code) {
    @Override
    public String toString() {
      return thrown.getClass().getSimpleName();
    }
  }

  static List<Case> cases() {
    return List.of(
        new Case(new UsageException("wrong"), "wrong", 2),
        new Case(new CommandFailedException("failed"), "failed", 1),
        new Case(
            new InvalidInputException("spec.cidr", "x", "a network"),
            "spec.cidr: \"x\" is not allowed; allowed: a network",
            1),
        new Case(
            new DatastoreUnavailableException("refused", null),
            "the datastore etcd://a does not answer within 1500ms; check that it runs and can be"
                + " reached, and that --datastore or WAYLEAVE_DATASTORE is right (refused)",
            1),
        new Case(
            new OutcomeUnknownException("lost", null),
            "the datastore etcd://a was asked to write and did not answer within 1500ms; look with"
                + " netctl get whether it was done (lost)",
            1),
        new Case(
            new DatastoreRefusedException("no such user", null),
            "the datastore etcd://a refused: no such user",
            1),
        new Case(
            new IllegalStateException("two\nlines"),
            "this is a mistake in netctl itself: java.lang.IllegalStateException: two lines; run it"
                + " again with --debug and report what it prints",
            1));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void saysItInOneLine(Case each) {
    assertThat(ErrorLine.of(each.thrown, "etcd://a", Duration.ofMillis(1500)))
        .isEqualTo(new ErrorLine(each.text, each.code));
  }

  @Test
  void letsNoControlCharacterThrough() {
    assertThat(new ErrorLine("a\u001b[31mb\r\n  c", 1).printed())
        .isEqualTo("netctl: a\\u001b[31mb c");
  }

  @Test
  void anUnreachableDatastoreIsOneLineAndATraceOnlyByDebug() {
    NetctlRun netctl = new NetctlRun();
    netctl.datastore().disconnect();
    NetctlRun.Result result = netctl.run("get", "nodes");
    assertThat(result.code()).isEqualTo(1);
    assertThat(result.out()).isEmpty();
    assertThat(result.err())
        .startsWith("netctl: the datastore etcd://127.0.0.1:2379 does not answer within 5s; ")
        .hasLineCount(1);

    NetctlRun.Result debugged = netctl.run("get", "nodes", "--debug");
    assertThat(debugged.code()).isEqualTo(1);
    assertThat(debugged.out()).isEmpty();
    assertThat(debugged.err()).contains("\tat io.wayleave.ctl.").endsWith(result.err());
  }
}
