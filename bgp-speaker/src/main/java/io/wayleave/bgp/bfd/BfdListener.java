package io.wayleave.bgp.bfd;

/**
 * Hears what becomes of the sessions, on the thread of {@link BfdService}: it must not block. A
 * session is not up before {@link #up}.
 */
public interface BfdListener {
  void up(BfdEndpoint endpoint);

  /**
   * A session that was up has failed.
   *
   * @param independent whether the peer's BFD runs apart from its control plane (its C bit): then
   *     the path is broken; if not, its control plane may just be restarting (RFC 5882 section
   *     4.3.2)
   */
  void down(BfdEndpoint endpoint, Diagnostic diagnostic, boolean independent);

  /**
   * A session that was up was taken down on purpose, by one side's administrator. It says nothing
   * about the path (RFC 5882 section 4.2).
   */
  void adminDown(BfdEndpoint endpoint);
}
