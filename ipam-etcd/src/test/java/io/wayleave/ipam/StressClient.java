package io.wayleave.ipam;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreException;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.Datastores;
import io.wayleave.datastore.Deadline;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * A process that is a host: it allocates and releases, and writes each acknowledged result to a
 * file, synced, before it goes on: {@code +handle addresses} and {@code -handle}. A release is
 * announced before by {@code ?handle}.
 */
final class StressClient {
  private StressClient() {}

  /** Arguments: URL, name of the host, number of allocations, file. */
  public static void main(String[] arguments) throws IOException {
    String name = arguments[1];
    int count = Integer.parseInt(arguments[2]);
    try (FileChannel file =
            FileChannel.open(
                Path.of(arguments[3]), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        Datastore datastore = Datastores.open(arguments[0], DatastoreOptions.DEFAULTS)) {
      Ipam ipam = new Ipam(datastore, name, Map::of, IpamOptions.defaults());
      for (int i = 0; i < count; i++) {
        String id = name + ".c" + i;
        try {
          Handle handle =
              ipam.allocate(Fixture.endpoint(id), Deadline.after(Duration.ofSeconds(20)));
          note(file, "+" + id + " " + handle.addresses());
        } catch (DatastoreException _) {
          continue; // outcome unknown, or none
        }
        if (i % 3 == 0) {
          note(file, "?" + id);
          try {
            ipam.release(id, Optional.empty(), Deadline.after(Duration.ofSeconds(20)));
            note(file, "-" + id);
          } catch (DatastoreException _) {
            // Begun and perhaps not done, as the file says.
          }
        }
      }
    }
  }

  private static void note(FileChannel file, String line) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
    while (bytes.hasRemaining()) {
      file.write(bytes);
    }
    file.force(false);
  }
}
