package io.wayleave.ctl;

import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.status.DatastoreAccess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/**
 * {@code netctl} itself: the options that every command takes, before or after the command's name.
 * A flag goes before its environment variable, an empty variable counts as none. Picocli writes the
 * fields while it parses; they are read afterwards only.
 */
@Command(
    name = "netctl",
    description = "Shows and changes what a Wayleave fabric shall do, and asks agents how it goes.",
    footer = {
      "",
      "Exit code: 0 done, 1 failed, 2 the command line is wrong. Results go to standard output,"
          + " errors to standard error, a line each."
    })
final class GlobalOptions {
  static final String DEFAULT_ADMIN_SOCKET = "/run/wayleave/admin.sock";

  private static final Pattern DURATION = Pattern.compile("([0-9]{1,9})(ms|s|m|)");

  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "Show what a command takes.")
  @SuppressWarnings("UnusedVariable") // picocli reads it
  private boolean help;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "table",
      scope = ScopeType.INHERIT,
      description = "table (default), json or yaml.")
  private OutputFormat format;

  @Option(
      names = "--datastore",
      paramLabel = "URL",
      scope = ScopeType.INHERIT,
      description =
          "etcd://HOST:PORT[,HOST:PORT...][/PREFIX], etcds:// for TLS,"
              + " zookeeper://, or embedded:DIR. Else WAYLEAVE_DATASTORE,"
              + " else that of this host's agent, with the agent's credentials.")
  private Optional<String> datastore;

  @Option(
      names = "--datastore-ca",
      paramLabel = "FILE",
      scope = ScopeType.INHERIT,
      description =
          "Authorities that may sign the datastore's certificate, PEM."
              + " Else WAYLEAVE_DATASTORE_CA.")
  private Optional<Path> caFile;

  @Option(
      names = "--datastore-cert",
      paramLabel = "FILE",
      scope = ScopeType.INHERIT,
      description = "Certificate of this client, PEM. Else WAYLEAVE_DATASTORE_CERT.")
  private Optional<Path> certificateFile;

  @Option(
      names = "--datastore-key",
      paramLabel = "FILE",
      scope = ScopeType.INHERIT,
      description = "Private key of this client, PEM. Else WAYLEAVE_DATASTORE_KEY.")
  private Optional<Path> keyFile;

  @Option(
      names = "--datastore-user",
      paramLabel = "NAME",
      scope = ScopeType.INHERIT,
      description = "User of the datastore. Else WAYLEAVE_DATASTORE_USER.")
  private Optional<String> user;

  // A password as a flag would stand in the list of processes for everybody.
  @Option(
      names = "--datastore-password-file",
      paramLabel = "FILE",
      scope = ScopeType.INHERIT,
      description =
          "File with the user's password. Else WAYLEAVE_DATASTORE_PASSWORD_FILE,"
              + " else the password itself in WAYLEAVE_DATASTORE_PASSWORD.")
  private Optional<Path> passwordFile;

  @Option(
      names = "--admin-socket",
      paramLabel = "PATH",
      scope = ScopeType.INHERIT,
      description =
          "Socket of this host's agent. Else WAYLEAVE_ADMIN_SOCKET, else "
              + DEFAULT_ADMIN_SOCKET
              + ".")
  private Optional<Path> adminSocket;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      defaultValue = "5s",
      scope = ScopeType.INHERIT,
      description =
          "How long the datastore or the agent may take to answer: 500ms, 5s (default)" + " or 1m.")
  private Duration timeout;

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "On an error, show the stack trace and what libraries log.")
  private boolean debug;

  OutputFormat format() {
    return format;
  }

  boolean debug() {
    return debug;
  }

  Duration timeout() {
    return timeout;
  }

  /** The datastore that the user named; empty when the agent is to be asked. */
  Optional<String> datastoreUrl(Map<String, String> environment) {
    return orVariable(datastore, environment, "WAYLEAVE_DATASTORE");
  }

  Path adminSocket(Map<String, String> environment) {
    return orPath(adminSocket, environment, "WAYLEAVE_ADMIN_SOCKET")
        .orElse(Path.of(DEFAULT_ADMIN_SOCKET));
  }

  /**
   * @param access has the credentials that are used when the user gave none at all
   */
  DatastoreOptions datastoreOptions(Map<String, String> environment, DatastoreAccess access) {
    Optional<Path> ca = orPath(caFile, environment, "WAYLEAVE_DATASTORE_CA");
    Optional<Path> certificate = orPath(certificateFile, environment, "WAYLEAVE_DATASTORE_CERT");
    Optional<Path> key = orPath(keyFile, environment, "WAYLEAVE_DATASTORE_KEY");
    Optional<String> name = orVariable(user, environment, "WAYLEAVE_DATASTORE_USER");
    Optional<String> password = password(environment);
    if (Stream.of(ca, certificate, key, name, password).allMatch(Optional::isEmpty)) {
      ca = access.caFile().map(Path::of);
      certificate = access.certificateFile().map(Path::of);
      key = access.keyFile().map(Path::of);
      name = access.user();
      password = access.passwordFile().map(Path::of).map(GlobalOptions::read);
    }
    return new DatastoreOptions(ca, certificate, key, name, password, timeout);
  }

  private Optional<String> password(Map<String, String> environment) {
    return orPath(passwordFile, environment, "WAYLEAVE_DATASTORE_PASSWORD_FILE")
        .map(GlobalOptions::read)
        .or(() -> orVariable(Optional.empty(), environment, "WAYLEAVE_DATASTORE_PASSWORD"));
  }

  private static String read(Path passwordFile) {
    try {
      return Files.readString(passwordFile).strip();
    } catch (IOException e) {
      throw new CommandFailedException("the password file " + TextFiles.why(passwordFile, e), e);
    }
  }

  private static Optional<Path> orPath(
      Optional<Path> flag, Map<String, String> environment, String variable) {
    return flag.or(() -> orVariable(Optional.empty(), environment, variable).map(Path::of));
  }

  private static Optional<String> orVariable(
      Optional<String> flag, Map<String, String> environment, String variable) {
    return flag.or(
        () -> Optional.ofNullable(environment.get(variable)).filter(value -> !value.isEmpty()));
  }

  /**
   * Reads {@code 500ms}, {@code 5s}, {@code 1m} or a number of seconds, 10 ms to 10 minutes.
   *
   * @throws InvalidInputException when it is anything else
   */
  static Duration parseTimeout(String text) {
    Matcher matcher = DURATION.matcher(text);
    if (matcher.matches()) {
      long number = Long.parseLong(matcher.group(1));
      Duration duration =
          switch (matcher.group(2)) {
            case "ms" -> Duration.ofMillis(number);
            case "m" -> Duration.ofMinutes(number);
            default -> Duration.ofSeconds(number);
          };
      if (duration.compareTo(Duration.ofMillis(10)) >= 0
          && duration.compareTo(Duration.ofMinutes(10)) <= 0) {
        return duration;
      }
    }
    throw new InvalidInputException("", text, "10ms to 10m, such as 500ms, 5s or 1m");
  }

  /** As {@link #parseTimeout} reads it. */
  static String text(Duration duration) {
    long millis = duration.toMillis();
    return millis % 1000 == 0 ? millis / 1000 + "s" : millis + "ms";
  }
}
