package io.wayleave.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.linux.netlink.VethPair;
import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("real")
class SysctlTest {
  private static final String FORWARD = "net/ipv4/ip_forward";

  @Test
  void eachNamespaceHasItsOwn() throws IOException {
    try (TestNamespace one = TestNamespace.create();
        TestNamespace two = TestNamespace.create()) {
      String outside = Sysctl.read(FORWARD);
      Sysctl.write(one.namespace(), Map.of(FORWARD, "1"));
      Sysctl.write(two.namespace(), Map.of(FORWARD, "0"));

      assertThat(Sysctl.read(one.namespace(), FORWARD)).isEqualTo("1");
      assertThat(Sysctl.read(two.namespace(), FORWARD)).isEqualTo("0");
      assertThat(Sysctl.read(FORWARD)).isEqualTo(outside);
    }
  }

  @Test
  void interfacesMayHaveDots() throws IOException {
    try (TestNamespace test = TestNamespace.create();
        NetlinkSocket socket = test.open()) {
      socket.links().create(VethPair.of("eth0.7", "b"));
      Map<String, String> values = new LinkedHashMap<>();
      values.put(Sysctl.interfaceKey(Family.IPV4, "eth0.7", "forwarding"), "1");
      values.put(Sysctl.interfaceKey(Family.IPV6, "eth0.7", "accept_ra"), "0");

      Sysctl.write(test.namespace(), values);

      for (Map.Entry<String, String> value : values.entrySet()) {
        assertThat(Sysctl.read(test.namespace(), value.getKey())).isEqualTo(value.getValue());
      }
    }
  }

  @Test
  void errorsNameTheKeyAndTheValue() throws IOException {
    String key = Sysctl.interfaceKey(Family.IPV4, "nope", "forwarding");
    assertThatThrownBy(() -> Sysctl.read(key))
        .isInstanceOf(IOException.class)
        .hasMessage(
            "sysctl net/ipv4/conf/nope/forwarding does not exist: the interface is not in this"
                + " network namespace, or the kernel lacks the setting");
    assertThatThrownBy(() -> Sysctl.write(key, "1"))
        .hasMessageStartingWith("sysctl net/ipv4/conf/nope/forwarding does not exist");
    try (TestNamespace test = TestNamespace.create()) {
      assertThatThrownBy(() -> Sysctl.write(test.namespace(), Map.of(FORWARD, "maybe")))
          .isInstanceOf(IOException.class)
          .hasMessage("could not set sysctl net/ipv4/ip_forward to \"maybe\": Invalid argument");
    }
  }

  @Test
  void refusesKeysThatLeaveTheTree() {
    for (String key :
        new String[] {"", "net.ipv4.ip_forward", "../self/mem", "net/../../x", "/etc/x"}) {
      assertThatThrownBy(() -> Sysctl.read(key)).isInstanceOf(InvalidInputException.class);
      assertThatThrownBy(() -> Sysctl.write(key, "1")).isInstanceOf(InvalidInputException.class);
    }
    assertThatThrownBy(() -> Sysctl.interfaceKey(Family.IPV4, "../all", "forwarding"))
        .isInstanceOf(InvalidInputException.class);
  }
}
