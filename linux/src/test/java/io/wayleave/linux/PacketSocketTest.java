package io.wayleave.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.linux.netlink.InterfaceAddress;
import io.wayleave.linux.netlink.Links;
import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.linux.netlink.VethPair;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("real")
class PacketSocketTest {
  private static final IpAddress LEFT4 = IpAddress.parse("10.9.0.1");
  private static final IpAddress RIGHT4 = IpAddress.parse("10.9.0.2");
  private static final IpAddress LEFT6 = IpAddress.parse("fe80::1");
  private static final IpAddress RIGHT6 = IpAddress.parse("fe80::2");
  private static final IpAddress ALL_NODES = IpAddress.parse("ff02::1");
  private static final IpAddress ALL_ROUTERS = IpAddress.parse("ff02::2");
  private static final int PORT = 3784;

  private TestNamespace left;
  private TestNamespace right;
  private int leftIndex;
  private int rightIndex;

  @BeforeEach
  void join() throws IOException {
    left = TestNamespace.create();
    right = TestNamespace.create();
    try (NetlinkSocket socket = left.open()) {
      socket.execute(
          Links.creating(
              new VethPair(
                  VethPair.End.of("veth"), VethPair.End.of("veth").in(right.namespace()))));
    }
    leftIndex = setUp(left, LEFT4, LEFT6);
    rightIndex = setUp(right, RIGHT4, RIGHT6);
  }

  private static int setUp(TestNamespace namespace, IpAddress four, IpAddress six)
      throws IOException {
    try (NetlinkSocket socket = namespace.open()) {
      int index = socket.links().get("veth").index();
      socket.execute(Links.settingUp(index));
      socket.addresses().add(InterfaceAddress.of(index, four, 24));
      socket.addresses().add(InterfaceAddress.of(index, six, 64).with(InterfaceAddress.Flag.NODAD));
      return index;
    }
  }

  @AfterEach
  void remove() throws IOException {
    left.close();
    right.close();
  }

  private static Packet next(PacketSocket socket) throws IOException {
    long deadline = System.nanoTime() + Duration.ofSeconds(5).toNanos();
    try (Poller poller = Poller.open()) {
      while (System.nanoTime() - deadline < 0) {
        Optional<Packet> packet = socket.receive();
        if (packet.isPresent()) {
          return packet.get();
        }
        poller.await(List.of(socket.fd()), Duration.ofMillis(100));
      }
    }
    throw new AssertionError("no packet came");
  }

  @Test
  void udpTellsTheWayOfAPacket() throws IOException {
    try (PacketSocket sender = left.namespace().run(() -> PacketSocket.udp(Family.IPV4, 50_001));
        PacketSocket receiver = right.namespace().run(() -> PacketSocket.udp(Family.IPV4, PORT))) {
      assertThat(receiver.receive()).isEmpty();
      sender.send(new byte[] {1, 2, 3}, RIGHT4, PORT, leftIndex, Optional.of(LEFT4));
      Packet packet = next(receiver);
      assertThat(packet.payload()).containsExactly(1, 2, 3);
      assertThat(packet.source()).isEqualTo(LEFT4);
      assertThat(packet.sourcePort()).isEqualTo(50_001);
      assertThat(packet.destination()).isEqualTo(RIGHT4);
      assertThat(packet.interfaceIndex()).isEqualTo(rightIndex);
      assertThat(packet.hopLimit()).isEqualTo(255);
    }
  }

  @Test
  void udpReachesLinkLocalAddressesByTheirInterface() throws IOException {
    try (PacketSocket sender = left.namespace().run(() -> PacketSocket.udp(Family.IPV6, 50_001));
        PacketSocket receiver = right.namespace().run(() -> PacketSocket.udp(Family.IPV6, PORT))) {
      sender.send(new byte[] {4}, RIGHT6, PORT, leftIndex, Optional.empty());
      Packet packet = next(receiver);
      assertThat(packet.source().isLinkLocal()).isTrue();
      assertThat(packet.destination()).isEqualTo(RIGHT6);
      assertThat(packet.interfaceIndex()).isEqualTo(rightIndex);
      assertThat(packet.hopLimit()).isEqualTo(255);
    }
  }

  @Test
  void aTakenPortIsAnError() throws IOException {
    try (PacketSocket first = right.namespace().run(() -> PacketSocket.udp(Family.IPV6, PORT))) {
      assertThat(first.fd().isClosed()).isFalse();
      assertThatThrownBy(() -> right.namespace().run(() -> PacketSocket.udp(Family.IPV6, PORT)))
          .isInstanceOfSatisfying(
              SystemCallException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EADDRINUSE))
          .hasMessageContaining("3784");
      // The other family is not taken with it.
      right.namespace().run(() -> PacketSocket.udp(Family.IPV4, PORT)).close();
    }
  }

  @Test
  void icmpv6HearsItsTypesAndGroupsOnly() throws IOException {
    byte[] advertisement = {(byte) 134, 0, 0, 0, 0, 0, 0, 0};
    byte[] unwanted = {(byte) 200, 0, 0, 0, 0, 0, 0, 0};
    try (PacketSocket sender = left.namespace().run(() -> PacketSocket.icmpv6(134));
        PacketSocket receiver = right.namespace().run(() -> PacketSocket.icmpv6(134))) {
      assertThat(receiver.join(ALL_ROUTERS, rightIndex)).isTrue();
      assertThat(receiver.join(ALL_ROUTERS, rightIndex)).isFalse();
      sender.send(unwanted, ALL_NODES, 0, leftIndex, Optional.empty());
      sender.send(advertisement, ALL_ROUTERS, 0, leftIndex, Optional.empty());
      Packet packet = next(receiver);
      assertThat(packet.payload()[0] & 0xff).isEqualTo(134);
      assertThat(packet.payload()).as("with the kernel's checksum").hasSize(8);
      assertThat(packet.source().isLinkLocal()).isTrue();
      assertThat(packet.destination()).isEqualTo(ALL_ROUTERS);
      assertThat(packet.interfaceIndex()).isEqualTo(rightIndex);
      assertThat(packet.hopLimit()).isEqualTo(255);
      assertThat(receiver.receive()).isEmpty();
      assertThat(sender.receive()).as("its own").isEmpty();
      assertThat(receiver.leave(ALL_ROUTERS, rightIndex)).isTrue();
      assertThat(receiver.leave(ALL_ROUTERS, rightIndex)).isFalse();
    }
  }
}
