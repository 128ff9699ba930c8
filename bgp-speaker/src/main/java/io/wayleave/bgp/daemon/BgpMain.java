package io.wayleave.bgp.daemon;

import io.wayleave.bgp.SpeakerConfig;
import io.wayleave.model.InvalidInputException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.slf4j.LoggerFactory;

/**
 * {@code wayleave-bgp}: the BGP speaker alone, from one file, with no datastore and no kernel
 * routes. Runs until SIGTERM or SIGINT; SIGHUP makes it read its file again.
 */
public final class BgpMain {
  private static final String USAGE =
      "usage: wayleave-bgp --config FILE [--admin-socket PATH] [--check] [--version] [--help]";

  private BgpMain() {}

  public static void main(String[] arguments) throws InterruptedException {
    Optional<Path> file = Optional.empty();
    Optional<Path> adminSocket = Optional.empty();
    boolean check = false;
    for (int i = 0; i < arguments.length; i++) {
      switch (arguments[i]) {
        case "--config" -> file = Optional.of(path(arguments, ++i));
        case "--admin-socket" -> adminSocket = Optional.of(path(arguments, ++i));
        case "--check" -> check = true;
        case "--version" -> {
          System.out.println("wayleave-bgp " + version());
          return;
        }
        case "--help", "-h" -> {
          System.out.println(USAGE);
          return;
        }
        default -> exit(2, "unknown argument \"" + arguments[i] + "\"\n" + USAGE);
      }
    }
    if (file.isEmpty()) {
      exit(2, "--config is missing\n" + USAGE);
    }
    run(file.orElseThrow(), adminSocket, check);
  }

  private static Path path(String[] arguments, int at) {
    if (at == arguments.length) {
      exit(2, arguments[at - 1] + " needs a path\n" + USAGE);
    }
    return Path.of(arguments[at]);
  }

  private static void run(Path file, Optional<Path> adminSocket, boolean check)
      throws InterruptedException {
    CompletableFuture<BgpDaemon> started = new CompletableFuture<>();
    // First of all: a SIGHUP that nobody handles ends the process. One that comes while the file is
    // read may mean what was written since, so it reads the file again after the start.
    Hangup.handle(
        () -> {
          var _ = started.thenAccept(BgpDaemon::reload);
        });
    try {
      SpeakerFile first = SpeakerFile.load(file);
      SpeakerConfig config = first.config();
      if (check) {
        first.originations();
        System.out.println(file + " is valid; peers: " + config.peers().size());
        return;
      }
      LogSetup.install(first.logLevel(), first.logFormat());
      started.complete(OrderlyEnd.start(() -> BgpDaemon.start(file, first, adminSocket)));
    } catch (InvalidInputException e) {
      exit(2, file + ": " + e.getMessage());
    } catch (NoSuchFileException e) {
      exit(2, "--config: \"" + file + "\" is not allowed; allowed: a file that exists");
    } catch (IOException | RuntimeException e) {
      LoggerFactory.getLogger(BgpMain.class).error("speaker could not start", e);
      exit(1, "could not start: " + e.getMessage());
    }
    // A signal ends the process.
    new CountDownLatch(1).await();
  }

  static String version() {
    return Optional.ofNullable(BgpMain.class.getPackage().getImplementationVersion())
        .orElse("unpackaged");
  }

  @SuppressWarnings("SystemExitOutsideMain") // Only main calls it, before anything was started.
  private static void exit(int code, String message) {
    PrintStream err = System.err;
    err.println("wayleave-bgp: " + message);
    System.exit(code);
  }
}
