package io.wayleave.datastore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.datastore.testing.Commands;
import io.wayleave.datastore.testing.EtcdServer;
import io.wayleave.model.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** TLS and passwords, on a real etcd. */
@Tag("real")
@Timeout(120)
class EtcdSecurityTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final Duration SHORT = Duration.ofSeconds(2);

  @TempDir private Path directory;

  @Test
  void withTlsBothSidesShowCertificatesThatTheOtherTrusts() throws IOException {
    Path ca = authority("ca");
    Path otherCa = authority("other");
    certificate("server", "ca", "subjectAltName=IP:127.0.0.1,DNS:localhost");
    certificate("client", "ca", "extendedKeyUsage=clientAuth");
    certificate("stranger", "other", "extendedKeyUsage=clientAuth");
    DatastoreOptions good =
        DatastoreOptions.DEFAULTS
            .withCaFile(ca)
            .withClientCertificate(pem("client"), key("client"));
    try (EtcdServer etcd =
        EtcdServer.startTls(new EtcdServer.Tls(ca, pem("server"), key("server")), good)) {
      try (Datastore datastore = Datastores.open(etcd.url(), good)) {
        datastore.commit(Transaction.builder().put("a", "1").build(), deadline());
        assertThat(datastore.get("a", deadline()).orElseThrow().text()).isEqualTo("1");
      }
      String byName = etcd.url().replace("127.0.0.1", "localhost");
      try (Datastore datastore = Datastores.open(byName, good)) {
        assertThat(datastore.get("a", deadline())).isPresent();
      }
      assertRefused(
          "the server's authority is not trusted",
          etcd.url(),
          good.withCaFile(otherCa),
          "certification path");
      assertRefused(
          "the client's authority is not trusted",
          etcd.url(),
          good.withClientCertificate(pem("stranger"), key("stranger")),
          "certificate");
      assertRefused(
          "no client certificate",
          etcd.url(),
          DatastoreOptions.DEFAULTS.withCaFile(ca),
          "certificate");
      assertRefused(
          "no TLS",
          etcd.url().replace("etcds", "etcd"),
          DatastoreOptions.DEFAULTS,
          "etcds:// is right");
    }
  }

  @Test
  void theCertificateMustBeForTheNameInTheUrl() throws IOException {
    Path ca = authority("ca");
    certificate("server", "ca", "subjectAltName=DNS:localhost");
    certificate("client", "ca", "extendedKeyUsage=clientAuth");
    DatastoreOptions options =
        DatastoreOptions.DEFAULTS
            .withCaFile(ca)
            .withClientCertificate(pem("client"), key("client"));
    try (EtcdServer etcd =
        EtcdServer.startTlsByName(new EtcdServer.Tls(ca, pem("server"), key("server")), options)) {
      try (Datastore datastore = Datastores.open(etcd.url(), options)) {
        assertThat(datastore.get("a", deadline())).isEmpty();
      }
      assertRefused(
          "a certificate for localhost only",
          etcd.url().replace("localhost", "127.0.0.1"),
          options,
          "127.0.0.1 found");
    }
  }

  @Test
  void aFileThatIsNoKeyIsNamed() throws IOException {
    Path ca = authority("ca");
    Path noKey = Files.writeString(directory.resolve("nokey.pem"), "nothing");
    assertThatThrownBy(
            () ->
                Datastores.open(
                    "etcds://127.0.0.1:1",
                    DatastoreOptions.DEFAULTS.withCaFile(ca).withClientCertificate(ca, noKey)))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageContaining("nokey.pem")
        .hasMessageContaining("PKCS#8");
  }

  @Test
  void aUserHasThePasswordAndOnlyTheRightsThatHeHas() throws Exception {
    try (EtcdServer etcd = EtcdServer.start()) {
      etcd.control("user", "add", "root:secret");
      etcd.control("user", "grant-role", "root", "root");
      etcd.control("user", "add", "app:pass");
      etcd.control("role", "add", "app");
      etcd.control("role", "grant-permission", "app", "--prefix=true", "readwrite", "/wayleave/");
      etcd.control("user", "grant-role", "app", "app");
      etcd.control("auth", "enable");
      DatastoreOptions app = DatastoreOptions.DEFAULTS.withPassword("app", "pass");
      try (Datastore datastore = Datastores.open(etcd.url(), app);
          Watch watch = datastore.watch("", datastore.listAll("", deadline()).revision());
          Session session = datastore.openSession(Duration.ofSeconds(5), deadline())) {
        datastore.commit(
            Transaction.builder().putBound("a", new byte[] {'1'}, session).build(), deadline());
        assertThat(DatastoreContractTest.take(watch, 1)).containsExactly("a=1");
        // A restart forgets all tokens: calls, watch and session each get a new one.
        etcd.kill();
        etcd.startProcessAgain();
        assertThat(datastore.get("a", deadline())).isPresent();
        datastore.commit(Transaction.builder().put("b", "2").build(), deadline());
        assertThat(DatastoreContractTest.take(watch, 1)).containsExactly("b=2");
      }
      assertThatThrownBy(
              () -> use(etcd.url(), DatastoreOptions.DEFAULTS.withPassword("app", "wrong")))
          .isInstanceOf(DatastoreRefusedException.class)
          .hasMessageContaining("authentication failed")
          .hasMessageNotContaining("wrong");
      assertThatThrownBy(() -> use(etcd.url(), DatastoreOptions.DEFAULTS))
          .as("no user")
          .isInstanceOf(DatastoreRefusedException.class);
      assertThatThrownBy(() -> use(etcd.url() + "/elsewhere", app))
          .isInstanceOf(DatastoreRefusedException.class)
          .hasMessageContaining("permission denied");
    }
  }

  @Test
  void aUserForAnEtcdWithoutAuthenticationIsNoError() {
    try (EtcdServer etcd = EtcdServer.start()) {
      use(etcd.url(), DatastoreOptions.DEFAULTS.withPassword("app", "pass"));
    }
  }

  private static void use(String url, DatastoreOptions options) {
    try (Datastore datastore = Datastores.open(url, options)) {
      datastore.commit(Transaction.builder().put("x", "1").build(), deadline());
    }
  }

  /** It is told where, and what was wrong. */
  private static void assertRefused(
      String why, String url, DatastoreOptions options, String reason) {
    try (Datastore datastore = Datastores.open(url, options)) {
      assertThatThrownBy(() -> datastore.get("a", Deadline.after(SHORT)))
          .as(why)
          .isInstanceOf(DatastoreException.class)
          .hasMessageContaining(url)
          .hasMessageContaining(reason);
    }
  }

  private Path authority(String name) {
    openssl(
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=" + name,
        "-keyout",
        key(name).toString(),
        "-out",
        pem(name).toString());
    return pem(name);
  }

  private void certificate(String name, String authority, String extension) throws IOException {
    Path request = directory.resolve(name + ".csr");
    Path extensions =
        Files.writeString(directory.resolve(name + ".ext"), extension + System.lineSeparator());
    openssl(
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=" + name,
        "-keyout",
        key(name).toString(),
        "-out",
        request.toString());
    openssl(
        "x509",
        "-req",
        "-days",
        "2",
        "-in",
        request.toString(),
        "-CA",
        pem(authority).toString(),
        "-CAkey",
        key(authority).toString(),
        "-CAcreateserial",
        "-extfile",
        extensions.toString(),
        "-out",
        pem(name).toString());
  }

  private void openssl(String... arguments) {
    List<String> command = new java.util.ArrayList<>(List.of("openssl"));
    command.addAll(List.of(arguments));
    Commands.run(directory, command);
  }

  private Path pem(String name) {
    return directory.resolve(name + ".pem");
  }

  private Path key(String name) {
    return directory.resolve(name + ".key");
  }

  private static Deadline deadline() {
    return Deadline.after(LIMIT);
  }
}
