package io.wayleave.datastore;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.InvalidInputException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * What a datastore URL does not say: credentials and times.
 *
 * @param caFile PEM file of the authorities that may sign the store's certificate; empty: those of
 *     the JVM
 * @param certificateFile PEM file of this client's certificate chain; with {@code keyFile}
 * @param keyFile PEM file (PKCS#8) of this client's private key
 * @param user name for etcd's password authentication or ZooKeeper's digest; with {@code password}
 * @param requestTimeout how long a call may take when its caller does not say
 */
public record DatastoreOptions(
    Optional<Path> caFile,
    Optional<Path> certificateFile,
    Optional<Path> keyFile,
    Optional<String> user,
    Optional<String> password,
    Duration requestTimeout) {
  public static final DatastoreOptions DEFAULTS =
      new DatastoreOptions(
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Duration.ofSeconds(5));

  public DatastoreOptions {
    requireNonNull(caFile, "caFile is null");
    requireTogether("certificateFile", certificateFile, "keyFile", keyFile);
    requireTogether("user", user, "password", password);
    if (requestTimeout.compareTo(Duration.ofMillis(10)) < 0
        || requestTimeout.compareTo(Duration.ofMinutes(10)) > 0) {
      throw new InvalidInputException(
          "requestTimeout", requestTimeout.toMillis() + "ms", "10 ms to 10 minutes");
    }
    if (user.filter(String::isEmpty).isPresent()) {
      throw new InvalidInputException("user", "", "a non-empty name");
    }
  }

  public DatastoreOptions withCaFile(Path file) {
    return new DatastoreOptions(
        Optional.of(file), certificateFile, keyFile, user, password, requestTimeout);
  }

  public DatastoreOptions withClientCertificate(Path certificate, Path key) {
    return new DatastoreOptions(
        caFile, Optional.of(certificate), Optional.of(key), user, password, requestTimeout);
  }

  public DatastoreOptions withPassword(String name, String secret) {
    return new DatastoreOptions(
        caFile, certificateFile, keyFile, Optional.of(name), Optional.of(secret), requestTimeout);
  }

  public DatastoreOptions withRequestTimeout(Duration timeout) {
    return new DatastoreOptions(caFile, certificateFile, keyFile, user, password, timeout);
  }

  boolean hasTlsFiles() {
    return caFile.isPresent() || certificateFile.isPresent();
  }

  private static void requireTogether(
      String first, Optional<?> firstValue, String second, Optional<?> secondValue) {
    if (firstValue.isPresent() != secondValue.isPresent()) {
      String missing = firstValue.isPresent() ? second : first;
      throw new InvalidInputException(missing, "", first + " and " + second + " together, or none");
    }
  }

  /** Without the password. */
  @Override
  public String toString() {
    return "DatastoreOptions[caFile="
        + caFile
        + ", certificateFile="
        + certificateFile
        + ", keyFile="
        + keyFile
        + ", user="
        + user
        + ", requestTimeout="
        + requestTimeout
        + "]";
  }
}
