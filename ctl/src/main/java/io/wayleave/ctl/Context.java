package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreOptions;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * What one run of netctl works with. The datastore is opened by the first command that asks for it,
 * so that {@code node status} works on a host whose datastore is away, and help costs nothing. NOT
 * thread safe.
 */
final class Context implements AutoCloseable {
  /** Opens a datastore without connecting. */
  interface Opener {
    Datastore open(String url, DatastoreOptions options);
  }

  private static final Map<String, String> DATASTORE_FLAGS =
      Map.of(
          "datastore", "--datastore",
          "caFile", "--datastore-ca",
          "certificateFile", "--datastore-cert",
          "keyFile", "--datastore-key",
          "user", "--datastore-user",
          "password", "--datastore-password-file");

  private final GlobalOptions options;
  private final InputStream in;
  private final PrintStream out;
  private final PrintStream err;
  private final Map<String, String> environment;
  private final Opener opener;
  private Optional<Datastore> open = Optional.empty();
  private int exitCode;

  Context(
      GlobalOptions options,
      InputStream in,
      PrintStream out,
      PrintStream err,
      Map<String, String> environment,
      Opener opener) {
    this.options = requireNonNull(options, "options is null");
    this.in = requireNonNull(in, "in is null");
    this.out = requireNonNull(out, "out is null");
    this.err = requireNonNull(err, "err is null");
    this.environment = Map.copyOf(environment);
    this.opener = requireNonNull(opener, "opener is null");
  }

  InputStream in() {
    return in;
  }

  Output output() {
    return new Output(options.format(), out);
  }

  /** As given by flag, environment or default. */
  String datastoreUrl() {
    return options.datastoreUrl(environment);
  }

  Datastore datastore() {
    if (open.isEmpty()) {
      open = Optional.of(openDatastore(datastoreUrl()));
    }
    return open.get();
  }

  /** A datastore with the credentials of this run; the caller closes it. */
  Datastore openDatastore(String url) {
    Logging.install(options.debug());
    return Flags.read(
        DATASTORE_FLAGS, () -> opener.open(url, options.datastoreOptions(environment)));
  }

  Resources resources() {
    return new Resources(datastore(), this::problem);
  }

  /** Tells of something wrong beside the result, which makes the exit code 1. */
  void problem(String line) {
    err.println(new ErrorLine(line, ErrorLine.FAILED).printed());
    exitCode = ErrorLine.FAILED;
  }

  /** Whether there was a {@link #problem}. */
  int exitCode() {
    return exitCode;
  }

  PoolEditor pools() {
    return new PoolEditor(datastore());
  }

  Applier applier(Applier.Mode mode) {
    return new Applier(resources(), pools(), mode);
  }

  Deletion deletion(boolean ifExists) {
    return new Deletion(resources(), pools(), ifExists);
  }

  AdminClient agent() {
    return new AdminClient(options.adminSocket(environment), options.timeout());
  }

  /** Who answers at that socket; at the agent's when none is given. */
  AdminClient admin(Optional<Path> socket) {
    return socket.map(path -> new AdminClient(path, options.timeout())).orElseGet(this::agent);
  }

  @Override
  public void close() {
    open.ifPresent(Datastore::close);
    open = Optional.empty();
  }
}
