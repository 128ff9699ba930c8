package io.wayleave.datastore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.model.InvalidInputException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DatastoreUrlTest {
  @Test
  void allPartsAreRead() {
    assertThat(DatastoreUrl.parse("etcds://a.example:1,[fd00::1]:2,10.0.0.1/some/prefix/"))
        .isEqualTo(
            new DatastoreUrl(
                DatastoreUrl.Scheme.ETCDS,
                List.of(
                    new DatastoreUrl.Endpoint("a.example", 1),
                    new DatastoreUrl.Endpoint("fd00::1", 2),
                    new DatastoreUrl.Endpoint("10.0.0.1", 2379)),
                "/some/prefix"))
        .hasToString("etcds://a.example:1,[fd00::1]:2,10.0.0.1:2379/some/prefix");
  }

  @Test
  void portAndPrefixHaveDefaults() {
    assertThat(DatastoreUrl.parse("etcd://h")).hasToString("etcd://h:2379/wayleave/v1");
    assertThat(DatastoreUrl.parse("etcd://h/")).hasToString("etcd://h:2379/wayleave/v1");
  }

  @Test
  void zooKeeperHasItsOwnPort() {
    assertThat(DatastoreUrl.parse("zookeeper://a,[fd00::1]:1/x"))
        .hasToString("zookeeper://a:2181,[fd00::1]:1/x");
    assertThatThrownBy(() -> DatastoreUrl.parse("zk://h"))
        .hasMessageContaining("etcd, etcds or zookeeper");
    assertThatThrownBy(() -> DatastoreUrl.parse("zookeeper://u:secret@h"))
        .hasMessageContaining("options")
        .hasMessageNotContaining("secret");
    assertThatThrownBy(
            () ->
                Datastores.open(
                    "zookeeper://h", DatastoreOptions.DEFAULTS.withCaFile(Path.of("/ca.pem"))))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("etcds");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "10.0.0.1:2379 | datastore:",
        "http://h:1 | datastore.scheme:",
        "ETCD://h:1 | datastore.scheme:",
        "etcd:// | datastore.hosts:",
        "etcd:///prefix | datastore.hosts:",
        "etcd://a:1,,b:1 | datastore.hosts:",
        "etcd://a:1,a:1 | datastore.hosts:",
        "etcd://-a:1 | datastore.hosts:",
        "etcd://fd00::1:2379 | datastore.port:",
        "etcd://[fd00::1 | datastore.hosts:",
        "etcd://[10.0.0.1]:1 | datastore.hosts:",
        "etcd://[fd00::1]x | datastore.hosts:",
        "etcd://h:0 | datastore.port:",
        "etcd://h:65536 | datastore.port:",
        "etcd://h:abc | datastore.port:",
        "etcd://h: | datastore.port:",
        "etcd://h:1/a//b | datastore.prefix:",
        "etcd://h:1/a b | datastore.prefix:",
        "etcd://h:1/a?x=1 | datastore.prefix:"
      })
  void whatIsWrongIsNamed(String url, String field) {
    assertThatThrownBy(() -> DatastoreUrl.parse(url))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith(field);
  }

  @Test
  void aPasswordInTheUrlIsRefusedAndNotRepeated() {
    assertThatThrownBy(() -> DatastoreUrl.parse("etcd://root:secret@h:1"))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("options")
        .hasMessageNotContaining("secret");
    assertThat(DatastoreOptions.DEFAULTS.withPassword("root", "secret").toString())
        .contains("root")
        .doesNotContain("secret");
  }

  @Test
  void optionsThatDoNotFitTogetherAreRefused() {
    DatastoreOptions defaults = DatastoreOptions.DEFAULTS;
    assertThatThrownBy(
            () ->
                new DatastoreOptions(
                    Optional.empty(),
                    Optional.of(Path.of("cert")),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Duration.ofSeconds(1)))
        .hasMessageStartingWith("keyFile:");
    assertThatThrownBy(() -> defaults.withRequestTimeout(Duration.ZERO))
        .hasMessageStartingWith("requestTimeout:");
    assertThatThrownBy(() -> Datastores.open("etcd://h:1", defaults.withCaFile(Path.of("/ca.pem"))))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("etcds");
    assertThatThrownBy(
            () -> Datastores.open("etcds://h:1", defaults.withCaFile(Path.of("/no/such.pem"))))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("caFile")
        .hasMessageContaining("/no/such.pem");
  }
}
