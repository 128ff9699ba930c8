package io.wayleave.bgp.daemon;

import static java.util.Objects.requireNonNull;

import io.wayleave.bgp.BgpSpeaker;
import io.wayleave.bgp.Origination;
import io.wayleave.bgp.RouteListener;
import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.bgp.StartMode;
import io.wayleave.bgp.admin.AdminServer;
import io.wayleave.bgp.admin.BgpAdmin;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A speaker that is told everything by one file and has no use for the routes that it learns but to
 * tell them on. Reads the file again on demand; a broken file changes nothing.
 *
 * <p>Thread safe: {@link #reload} and {@link #close} may be called from any thread.
 */
public final class BgpDaemon implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(BgpDaemon.class);

  private final Path path;
  private final BgpSpeaker speaker;
  private SpeakerConfig config;
  private Map<Cidr, Origination> originated = Map.of();
  private Optional<AdminServer> admin = Optional.empty();

  private BgpDaemon(Path path, SpeakerConfig config) {
    this.path = requireNonNull(path, "path is null");
    this.config = requireNonNull(config, "config is null");
    speaker = BgpSpeaker.start(config, new StartMode.Fresh(), RouteListener.NONE);
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
    BgpDaemon daemon = new BgpDaemon(path, file.config());
    daemon.originate(routes);
    daemon.speaker.localRoutesInSync();
    Optional<Path> socket = adminSocket.or(file::adminSocket);
    if (socket.isPresent()) {
      try {
        daemon.serve(socket.get());
      } catch (IOException e) {
        daemon.close();
        throw e;
      }
    }
    return daemon;
  }

  private synchronized void serve(Path socket) throws IOException {
    BgpAdmin bgp = new BgpAdmin(() -> Optional.of(speaker));
    admin = Optional.of(new AdminServer(socket.toAbsolutePath(), bgp.endpoints()));
  }

  public BgpSpeaker speaker() {
    return speaker;
  }

  /** Reads the file again and goes over to what differs. */
  public synchronized void reload() {
    SpeakerConfig changed;
    Map<Cidr, Origination> routes;
    try {
      SpeakerFile file = SpeakerFile.load(path);
      changed = file.config();
      routes = file.originations();
    } catch (InvalidInputException | IOException e) {
      log.error(
          "configuration not taken, the former one stays file={} reason=\"{}\"",
          path,
          e.getMessage());
      return;
    }
    if (changed.equals(config) && routes.equals(originated)) {
      log.info("configuration read again, nothing differs file={}", path);
      return;
    }
    speaker.apply(changed);
    config = changed;
    originate(routes);
    log.info(
        "configuration changed file={} peers={} routes={}",
        path,
        changed.peers().size(),
        routes.size());
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

  /** Takes leave of every peer by Cease/Administrative Shutdown. */
  @Override
  public synchronized void close() {
    admin.ifPresent(AdminServer::close);
    speaker.close();
  }
}
