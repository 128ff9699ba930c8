package io.wayleave.cni;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.model.Cidr;
import io.wayleave.model.MacAddress;
import io.wayleave.model.Metadata;
import io.wayleave.model.ResourceCodec;
import io.wayleave.model.WorkloadEndpoint;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The exact text of a result, for every version of the specification. */
class AddResultTest {
  private static final WorkloadEndpoint DUAL_STACK = endpoint("10.1.2.3/32", "fd00:1::3/128");

  @Test
  void version031() {
    assertThat(json(DUAL_STACK, CniVersion.V0_3_1))
        .isEqualTo(
            "{\"cniVersion\":\"0.3.1\",\"interfaces\":[{\"name\":\"wl0123456789a\",\"mac\":\"ee:ee:ee:ee:ee:ee\"},{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\",\"sandbox\":\"/run/netns/a\"}],\"ips\":[{\"version\":\"4\",\"interface\":1,\"address\":\"10.1.2.3/32\",\"gateway\":\"169.254.1.1\"},{\"version\":\"6\",\"interface\":1,\"address\":\"fd00:1::3/128\",\"gateway\":\"fe80::ecee:eeff:feee:eeee\"}],\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"169.254.1.1\"},{\"dst\":\"::/0\",\"gw\":\"fe80::ecee:eeff:feee:eeee\"}]}\n");
  }

  @Test
  void version040DiffersOnlyInItsNumber() {
    assertThat(json(DUAL_STACK, CniVersion.V0_4_0))
        .isEqualTo(json(DUAL_STACK, CniVersion.V0_3_1).replace("0.3.1", "0.4.0"));
  }

  @Test
  void version100HasNoAddressVersions() {
    assertThat(json(DUAL_STACK, CniVersion.V1_0_0))
        .isEqualTo(
            json(DUAL_STACK, CniVersion.V0_3_1)
                .replace("0.3.1", "1.0.0")
                .replace("\"version\":\"4\",", "")
                .replace("\"version\":\"6\",", ""));
  }

  @Test
  void version110HasMtuAndScope() {
    assertThat(json(DUAL_STACK, CniVersion.V1_1_0))
        .isEqualTo(
            "{\"cniVersion\":\"1.1.0\","
                + "\"interfaces\":["
                + "{\"name\":\"wl0123456789a\",\"mac\":\"ee:ee:ee:ee:ee:ee\",\"mtu\":1450},"
                + "{\"name\":\"eth0\",\"mac\":\"02:00:00:00:00:01\",\"mtu\":1450,"
                + "\"sandbox\":\"/run/netns/a\"}],"
                + "\"ips\":["
                + "{\"interface\":1,\"address\":\"10.1.2.3/32\",\"gateway\":\"169.254.1.1\"},"
                + "{\"interface\":1,\"address\":\"fd00:1::3/128\","
                + "\"gateway\":\"fe80::ecee:eeff:feee:eeee\"}],"
                + "\"routes\":["
                + "{\"dst\":\"169.254.1.1/32\",\"scope\":253},"
                + "{\"dst\":\"0.0.0.0/0\",\"gw\":\"169.254.1.1\"},"
                + "{\"dst\":\"::/0\",\"gw\":\"fe80::ecee:eeff:feee:eeee\"}]}\n");
  }

  @Test
  void oneFamilyHasTheRoutesOfThatFamily() {
    assertThat(json(endpoint("10.1.2.3/32"), CniVersion.V1_0_0))
        .contains("\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"169.254.1.1\"}]")
        .doesNotContain("::");
    assertThat(json(endpoint("fd00:1::3/128"), CniVersion.V1_1_0))
        .contains("\"routes\":[{\"dst\":\"::/0\",\"gw\":\"fe80::ecee:eeff:feee:eeee\"}]")
        .doesNotContain("169.254");
  }

  @Test
  void dnsOfTheConfigurationIsPassedOn() throws Exception {
    ObjectNode dns =
        (ObjectNode) ResourceCodec.jsonMapper().readTree("{\"nameservers\":[\"10.9.9.9\"]}");
    AddResult result =
        new AddResult(endpoint("10.1.2.3/32"), 1500, "/run/netns/a", Optional.of(dns));

    assertThat(CniReply.of(result, CniVersion.V1_0_0).output())
        .endsWith(",\"dns\":{\"nameservers\":[\"10.9.9.9\"]}}\n");
  }

  @Test
  void anErrorHasTheFourFieldsOfTheSpecification() {
    CniException error = CniException.tryAgain("short", "long");

    assertThat(CniReply.of(error, CniVersion.V0_4_0))
        .isEqualTo(
            new CniReply(
                1,
                "{\"cniVersion\":\"0.4.0\",\"code\":11,\"msg\":\"short\",\"details\":\"long\"}\n"));
  }

  private static String json(WorkloadEndpoint endpoint, CniVersion version) {
    return CniReply.of(new AddResult(endpoint, 1450, "/run/netns/a", Optional.empty()), version)
        .output();
  }

  private static WorkloadEndpoint endpoint(String... addresses) {
    return new WorkloadEndpoint(
        Metadata.of("h1.c1.eth0"),
        new WorkloadEndpoint.Spec(
            "h1",
            "c1",
            "eth0",
            "wl0123456789a",
            MacAddress.parse("02:00:00:00:00:01"),
            List.of(addresses).stream().map(Cidr::parse).toList(),
            "net",
            "1"));
  }
}
