package io.wayleave.linux.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.linux.Errno;
import io.wayleave.linux.TestNamespace;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.MacAddress;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("real")
class LinksTest {
  private static final MacAddress MAC = MacAddress.parse("ee:ee:ee:ee:ee:ee");

  private TestNamespace here;
  private TestNamespace there;
  private NetlinkSocket socket;
  private NetlinkSocket socketThere;

  @BeforeEach
  void open() throws IOException {
    here = TestNamespace.create();
    there = TestNamespace.create();
    socket = here.open();
    socketThere = there.open();
  }

  @AfterEach
  void close() throws IOException {
    socket.close();
    socketThere.close();
    here.close();
    there.close();
  }

  @Test
  void makesBothEndsOfAVethWithAllThatWasAsked() throws IOException {
    socket
        .links()
        .create(
            new VethPair(
                    VethPair.End.of("wl0").withMac(MAC).withMtu(1400),
                    VethPair.End.of("eth0").withMtu(1300).in(there.namespace()))
                .setUp());
    socketThere.links().setUp(socketThere.links().get("eth0").index());

    Link end = socket.links().get("wl0");
    Link peer = socketThere.links().get("eth0");

    assertThat(end.mac()).contains(MAC);
    assertThat(end.mtu()).isEqualTo(1400);
    assertThat(end.kind()).isEqualTo("veth");
    assertThat(end.up()).isTrue();
    assertThat(end.carrier()).isTrue();
    assertThat(end.peerIndex()).hasValue(peer.index());
    assertThat(peer.mtu()).isEqualTo(1300);
    assertThat(peer.up()).isTrue();
    assertThat(peer.peerIndex()).hasValue(end.index());
    assertThat(socket.links().find("eth0")).isEmpty();
  }

  @Test
  void setsEachPropertyByItself() throws IOException {
    socket.links().create(VethPair.of("a", "b"));
    int index = socket.links().get("a").index();

    assertThat(
            socket.executeAll(
                List.of(
                    Links.settingMtu(index, 9000),
                    Links.settingMac(index, MAC),
                    Links.settingAlias(index, "wayleave:n1.c1.eth0"),
                    Links.settingGroup(index, 77),
                    Links.renaming(index, "host.7"),
                    Links.settingUp(index))))
        .isEmpty();

    Link link = socket.links().get("host.7");
    assertThat(link)
        .extracting(Link::index, Link::mtu, Link::alias, Link::group, Link::up)
        .containsExactly(index, 9000, "wayleave:n1.c1.eth0", 77, true);
    assertThat(link.mac()).contains(MAC);
    assertThat(socket.links().find(index)).contains(link);

    socket.links().setDown(index);

    assertThat(socket.links().get("host.7").up()).isFalse();
  }

  @Test
  void movesALinkUnderAnotherName() throws IOException {
    socket.links().create(VethPair.of("a", "b"));
    socketThere.links().create(VethPair.of("b", "c"));
    int index = socket.links().get("b").index();

    assertThatThrownBy(() -> socket.execute(Links.moving(index, there.namespace())))
        .isInstanceOf(NetlinkException.class)
        .hasMessageStartingWith(
            "move link b to network namespace " + there.namespace() + ": EEXIST (File exists)");

    socket.execute(Links.moving(index, there.namespace(), "eth0"));

    assertThat(socket.links().find("b")).isEmpty();
    assertThat(socketThere.links().find("eth0")).isPresent();
  }

  @Test
  void deletesAndSaysWhetherThereWasOne() throws IOException {
    socket.links().create(VethPair.of("a", "b"));

    assertThat(socket.links().delete("a")).isTrue();
    assertThat(socket.links().delete("a")).isFalse();
    assertThat(socket.links().list()).extracting(Link::name).containsExactly("lo");
  }

  @Test
  void deletesAGroup() throws IOException {
    for (int i = 0; i < 5; i++) {
      socket.links().create(VethPair.of("a" + i, "b" + i));
      socket.execute(Links.settingGroup(socket.links().get("a" + i).index(), 77));
    }
    socket.links().create(VethPair.of("other", "rest"));

    socket.execute(Links.deletingGroup(77));

    assertThat(socket.links().list())
        .extracting(Link::name)
        .containsExactlyInAnyOrder("lo", "other", "rest");
  }

  @Test
  void errorsSayWhatWasAskedAndTheErrorsName() throws IOException {
    socket.links().create(VethPair.of("a", "b"));
    int index = socket.links().get("a").index();

    assertThatThrownBy(() -> socket.links().create(VethPair.of("a", "c")))
        .isInstanceOfSatisfying(
            NetlinkException.class,
            e -> {
              assertThat(e.errno()).isEqualTo(Errno.EEXIST);
              assertThat(e).hasMessage("create veth a with peer c: EEXIST (File exists)");
            });
    assertThat(socket.links().find("c")).isEmpty();
    assertThatThrownBy(() -> socket.links().get("nope"))
        .hasMessage("get link nope: ENODEV (No such device)");
    assertThatThrownBy(() -> socket.execute(Links.settingMtu(index, 10)))
        .hasMessage(
            "set the MTU of link a to 10: EINVAL (Invalid argument): mtu less than device minimum");
    assertThatThrownBy(() -> socket.links().setUp(4711))
        .hasMessage("set link #4711 up: ENODEV (No such device)");
  }

  @Test
  void refusesNamesAndAliasesThatTheKernelWould() {
    assertThatThrownBy(() -> Links.renaming(1, "sixteen-letters-"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("interface: \"sixteen-letters-\" is not allowed");
    assertThatThrownBy(() -> Links.renaming(1, "a/b")).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> Links.renaming(1, "..")).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> Links.renaming(1, "")).isInstanceOf(InvalidInputException.class);
    assertThatThrownBy(() -> Links.settingAlias(1, "x".repeat(256)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("at most 255 bytes");
    assertThatThrownBy(() -> Links.deletingGroup(0)).isInstanceOf(InvalidInputException.class);
  }
}
