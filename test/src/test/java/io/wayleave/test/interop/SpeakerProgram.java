package io.wayleave.test.interop;

import io.wayleave.bgp.BgpSpeaker;
import io.wayleave.bgp.LearnedRoute;
import io.wayleave.bgp.RouteListener;
import io.wayleave.bgp.StartMode;
import io.wayleave.bgp.admin.AdminServer;
import io.wayleave.bgp.admin.BgpAdmin;
import io.wayleave.bgp.daemon.SpeakerFile;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.EnumSet;
import java.util.Optional;

/**
 * {@code wayleave-bgp} as one that starts afresh or has kept its routes over a restart, as the test
 * says, and that writes down what the owner of the routes is told, as an agent would be. The file
 * and the admin API are the installed program's.
 */
final class SpeakerProgram {
  private SpeakerProgram() {}

  /** Arguments: the file, the admin socket, where changes go, and {@code restarted} or not. */
  public static void main(String[] arguments) throws IOException {
    SpeakerFile file = SpeakerFile.load(Path.of(arguments[0]));
    Path changes = Path.of(arguments[2]);
    Files.writeString(changes, "");
    BgpSpeaker speaker =
        BgpSpeaker.start(
            file.config(),
            arguments[3].equals("restarted")
                ? new StartMode.Restarted(EnumSet.allOf(Family.class))
                : new StartMode.Fresh(),
            new Owner(changes));
    file.originations().forEach(speaker::originate);
    speaker.localRoutesInSync();
    // Its thread keeps the program alive, until it is killed.
    var _ =
        new AdminServer(
            Path.of(arguments[1]), new BgpAdmin(() -> Optional.of(speaker)).endpoints());
  }

  /** Writes down every change to the learned routes, in order. */
  private record Owner(Path file) implements RouteListener {
    private void write(String change) {
      try {
        Files.writeString(file, change + "\n", StandardOpenOption.APPEND);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void changed(LearnedRoute route) {
      write("+" + route.prefix());
    }

    @Override
    public void removed(Cidr prefix) {
      write("-" + prefix);
    }

    @Override
    public void converged() {
      write("converged");
    }
  }
}
