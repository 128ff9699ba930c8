package io.wayleave.agent;

import io.wayleave.bgp.daemon.LogSetup;
import io.wayleave.bgp.daemon.OrderlyEnd;
import io.wayleave.linux.Host;
import io.wayleave.model.InvalidInputException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.slf4j.LoggerFactory;

/** {@code wayleave-agent}: reads the configuration and runs the agent until SIGTERM or SIGINT. */
public final class AgentMain {
  private static final String USAGE = "usage: wayleave-agent [--config FILE] [--version] [--help]";

  private AgentMain() {}

  public static void main(String[] arguments) throws InterruptedException {
    Path file = AgentConfig.DEFAULT_FILE;
    boolean named = false;
    for (int i = 0; i < arguments.length; i++) {
      switch (arguments[i]) {
        case "--config" -> {
          if (++i == arguments.length) {
            exit(2, "--config needs a file\n" + USAGE);
          }
          file = Path.of(arguments[i]);
          named = true;
        }
        case "--version" -> {
          System.out.println("wayleave-agent " + Agent.version());
          return;
        }
        case "--help", "-h" -> {
          System.out.println(USAGE);
          return;
        }
        default -> exit(2, "unknown argument \"" + arguments[i] + "\"\n" + USAGE);
      }
    }
    run(file, named);
  }

  private static void run(Path file, boolean named) throws InterruptedException {
    try {
      AgentConfig configuration =
          AgentConfig.load(file, named, System.getenv()).withNodeNameIfAbsent(Host.hostname());
      LogSetup.install(configuration.logLevel(), configuration.logFormat());
      var _ = OrderlyEnd.start(() -> Agent.start(configuration, AgentMain::die));
    } catch (InvalidInputException e) {
      exit(2, e.getMessage());
    } catch (IOException | RuntimeException e) {
      LoggerFactory.getLogger(AgentMain.class).error("agent could not start", e);
      exit(1, "could not start: " + e.getMessage());
    }
    // A signal ends the process, or the death of a part.
    new CountDownLatch(1).await();
  }

  /**
   * On a thread of its own: the exit waits for the shutdown hook, and that for the dying thread.
   */
  @SuppressWarnings("SystemExitOutsideMain") // The one way to be started anew.
  private static void die(Throwable cause) {
    LoggerFactory.getLogger(AgentMain.class)
        .error("agent ends because a part of it has ended", cause);
    Thread.ofPlatform().name("wayleave-die").start(() -> System.exit(1));
  }

  @SuppressWarnings("SystemExitOutsideMain") // Only main calls it, before anything was started.
  private static void exit(int code, String message) {
    PrintStream err = System.err;
    err.println("wayleave-agent: " + message);
    System.exit(code);
  }
}
