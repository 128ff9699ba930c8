package io.wayleave.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.NextHopSource;
import io.wayleave.bgp.PeerConfig;
import io.wayleave.bgp.RouteListener;
import io.wayleave.bgp.StartMode;
import io.wayleave.model.Asn;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
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

  private Path file() {
    return folder.resolve("password");
  }

  /** What the one peer's password is now; empty while the peer is left out. */
  private Optional<String> password() {
    return bgp.configured().orElseThrow().peers().stream()
        .findFirst()
        .flatMap(peer -> peer.security().md5Password());
  }

  @Test
  void aChangedPasswordFileIsNoticedAndABrokenOneChangesNothing() throws IOException {
    bgp = new BgpControl(NextHopSource.ALL_CONNECTED, RouteListener.NONE);
    PeerConfig tor =
        PeerConfig.of("tor", IpAddress.parse("127.0.0.9"), Asn.of(65001))
            .with(peer -> peer.passive(true));
    BgpPlan plan =
        new BgpPlan(
            Asn.of(65002),
            RouterId.parse("10.0.0.1"),
            Optional.empty(),
            1179,
            "off",
            List.of(new BgpPlan.Peer(BgpPlan.PeerType.GLOBAL, tor, Optional.of(file().toString()))),
            List.of());
    Files.writeString(file(), "first\n");
    bgp.start(plan, List.of(), new StartMode.Fresh());
    assertThat(password()).contains("first");

    Files.writeString(file(), "second\n");
    bgp.readPasswords();
    assertThat(password()).contains("second");

    Files.writeString(file(), "");
    bgp.readPasswords();
    assertThat(password()).as("just being written").contains("second");
    assertThat(bgp.view().orElseThrow().plan().failures()).isEmpty();

    Files.delete(file());
    bgp.apply(plan, List.of());
    assertThat(password()).as("no session without its password").isEmpty();
    Files.writeString(file(), "third\n");
    bgp.readPasswords();
    assertThat(password()).contains("third");
    assertThat(bgp.view().orElseThrow().plan().failures()).isEmpty();
  }
}
