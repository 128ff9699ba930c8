package io.wayleave.cni;

import io.wayleave.model.InvalidInputException;
import java.util.regex.Pattern;

/**
 * One interface of one container: what a CNI attachment is identified by (CNI spec 1.1.0, section
 * 3).
 *
 * @param containerId the runtime's id, {@code CNI_CONTAINERID}
 * @param ifname the interface's name in the container, {@code CNI_IFNAME}
 */
public record AttachmentKey(String containerId, String ifname) {
  static final int MAX_CONTAINER_ID = 160;

  private static final Pattern CONTAINER_ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]*");
  // Narrower than the kernel's rule: the name ends the endpoint's resource name.
  private static final Pattern IFNAME =
      Pattern.compile("(?!\\.\\.?$)[A-Za-z0-9_.-]{0,14}[A-Za-z0-9_]");

  public AttachmentKey {
    if (containerId.length() > MAX_CONTAINER_ID || !CONTAINER_ID.matcher(containerId).matches()) {
      throw new InvalidInputException(
          "CNI_CONTAINERID",
          containerId,
          "a letter or digit, then letters, digits, '_', '.' and '-', at most "
              + MAX_CONTAINER_ID
              + " in all");
    }
    if (!IFNAME.matcher(ifname).matches()) {
      throw new InvalidInputException(
          "CNI_IFNAME",
          ifname,
          "1 to 15 letters, digits, '_', '.' and '-', the last one a letter, digit or '_'");
    }
  }

  /** Name for files: unlike '.', '@' is in neither part's way, so that no two keys share a name. */
  String fileName() {
    return containerId + "@" + ifname;
  }

  @Override
  public String toString() {
    return containerId + "/" + ifname;
  }
}
