package io.wayleave.bgp.daemon;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.BgpSpeaker;
import io.wayleave.bgp.Origination;
import io.wayleave.bgp.RouteListener;
import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.bgp.admin.AdminServer;
import io.wayleave.bgp.admin.BgpAdmin;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A speaker that is told everything by one file and has no use for the routes that it learns but to
 * tell them on. Reads the file again on demand; a broken file changes nothing. Files of passwords
 * are looked at every few seconds.
 *
 * <p>Thread safe: {@link #reload} and {@link #close} may be called from any thread.
 */
public final class BgpDaemon implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(BgpDaemon.class);

  private static final Duration PASSWORD_CHECK = Duration.ofSeconds(5);

  private final Path path;
  // Goes before what the file says.
  private final Optional<Path> fixedSocket;
  private final BgpSpeaker speaker;
  private final ScheduledExecutorService passwordWatch =
      Executors.newSingleThreadScheduledExecutor(
          task -> Thread.ofPlatform().name("wayleave-passwords").daemon().unstarted(task));
  private SpeakerFile file;
  private SpeakerConfig config;
  private Map<Cidr, Origination> originated = Map.of();
  private Optional<Path> socket = Optional.empty();
  private Optional<AdminServer> admin = Optional.empty();
  private String passwordTrouble = "";

  private BgpDaemon(Path path, SpeakerFile file, SpeakerConfig config, Optional<Path> fixedSocket) {
    this.path = requireNonNull(path, "path is null");
    this.file = requireNonNull(file, "file is null");
    this.config = requireNonNull(config, "config is null");
    this.fixedSocket = requireNonNull(fixedSocket, "fixedSocket is null");
    speaker = BgpSpeaker.start(config, file.startMode(), RouteListener.NONE);
  }

  /**
   * Starts the speaker of a file.
   *
   * @param path where the file is, to read it again
   * @param file what it says now
   * @param adminSocket goes before the socket that the file names
   * @throws InvalidInputException where fields do not fit together
   * @throws IOException when a file that it names cannot be read
   */
  public static BgpDaemon start(Path path, SpeakerFile file, Optional<Path> adminSocket)
      throws IOException {
    Map<Cidr, Origination> routes = file.originations();
    BgpDaemon daemon = new BgpDaemon(path, file, file.config(), adminSocket);
    daemon.originate(routes);
    daemon.speaker.localRoutesInSync();
    try {
      daemon.serve(file);
    } catch (IOException e) {
      daemon.close();
      throw e;
    }
    var _ =
        daemon.passwordWatch.scheduleWithFixedDelay(
            daemon::readPasswords,
            PASSWORD_CHECK.toMillis(),
            PASSWORD_CHECK.toMillis(),
            TimeUnit.MILLISECONDS);
    return daemon;
  }

  /** Has the admin API where the file wants it. */
  private synchronized void serve(SpeakerFile wanted) throws IOException {
    Optional<Path> where = fixedSocket.or(wanted::adminSocket).map(Path::toAbsolutePath);
    if (where.equals(socket)) {
      return;
    }
    // The new one first: when it cannot be had, the former one stays.
    BgpAdmin bgp = new BgpAdmin(() -> Optional.of(speaker));
    Optional<AdminServer> opened = Optional.empty();
    if (where.isPresent()) {
      opened = Optional.of(new AdminServer(where.get(), bgp.endpoints()));
    }
    admin.ifPresent(AdminServer::close);
    admin = opened;
    socket = where;
  }

  public BgpSpeaker speaker() {
    return speaker;
  }

  /**
   * Reads the file again and goes over to what differs; there is no field for which that needs a
   * restart of the program.
   */
  public synchronized void reload() {
    SpeakerFile read;
    SpeakerConfig changed;
    Map<Cidr, Origination> routes;
    try {
      read = SpeakerFile.load(path);
      changed = read.config();
      routes = read.originations();
    } catch (InvalidInputException | IOException e) {
      log.error(
          "configuration not taken, the former one stays file={} reason=\"{}\"",
          path,
          e.getMessage());
      return;
    }
    try {
      serve(read);
    } catch (IOException e) {
      log.error("admin socket stays where it was reason=\"{}\"", e.getMessage());
    }
    SpeakerFile former = file;
    file = read;
    if (read.logLevel() != former.logLevel() || read.logFormat() != former.logFormat()) {
      LogSetup.install(read.logLevel(), read.logFormat());
    }
    if (read.equals(former) && changed.equals(config)) {
      log.info("configuration read again, nothing differs file={}", path);
      return;
    }
    speaker.apply(changed);
    config = changed;
    originate(routes);
    log.info(
        "configuration changed file={} peers={} routes={} adminSocket={} logLevel={}",
        path,
        changed.peers().size(),
        routes.size(),
        socket.map(Path::toString).orElse("none"),
        read.logLevel());
  }

  /**
   * Reads the files of passwords again. One that cannot be read, as it may be just being written,
   * changes nothing.
   */
  private synchronized void readPasswords() {
    if (!file.hasPasswordFiles()) {
      return;
    }
    try {
      SpeakerConfig now = file.config();
      passwordTrouble = "";
      if (!now.equals(config)) {
        log.info("password changed file={}", path);
        speaker.apply(now);
        config = now;
      }
    } catch (InvalidInputException | IOException e) {
      if (!passwordTrouble.equals(e.getMessage())) {
        passwordTrouble = String.valueOf(e.getMessage());
        log.warn("password not taken, the former one stays reason=\"{}\"", passwordTrouble);
      }
    } catch (RuntimeException e) {
      log.error("passwords not read again", e);
    }
  }

  private synchronized void originate(Map<Cidr, Origination> routes) {
    for (Cidr former : originated.keySet()) {
      if (!routes.containsKey(former)) {
        speaker.withdraw(former);
      }
    }
    routes.forEach(
        (prefix, origination) -> {
          if (!origination.equals(originated.get(prefix))) {
            speaker.originate(prefix, origination);
          }
        });
    originated = routes;
  }

  /**
   * Takes leave of every peer by Cease/Administrative Shutdown; where forwarding is preserved, goes
   * without a word instead, so that peers keep our routes for the restart time.
   */
  @Override
  public void close() {
    passwordWatch.shutdownNow();
    synchronized (this) {
      admin.ifPresent(AdminServer::close);
      if (file.forwardingPreserved()) {
        speaker.closeForRestart();
      } else {
        speaker.close();
      }
    }
  }
}
