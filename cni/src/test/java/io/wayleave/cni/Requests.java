package io.wayleave.cni;

import java.util.LinkedHashMap;
import java.util.Map;

/** Request frames for tests, as the launcher writes them. */
final class Requests {
  private Requests() {}

  /**
   * @param more section names and values in turn; a value of "" takes the section away
   */
  static RequestFrame frame(String command, String config, String... more) {
    Map<String, String> sections = new LinkedHashMap<>();
    sections.put("CNI_COMMAND", command);
    sections.put("CNI_CONTAINERID", "c1");
    sections.put("CNI_IFNAME", "eth0");
    sections.put("CNI_NETNS", "/run/netns/c1");
    sections.put(RequestFrame.CONFIG, config);
    for (int i = 0; i < more.length; i += 2) {
      if (more[i + 1].isEmpty()) {
        sections.remove(more[i]);
      } else {
        sections.put(more[i], more[i + 1]);
      }
    }
    return RequestFrame.of(sections);
  }
}
