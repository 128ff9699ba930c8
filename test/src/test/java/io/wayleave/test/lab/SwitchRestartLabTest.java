package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The network outlives the routing daemon of the one switch of a rack: not one of a hundred pings a
 * second is lost while it is away and while it comes back, as its neighbours, agents among them,
 * keep its routes (RFC 4724).
 */
@Tag("lab")
@ExtendWith(SharedLab.class)
class SwitchRestartLabTest {
  private static final Duration CONVERGED = Duration.ofSeconds(20);

  /** Two seconds: long after the sessions have ended and before they would time out. */
  private static final int WHILE_AWAY = 200;

  /** Two seconds: what was not told again by the end of the routes is gone. */
  private static final int AFTERWARDS = 200;

  @Test
  void nothingIsLostWhileBirdIsKilledAndComesBack(Lab lab) {
    Router tor = lab.tor(1);
    LabHost host = lab.host("r1h1");
    LabContainer here = host.run("here");
    LabContainer beside = lab.host("r1h2").run("beside");
    LabContainer there = lab.host("r2h1").run("there");
    awaitPing(there, here);
    awaitPing(beside, here);

    try (Pinger in = Pinger.start(there.network(), here.address());
        Pinger out = Pinger.start(here.network(), there.address());
        Pinger local = Pinger.start(beside.network(), here.address())) {
      crash(lab, tor, host);
      assertThat(host.agent().keepsStaleRoutes()).isTrue();
      in.awaitReplies(WHILE_AWAY);
      lab.faults().recover(tor.name());
      lab.awaitSessions();
      for (LabHost one : lab.hosts()) {
        Await.until(
            one.name() + " has heard all of its switch again",
            CONVERGED,
            () -> !one.agent().keepsStaleRoutes(),
            () -> tor.sessions() + "\n" + one.agent().status());
      }
      in.awaitReplies(AFTERWARDS);

      assertThat(in.settle().lost()).as("from another rack").isEmpty();
      assertThat(out.settle().lost()).as("to another rack").isEmpty();
      assertThat(local.settle().lost()).as("within the rack").isEmpty();
    }
  }

  /** FRR, which helps others to restart only. */
  @Tag("full")
  @Test
  void controlTheSameStreamLosesPingsUnderASwitchThatDoesNotAskForIt(Lab lab) {
    Router tor = lab.tor(2);
    LabHost host = lab.host("r2h1");
    LabContainer here = host.run("here");
    LabContainer there = lab.host("r1h1").run("there");
    awaitPing(there, here);

    try (Pinger in = Pinger.start(there.network(), here.address())) {
      crash(lab, tor, host);
      assertThat(host.agent().keepsStaleRoutes()).isFalse();
      lab.faults().recover(tor.name());
      lab.awaitSessions();
      awaitPing(there, here);

      assertThat(in.settle().lost()).isNotEmpty();
    }
  }

  private static void crash(Lab lab, Router tor, LabHost host) {
    lab.faults().crash(tor.name());
    Await.until(
        host.name() + " has lost its session",
        CONVERGED,
        () -> host.agent().establishedSessions() == 0,
        () -> host.agent().status().toString());
  }

  private static void awaitPing(LabContainer from, LabContainer to) {
    Await.until(
        from + " reaches " + to,
        CONVERGED,
        () -> Ping.once(from.network(), to.address()),
        () -> from.host().routes());
  }
}
