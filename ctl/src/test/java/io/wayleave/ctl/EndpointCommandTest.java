package io.wayleave.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.model.Resource;
import io.wayleave.model.ResourceCodec;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EndpointCommandTest {
  private static final String NAME = "r1h1.0123456789abcdef0.eth0";

  private final NetctlRun netctl = new NetctlRun();

  @BeforeEach
  void oneEndpoint() {
    netctl.put(Samples.EVERY_KIND);
  }

  @Test
  void listsAllEndpoints() {
    assertThat(netctl.run("endpoint", "list"))
        .isEqualTo(
            new NetctlRun.Result(
                0,
                """
                NODE  CONTAINER     INTERFACE  ADDRESSES              LABELS
                r1h1  0123456789ab  eth0       10.244.0.5,fd00:10::5  app=web
                """,
                ""));
  }

  @Test
  void showsOneByItsNameOrTheBeginningOfItsContainersId() {
    String text =
        """
        ENDPOINT                    r1h1.0123456789abcdef0.eth0
        node                        r1h1
        container                   0123456789abcdef0
        interface in the container  eth0
        interface on the node       wl0123456789a
        MAC address                 02:00:00:00:00:01
        addresses                   10.244.0.5,fd00:10::5
        namespace                   default
        labels                      app=web
        profiles                    -
        ports                       -
        network                     net
        """;
    assertThat(netctl.run("endpoint", "show", NAME)).isEqualTo(new NetctlRun.Result(0, text, ""));
    assertThat(netctl.run("endpoint", "show", "0123456789ab").out()).isEqualTo(text);
    assertThat(
            ResourceCodec.fromManifest(netctl.run("endpoint", "show", "0123", "-o", "yaml").out()))
        .extracting(Resource::name)
        .containsExactly(NAME);
  }

  @Test
  void saysThatSeveralBeginSo() {
    netctl.put(netctl.run("endpoint", "show", NAME, "-o", "yaml").out().replace("eth0", "eth1"));
    assertThat(netctl.run("endpoint", "show", "0123"))
        .isEqualTo(
            new NetctlRun.Result(
                1,
                "",
                "netctl: \"0123\" is the beginning of several endpoints' containers; name one of "
                    + NAME
                    + ", r1h1.0123456789abcdef0.eth1\n"));
  }

  @Test
  void saysThatNoneIsCalledSo() {
    assertThat(netctl.run("endpoint", "show", "ffff"))
        .isEqualTo(
            new NetctlRun.Result(
                1,
                "",
                "netctl: WorkloadEndpoint \"ffff\" does not exist; there is " + NAME + "\n"));
  }

  @Test
  void setsAndRemovesLabels() {
    assertThat(netctl.run("endpoint", "label", "0123", "tier=front", "app-"))
        .isEqualTo(new NetctlRun.Result(0, "WorkloadEndpoint " + NAME + " replaced\n", ""));
    assertThat(netctl.run("endpoint", "show", NAME).out()).contains("tier=front\n");
    assertThat(netctl.run("endpoint", "label", NAME, "tier=front").out())
        .isEqualTo("WorkloadEndpoint " + NAME + " unchanged\n");
    assertThat(netctl.run("endpoint", "label", NAME, "tier").err())
        .contains("label \"tier\" is not allowed; allowed: KEY=VALUE to set, KEY- to remove");
    assertThat(netctl.run("endpoint", "label", NAME, "a b=c").err()).contains("\"a b\"");
    assertThat(netctl.run("endpoint", "label", "9999", "a=b").code()).isOne();
  }
}
