package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreMover;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.Datastores;
import io.wayleave.datastore.zookeeper.EmbeddedServer;
import io.wayleave.model.status.DatastoreAccess;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

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
  private final Set<String> named = new LinkedHashSet<>();
  private Optional<DatastoreAccess> access = Optional.empty();
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

  /**
   * By flag or environment, else the agent of this host is asked.
   *
   * @throws CommandFailedException when nobody names one
   */
  String datastoreUrl() {
    return access().url();
  }

  Datastore datastore() {
    if (open.isEmpty()) {
      open = Optional.of(open(access()));
    }
    return open.get();
  }

  /** A datastore with the credentials that the user gave; the caller closes it. */
  Datastore openDatastore(String url) {
    return open(DatastoreAccess.of(url));
  }

  /**
   * Asks a datastore once: one that is away is told in the time of a single answer, and not in that
   * of all that is wanted of it.
   */
  static Datastore reached(Datastore datastore) {
    var _ = datastore.get(DatastoreMover.INCOMPLETE, datastore.deadline());
    return datastore;
  }

  /** Ends what it stands for. */
  interface Serving extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Serves an embedded datastore for as long as nobody else does: its agent is stopped when it is
   * to be moved. For every other datastore it does nothing.
   *
   * @param make whether one that is not there shall be begun
   * @throws CommandFailedException when it is not there and shall not be begun
   */
  Serving serve(String url, boolean make) {
    Optional<Path> directory = Datastores.embeddedDirectory(url);
    if (directory.isEmpty() || EmbeddedServer.isServed(directory.get())) {
      return () -> {};
    }
    if (!make && !EmbeddedServer.exists(directory.get())) {
      throw new CommandFailedException(
          "there is no datastore in " + directory.get() + "; name the directory of one");
    }
    Logging.install(options.debug());
    // When it ends by itself, the command's own calls fail.
    EmbeddedServer server = EmbeddedServer.start(directory.get(), _ -> {});
    return () -> {
      close(); // a client would wait for an answer to its farewell
      server.close();
    };
  }

  /** The URLs of the datastores that were opened, for error messages. */
  String datastoreNames() {
    return String.join(" or ", named);
  }

  private Datastore open(DatastoreAccess chosen) {
    named.add(chosen.url());
    Logging.install(options.debug());
    return Flags.read(
        DATASTORE_FLAGS,
        () -> opener.open(chosen.url(), options.datastoreOptions(environment, chosen)));
  }

  private DatastoreAccess access() {
    if (access.isEmpty()) {
      access =
          Optional.of(
              options
                  .datastoreUrl(environment)
                  .map(DatastoreAccess::of)
                  .orElseGet(this::accessOfTheAgent));
    }
    return access.get();
  }

  private DatastoreAccess accessOfTheAgent() {
    AdminClient agent = agent();
    try {
      return agent.read(agent.get("/v1/datastore"), DatastoreAccess.class);
    } catch (CommandFailedException e) {
      throw new CommandFailedException(
          "no datastore is named and this host's agent tells of none; name one by --datastore or"
              + " WAYLEAVE_DATASTORE ("
              + e.getMessage()
              + ")",
          e);
    }
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

  /** What cannot be read is in force nowhere, and other commands tell of it. */
  PolicyRollout policyRollout() {
    return new PolicyRollout(datastore(), new Resources(datastore(), _ -> {}));
  }

  /** Waits until what is stored is in force everywhere, and says so to a person. */
  void awaitPolicy(Duration limit) {
    int nodes = policyRollout().await(limit);
    output().remark("policy is in force on " + Names.count(nodes, "node", "nodes") + "\n");
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
