package io.wayleave.linux;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.wayleave.model.Family;
import io.wayleave.model.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;

/**
 * Kernel parameters under /proc/sys. A key is a path with slashes, {@code
 * net/ipv4/conf/eth0.7/forwarding}, because interface names may have dots.
 *
 * <p>The kernel answers {@code net/…} for the namespace of the thread that opens the file, so the
 * methods without a namespace speak of that of the calling thread; those with one run on a thread
 * inside it.
 */
public final class Sysctl {
  private static final Path ROOT = Path.of("/proc/sys");

  private Sysctl() {}

  /** The key of a setting of one interface, or of {@code all} or {@code default}. */
  public static String interfaceKey(Family family, String interfaceName, String setting) {
    if (interfaceName.isEmpty() || interfaceName.indexOf('/') >= 0) {
      throw new InvalidInputException("interface", interfaceName, "the name of an interface");
    }
    return "net/"
        + (family == Family.IPV4 ? "ipv4" : "ipv6")
        + "/conf/"
        + interfaceName
        + "/"
        + setting;
  }

  /** Without the line end. */
  public static String read(String key) throws IOException {
    Path path = path(key);
    try {
      return Files.readString(path, US_ASCII).strip();
    } catch (NoSuchFileException e) {
      throw missing(key, e);
    } catch (IOException e) {
      throw new IOException("could not read sysctl " + key + ": " + reason(e, path), e);
    }
  }

  public static void write(String key, String value) throws IOException {
    Path path = path(key);
    try {
      // One write call: the kernel takes each call as a whole value.
      Files.write(
          path,
          (value + "\n").getBytes(US_ASCII),
          StandardOpenOption.WRITE,
          StandardOpenOption.TRUNCATE_EXISTING);
    } catch (NoSuchFileException e) {
      throw missing(key, e);
    } catch (IOException e) {
      throw new IOException(
          "could not set sysctl " + key + " to \"" + value + "\": " + reason(e, path), e);
    }
  }

  public static String read(NetworkNamespace namespace, String key) throws IOException {
    return namespace.run(() -> read(key));
  }

  /** Writes in the order of the map and stops at the first that fails. */
  public static void write(NetworkNamespace namespace, Map<String, String> values)
      throws IOException {
    namespace.run(
        () -> {
          for (Map.Entry<String, String> value : values.entrySet()) {
            write(value.getKey(), value.getValue());
          }
          return null;
        });
  }

  private static Path path(String key) {
    Path path = ROOT.resolve(key);
    if (key.indexOf('/') <= 0 || !path.normalize().equals(path) || !path.startsWith(ROOT)) {
      throw new InvalidInputException("sysctl", key, "a path such as net/ipv4/ip_forward");
    }
    return path;
  }

  private static IOException missing(String key, NoSuchFileException cause) {
    return new IOException(
        "sysctl "
            + key
            + " does not exist: the interface is not in this network namespace, or the kernel"
            + " lacks the setting",
        cause);
  }

  /** "Invalid argument" and the like, without the path that Java puts before it. */
  private static String reason(IOException e, Path path) {
    String message = String.valueOf(e.getMessage());
    return message.startsWith(path + ": ")
        ? message.substring(path.toString().length() + 2)
        : message;
  }
}
