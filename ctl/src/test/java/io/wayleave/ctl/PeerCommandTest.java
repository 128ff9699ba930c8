package io.wayleave.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PeerCommandTest {
  private final NetctlRun netctl = new NetctlRun();

  @Test
  void createsListsAndDeletes() {
    assertThat(netctl.run("peer", "create", "tor1", "--address", "10.0.0.1", "--as", "65001"))
        .isEqualTo(new NetctlRun.Result(0, "BGPPeer tor1 created\n", ""));
    assertThat(
            netctl
                .run(
                    "peer",
                    "create",
                    "tor2",
                    "--address",
                    "[fd00::1]:1179",
                    "--as",
                    "1.10",
                    "--node-selector",
                    "rack == \"2\"",
                    "--keepalive",
                    "3",
                    "--restart-time",
                    "60")
                .code())
        .isZero();
    assertThat(
            netctl
                .run(
                    "peer",
                    "create",
                    "tor3",
                    "--address",
                    "10.0.0.3",
                    "--as",
                    "3",
                    "--node",
                    "r1h1")
                .code())
        .isZero();
    assertThat(netctl.run("peer", "list"))
        .isEqualTo(
            new NetctlRun.Result(
                0,
                """
                NAME  ADDRESS         AS     NODES        KEEPALIVE  RESTART TIME
                tor1  10.0.0.1        65001  all()        30s        120s
                tor2  [fd00::1]:1179  65546  rack == "2"  3s         60s
                tor3  10.0.0.3        3      r1h1         30s        120s
                """,
                ""));
    assertThat(netctl.run("peer", "delete", "tor2"))
        .isEqualTo(new NetctlRun.Result(0, "BGPPeer tor2 deleted\n", ""));
    assertThat(netctl.run("peer", "delete", "tor2"))
        .isEqualTo(
            new NetctlRun.Result(
                1, "", "netctl: BGPPeer \"tor2\" does not exist; there are tor1, tor3\n"));
  }

  @Test
  void aNameIsUsedOnce() {
    netctl.run("peer", "create", "tor1", "--address", "10.0.0.1", "--as", "65001");
    assertThat(netctl.run("peer", "create", "tor1", "--address", "10.0.0.9", "--as", "65001"))
        .isEqualTo(
            new NetctlRun.Result(
                1,
                "",
                "netctl: BGPPeer \"tor1\" exists already; choose another name, or change it with"
                    + " netctl apply -f FILE\n"));
    assertThat(netctl.run("peer", "list").out()).contains("10.0.0.1 ");
  }
}
