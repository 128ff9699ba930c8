package io.wayleave.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.linux.TestNamespace;
import io.wayleave.model.IpAddress;
import io.wayleave.model.MacAddress;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("real")
class NeighboursTest {
  private static final MacAddress MAC = MacAddress.parse("ee:ee:ee:ee:ee:ee");
  private static final MacAddress OTHER = MacAddress.parse("02:00:00:00:00:01");

  private TestNamespace namespace;
  private NetlinkSocket socket;
  private int dev;

  @BeforeEach
  void open() throws IOException {
    namespace = TestNamespace.create();
    socket = namespace.open();
    socket.links().create(VethPair.of("eth0", "peer"));
    dev = socket.links().get("eth0").index();
    socket.links().setUp(dev);
  }

  @AfterEach
  void close() throws IOException {
    socket.close();
    namespace.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"169.254.1.1", "fe80::ecee:eeff:feee:eeee"})
  void addsReplacesAndDeletes(String text) throws IOException {
    IpAddress address = IpAddress.parse(text);
    Neighbour neighbour = Neighbour.permanent(dev, address, MAC);

    socket.neighbours().add(neighbour);

    assertThat(socket.neighbours().list()).contains(neighbour);
    assertThatThrownBy(() -> socket.neighbours().add(neighbour))
        .hasMessageStartingWith(
            "add neighbour " + address + " lladdr " + MAC + " permanent dev eth0: EEXIST");

    Neighbour moved = Neighbour.permanent(dev, address, OTHER);
    socket.neighbours().replace(moved);

    assertThat(socket.neighbours().list()).contains(moved).doesNotContain(neighbour);
    assertThat(socket.neighbours().delete(dev, address)).isTrue();
    assertThat(socket.neighbours().delete(dev, address)).isFalse();
    assertThat(socket.neighbours().list()).doesNotContain(moved);
  }

  @Test
  void errorsSayWhatWasAsked() {
    assertThatThrownBy(
            () ->
                socket
                    .neighbours()
                    .add(Neighbour.permanent(4711, IpAddress.parse("169.254.1.1"), MAC)))
        .hasMessageStartingWith(
            "add neighbour 169.254.1.1 lladdr " + MAC + " permanent dev #4711: ENODEV");
  }
}
