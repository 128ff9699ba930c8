package io.wayleave.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.linux.TestNamespace;
import io.wayleave.linux.netlink.InterfaceAddress.Flag;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("real")
class AddressesTest {
  private TestNamespace namespace;
  private NetlinkSocket socket;
  private int dev;

  @BeforeEach
  void open() throws IOException {
    namespace = TestNamespace.create();
    socket = namespace.open();
    socket.links().create(VethPair.of("wl0", "wl1"));
    dev = socket.links().get("wl0").index();
    socket.links().setUp(dev);
    socket.links().setUp(socket.links().get("wl1").index());
  }

  @AfterEach
  void close() throws IOException {
    socket.close();
    namespace.close();
  }

  @Test
  void addsListsAndDeletes() throws IOException {
    InterfaceAddress four = InterfaceAddress.of(dev, IpAddress.parse("10.9.0.1"), 24);
    InterfaceAddress six =
        InterfaceAddress.of(dev, IpAddress.parse("fd00::1"), 64).with(Flag.NODAD);

    socket.addresses().add(four);
    socket.addresses().add(six);

    // The kernel says of its own accord that they have no lifetime.
    assertThat(socket.addresses().list(dev))
        .contains(four.with(Flag.PERMANENT), six.with(Flag.PERMANENT));
    assertThat(socket.addresses().list())
        .anyMatch(address -> address.address().equals(IpAddress.parse("127.0.0.1")));
    assertThat(socket.addresses().delete(four)).isTrue();
    assertThat(socket.addresses().delete(four)).isFalse();
    assertThat(socket.addresses().delete(six)).isTrue();
    assertThat(socket.addresses().list(dev)).allMatch(address -> address.address().isLinkLocal());
  }

  @Test
  void nodadMakesAnAddressUsableAtOnceAndWithoutItItIsTentative() throws IOException {
    IpAddress gateway = IpAddress.parse("fe80::ecee:eeff:feee:eeee");
    socket.addresses().add(InterfaceAddress.of(dev, gateway, 64).with(Flag.NODAD));
    socket.addresses().add(InterfaceAddress.of(dev, IpAddress.parse("fd00::2"), 64));

    assertThat(address(gateway).flags()).contains(Flag.NODAD).doesNotContain(Flag.TENTATIVE);
    assertThat(address(gateway).scope()).isEqualTo(Scope.LINK);
    assertThat(address(IpAddress.parse("fd00::2")).flags()).contains(Flag.TENTATIVE);
  }

  @Test
  void noprefixrouteKeepsTheKernelFromMakingARoute() throws IOException {
    socket.addresses().add(InterfaceAddress.of(dev, IpAddress.parse("10.9.0.1"), 24));
    socket
        .addresses()
        .add(InterfaceAddress.of(dev, IpAddress.parse("10.8.0.1"), 24).with(Flag.NOPREFIXROUTE));

    assertThat(socket.routes().list(RouteFilter.mainTable(Family.IPV4)))
        .extracting(Route::destination)
        .containsExactly(Cidr.parse("10.9.0.0/24"));
  }

  @Test
  void aScopeIsKept() throws IOException {
    IpAddress address = IpAddress.parse("169.254.1.1");

    socket.addresses().add(InterfaceAddress.of(dev, address, 32).withScope(Scope.LINK));

    assertThat(address(address).scope()).isEqualTo(Scope.LINK);
  }

  @Test
  void errorsSayWhatWasAsked() throws IOException {
    InterfaceAddress address = InterfaceAddress.of(dev, IpAddress.parse("10.9.0.1"), 24);
    socket.addresses().add(address);

    assertThatThrownBy(() -> socket.addresses().add(address))
        .hasMessageStartingWith(
            "add address 10.9.0.1/24 scope global dev wl0: EEXIST (File exists)");
    socket.addresses().replace(address);
    assertThatThrownBy(
            () -> socket.addresses().add(InterfaceAddress.of(4711, IpAddress.parse("fd00::1"), 64)))
        .hasMessageStartingWith("add address fd00::1/64 scope global dev #4711: ENODEV");
  }

  private InterfaceAddress address(IpAddress wanted) throws IOException {
    return socket.addresses().list(dev).stream()
        .filter(address -> address.address().equals(wanted))
        .findFirst()
        .orElseThrow();
  }
}
