package io.wayleave.bgp.admin;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.bgp.RouteStatus;
import io.wayleave.bgp.wire.AsPath;
import io.wayleave.bgp.wire.Origin;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import io.wayleave.model.status.BgpReport;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ReportsTest {
  @Test
  void aReflectedPathNamesWhoToldItFirstAndItsReflectors() {
    PathAttributes attributes =
        PathAttributes.builder(Origin.IGP, AsPath.EMPTY)
            .originatorId(Optional.of(RouterId.parse("10.0.0.1")))
            .clusterList(List.of(IpAddress.parse("10.0.0.9"), IpAddress.parse("10.0.0.8")))
            .build();

    BgpReport.Path path =
        Reports.of(
                new RouteStatus(
                    Cidr.parse("10.1.0.0/16"),
                    List.of(
                        new RouteStatus.PathStatus(
                            Optional.of("reflector"),
                            Optional.empty(),
                            attributes,
                            true,
                            true,
                            false,
                            "best"))))
            .paths()
            .getFirst();

    assertThat(path.originatorId()).contains("10.0.0.1");
    assertThat(path.clusterList()).containsExactly("10.0.0.9", "10.0.0.8");
  }
}
