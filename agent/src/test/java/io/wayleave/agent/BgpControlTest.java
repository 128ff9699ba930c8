package io.wayleave.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.NextHopSource;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.RouteListener;
import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.bgp.StartMode;
import io.wayleave.model.Asn;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import io.wayleave.model.status.AgentStatus.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BgpControlTest {
  @TempDir private Path folder;
  private BgpControl bgp;

  @AfterEach
  void stop() {
    bgp.closeForRestart();
  }

  private Path file(String name) {
    return folder.resolve(name);
  }

  /** A peer that never connects, whose password is in the file of its name. */
  private BgpPlan.Peer peer(String name, String address) {
    PeerConfig session =
        PeerConfig.of(name, IpAddress.parse(address), Asn.of(65001))
            .with(peer -> peer.passive(true));
    return new BgpPlan.Peer(BgpPlan.PeerType.GLOBAL, session, Optional.of(file(name).toString()));
  }

  private static BgpPlan plan(BgpPlan.Peer... peers) {
    return new BgpPlan(
        Asn.of(65002),
        RouterId.parse("10.0.0.1"),
        Optional.empty(),
        1179,
        "off",
        List.of(peers),
        List.of());
  }

  private void start(BgpPlan plan) {
    bgp = new BgpControl(NextHopSource.ALL_CONNECTED, RouteListener.NONE);
    bgp.start(plan, List.of(), new StartMode.Fresh());
  }

  /** What a peer's password is now; empty while the peer is left out. */
  private Optional<String> password(String name) {
    return bgp.configured().orElseThrow().peers().stream()
        .filter(peer -> peer.name().equals(name))
        .findFirst()
        .flatMap(peer -> peer.security().md5Password());
  }

  private List<String> failures() {
    return bgp.view().orElseThrow().plan().failures().stream().map(Failure::toString).toList();
  }

  @Test
  void aChangedPasswordFileIsNoticedAndABrokenOneChangesNothing() throws IOException {
    BgpPlan plan = plan(peer("tor", "127.0.0.9"));
    Files.writeString(file("tor"), "first\n");
    start(plan);
    assertThat(password("tor")).contains("first");

    Files.writeString(file("tor"), "second\n");
    bgp.readPasswords();
    assertThat(password("tor")).contains("second");
    assertThat(failures()).isEmpty();
    SpeakerConfig before = bgp.configured().orElseThrow();

    Files.writeString(file("tor"), "");
    bgp.readPasswords();
    assertThat(bgp.configured()).as("just being written").contains(before);
    Files.delete(file("tor"));
    bgp.apply(plan, List.of());
    assertThat(bgp.configured()).as("gone when anything else changes").contains(before);
    assertThat(failures())
        .singleElement()
        .asString()
        .contains("peer tor", "does not exist; the one read before it stays in use");

    Files.writeString(file("tor"), "third\n");
    bgp.readPasswords();
    assertThat(password("tor")).contains("third");
    assertThat(failures()).isEmpty();
  }

  @Test
  void aPeerWithoutItsPasswordIsLeftOut() throws IOException {
    BgpPlan.Peer tor = peer("tor", "127.0.0.9");
    start(plan(tor));
    assertThat(bgp.configured().orElseThrow().peers()).isEmpty();
    assertThat(failures()).singleElement().asString().endsWith("does not exist]");

    Files.writeString(file("tor"), "first\n");
    bgp.readPasswords();
    assertThat(password("tor")).contains("first");

    Files.delete(file("tor"));
    bgp.apply(plan(), List.of());
    bgp.apply(plan(tor), List.of());
    assertThat(password("tor")).as("that of a former peer is forgotten").isEmpty();
  }

  @Test
  void oneFileIsMendedWhileAnotherBreaks() throws IOException {
    Files.writeString(file("b"), "of b\n");
    start(plan(peer("a", "127.0.0.8"), peer("b", "127.0.0.9")));
    assertThat(password("a")).isEmpty();

    Files.writeString(file("a"), "of a\n");
    Files.delete(file("b"));
    bgp.readPasswords();
    assertThat(password("a")).contains("of a");
    assertThat(password("b")).contains("of b");
  }
}
