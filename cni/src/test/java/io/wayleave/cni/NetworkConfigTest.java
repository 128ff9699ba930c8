package io.wayleave.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.wayleave.model.EndpointPort;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.PortName;
import io.wayleave.model.Protocol;
import java.util.Map;
import java.util.OptionalInt;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NetworkConfigTest {
  @Test
  void theLeastConfiguration() throws Exception {
    NetworkConfig config = read("");

    assertThat(config.name()).isEqualTo("net");
    assertThat(config.mtu()).isEmpty();
    assertThat(config.identity().labels()).isEmpty();
    assertThat(config.wishes().addresses()).isEmpty();
    assertThat(config.dns()).isEmpty();
  }

  @Test
  void whatRuntimesAndListsAddIsAccepted() throws Exception {
    NetworkConfig config =
        read(
            """
            , "agentSocket": "/a", "spoolDir": "/b", "timeoutSeconds": 9, "mtu": 1400,
            "capabilities": {"ips": true, "portMappings": false}, "runtimeConfig": {},
            "args": {"cni": {}, "podman_labels": {"x": 1}}, "cni.dev/valid-attachments": [],
            "cniVersions": ["1.0.0"], "disableCheck": true, "disableGC": true, "ipMasq": false,
            "ipam": {}, "dns": {"nameservers": ["10.0.0.1"]}
            """);

    assertThat(config.mtu()).isEqualTo(OptionalInt.of(1400));
    assertThat(config.dns().orElseThrow().toString()).contains("10.0.0.1");
  }

  @Test
  void labelsComeFromFourPlacesAndTheNearestWins() throws Exception {
    NetworkConfig config =
        read(
            """
            , "labels": {"a": "config", "b": "config", "c": "config"},
            "args": {"cni": {"labels": [{"key": "b", "value": "args"}, {"key": "c", "value": "args"},
              {"key": "d", "value": ""}]}}
            """,
            "CNI_ARGS",
            "WAYLEAVE_LABELS=c=arguments,d=arguments",
            "WAYLEAVE_LABELS",
            "c=variable, example.org/e = x=y");

    assertThat(config.identity().labels())
        .isEqualTo(
            Map.of(
                "a",
                "config",
                "b",
                "args",
                "c",
                "variable",
                "d",
                "arguments",
                "example.org/e",
                "x=y"));
  }

  @Test
  void wantedAddressesComeFromTheNearestPlace() throws Exception {
    String arguments = ", \"args\": {\"cni\": {\"ips\": [\"10.0.0.2/24\", \"fd00::2\"]}}";
    String runtime = ", \"runtimeConfig\": {\"ips\": [\"10.0.0.1\"]}";

    assertThat(read("", "CNI_ARGS", "IgnoreUnknown=1;IP=10.0.0.3;FOO=bar").wishes().addresses())
        .containsExactly(IpAddress.parse("10.0.0.3"));
    assertThat(read(arguments, "CNI_ARGS", "IP=10.0.0.3").wishes().addresses())
        .containsExactly(IpAddress.parse("10.0.0.2"), IpAddress.parse("fd00::2"));
    assertThat(read(arguments + runtime, "CNI_ARGS", "IP=10.0.0.3").wishes().addresses())
        .containsExactly(IpAddress.parse("10.0.0.1"));
  }

  @Test
  void theFieldThatAsksForAnAddressIsKept() throws Exception {
    assertThat(read("").wishes().addressesField()).isEmpty();
    assertThat(read("", "CNI_ARGS", "IP=10.0.0.3").wishes().addressesField())
        .isEqualTo("CNI_ARGS.IP");
    assertThat(read(", \"runtimeConfig\": {\"ips\": [\"10.0.0.1\"]}").wishes().addressesField())
        .isEqualTo("runtimeConfig.ips");
  }

  @Test
  void poolsAreAskedForByNameOrCidrAsCalicoHasIt() throws Exception {
    AddressWishes wishes =
        read("""
        , "ipam": {"type": "wayleave-ipam", "ipv4_pools": ["a", "10.0.0.0/24"],
          "ipv6_pools": ["FD00:0::/64"]}
        """)
            .wishes();
    assertThat(wishes.pools(Family.IPV4)).containsExactly("a", "10.0.0.0/24");
    assertThat(wishes.pools(Family.IPV6)).containsExactly("fd00::/64");
    assertThat(read("").wishes().pools(Family.IPV4)).isEmpty();
  }

  @Test
  void aNamespaceHasTheLabelsOfTheNetworkAndThoseOfItsName() throws Exception {
    String labels = ", \"namespaceLabels\": {\"tier\": \"a\", \"projectcalico.org/name\": \"c\"}";
    assertThat(read(labels).identity().namespaceLabels())
        .isEqualTo(Map.of("tier", "a", "projectcalico.org/name", "c"));
    EndpointIdentity identity =
        read(labels, "CNI_ARGS", "IgnoreUnknown=1;K8S_POD_NAMESPACE=prod;K8S_POD_NAME=x")
            .identity();
    assertThat(identity.namespace()).contains("prod");
    assertThat(identity.namespaceLabels())
        .isEqualTo(
            Map.of(
                "tier",
                "a",
                "projectcalico.org/name",
                "prod",
                "kubernetes.io/metadata.name",
                "prod"));
    assertThat(read("", "CNI_ARGS", "K8S_POD_NAMESPACE=").identity())
        .isEqualTo(EndpointIdentity.NONE);
  }

  @Test
  void theNamespaceOfTheNetworkGivesWayToThatOfTheRuntime() throws Exception {
    String own = ", \"namespace\": \"shop\"";
    assertThat(read(own).identity().metadata("e").namespace()).contains("shop");
    assertThat(read(own, "CNI_ARGS", "K8S_POD_NAMESPACE=prod").identity().metadata("e").namespace())
        .contains("prod");
    assertThat(read(own).identity().namespaceLabels())
        .containsEntry("kubernetes.io/metadata.name", "shop");
  }

  @Test
  void profilesAndPortsAreTakenFromTheNetwork() throws Exception {
    EndpointIdentity identity =
        read("""
        , "profiles": ["base", "web"],
        "ports": [{"name": "http", "protocol": "TCP", "port": 80}]
        """)
            .identity();
    assertThat(identity.profiles()).containsExactly("base", "web");
    assertThat(identity.ports())
        .containsExactly(new EndpointPort(new PortName("http"), Protocol.TCP, 80));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "colour | \"red\" | colour: \"red\"",
        "MTU | 1400 | MTU: \"1400\"",
        "ipam | {\"type\":\"host-local\"} | ipam.type: \"host-local\"",
        "ipam | {\"subnet\":\"10.0.0.0/24\"} | ipam.subnet: \"10.0.0.0/24\"",
        "ipam | [] | ipam: \"[]\"",
        "ipMasq | true | ipMasq: \"true\"",
        "capabilities | {\"portMappings\":true} | capabilities.portMappings: \"true\"",
        "runtimeConfig | {\"mac\":\"02:00:00:00:00:01\"} | runtimeConfig.mac:"
            + " \"02:00:00:00:00:01\"",
      })
  void anUnsupportedFieldIsNamedWithItsValue(String field, String value, String named) {
    assertRefused(() -> read(", \"" + field + "\": " + value), 2, named);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "mtu | 1279 | mtu: \"1279\"",
        "mtu | 65536 | mtu: \"65536\"",
        "mtu | \"1500\" | mtu: \"1500\"",
        "mtu | 1500.5 | mtu: \"1500.5\"",
        "mtu | null | mtu: \"null\"",
        "labels | [] | labels: \"[]\"",
        "labels | {\"a\": 1} | labels.a: \"1\"",
        "labels | {\"a b\": \"c\"} | labels: \"a b\"",
        "namespace | 7 | namespace: \"7\"",
        "namespace | \"a/b\" | namespace: \"a/b\"",
        "profiles | \"base\" | profiles: \"base\"",
        "profiles | [\"a b\"] | profiles[0]: \"a b\"",
        "ports | {\"a\": 1} | ports: \"{\"a\":1}\"",
        "ports | [{\"name\": \"http\", \"protocol\": \"ICMP\", \"port\": 1}] | ports[0].protocol:"
            + " \"ICMP\"",
        "ports | [{\"name\": \"http\", \"port\": 80}] | ports[0].protocol: \"\"",
        "namespaceLabels | [] | namespaceLabels: \"[]\"",
        "namespaceLabels | {\"a\": 1} | namespaceLabels.a: \"1\"",
        "namespaceLabels | {\"a b\": \"c\"} | namespaceLabels: \"a b\"",
        "ipam | {\"ipv4_pools\":\"a\"} | ipam.ipv4_pools: \"a\"",
        "ipam | {\"ipv4_pools\":[]} | ipam.ipv4_pools: \"[]\"",
        "ipam | {\"ipv6_pools\":[\"a\",7]} | ipam.ipv6_pools[1]: \"7\"",
        "ipam | {\"ipv4_pools\":[\"10.0.0.1/24\"]} | ipam.ipv4_pools[0]: \"10.0.0.1/24\"",
        "dns | \"10.0.0.1\" | dns: \"10.0.0.1\"",
        "args | {\"cni\":{\"labels\":{\"a\":\"b\"}}} | args.cni.labels: ",
        "args | {\"cni\":{\"labels\":[{\"key\":\"a\"}]}} | args.cni.labels[0].value: \"\"",
        "args | {\"cni\":{\"ips\":[\"10.0.0\"]}} | args.cni.ips[0]: \"10.0.0\"",
        "args | {\"cni\":{\"ips\":[\"10.0.0.1\",\"10.0.0.2\"]}} | args.cni.ips: ",
        "args | {\"cni\":{\"ips\":\"10.0.0.1\"}} | args.cni.ips: \"10.0.0.1\"",
        "runtimeConfig | {\"ips\":[7]} | runtimeConfig.ips[0]: \"7\"",
        "prevResult | {\"ips\":[]} | prevResult: ",
      })
  void aFieldWithABadValueIsNamedWithItsValue(String field, String value, String named) {
    assertRefused(() -> read(", \"" + field + "\": " + value), 7, named);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\"name\": 7,",
        "\"name\": \"\",",
        "\"name\": \"a b\",",
        "\"name\": \"../x\","
      })
  void theNetworkMustHaveAName(String name) {
    assertRefused(
        () ->
            NetworkConfig.of(
                CniRequest.of(Requests.frame("ADD", "{" + name + "\"cniVersion\":\"1.0.0\"}"))),
        7,
        "name: ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "CNI_ARGS | IP | CNI_ARGS: \"IP\"",
        "CNI_ARGS | =x | CNI_ARGS: \"=x\"",
        "CNI_ARGS | IP=10.0.0.1; | CNI_ARGS: ",
        "CNI_ARGS | IP=10.0.0.300 | CNI_ARGS.IP: \"10.0.0.300\"",
        "CNI_ARGS | COLOUR=red | CNI_ARGS: \"COLOUR\"",
        "CNI_ARGS | COLOUR=red;IgnoreUnknown=0 | CNI_ARGS: \"COLOUR\"",
        "WAYLEAVE_LABELS | app | WAYLEAVE_LABELS: \"app\"",
        "WAYLEAVE_LABELS | =web | WAYLEAVE_LABELS: \"=web\"",
      })
  void aMalformedVariableIsNamedWithItsValue(String variable, String value, String named) {
    assertRefused(() -> read("", variable, value), 4, named);
  }

  private static void assertRefused(ThrowingCallable work, int code, String named) {
    assertThatExceptionOfType(CniException.class)
        .isThrownBy(work)
        .satisfies(
            e -> {
              assertThat(e.code().number()).isEqualTo(code);
              assertThat(e.details()).startsWith(named).contains("allowed: ");
            });
  }

  private static NetworkConfig read(String fields, String... more) throws CniException {
    String config =
        "{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"type\":\"wayleave\"" + fields + "}";
    return NetworkConfig.of(CniRequest.of(Requests.frame("ADD", config, more)));
  }
}
