package io.wayleave.model.status;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.wayleave.model.Absent;
import java.util.List;
import java.util.Optional;

/**
 * A BGP speaker at one moment, as its admin API tells it and {@code netctl bgp} shows it. Times are
 * ISO 8601 in UTC.
 *
 * @param converged whether every peer that can be waited for has sent all of its routes
 * @param waitingFor names of the peers that have not
 * @param listening addresses that are bound
 * @param listenErrors addresses that could not be bound, and why
 * @param originated how many routes are originated here
 */
public record BgpReport(
    String routerId,
    long asNumber,
    boolean converged,
    List<String> waitingFor,
    List<String> listening,
    List<String> listenErrors,
    int originated,
    List<Neighbor> neighbors) {

  /**
   * One peer.
   *
   * @param where as configured: an address, an interface or a range
   * @param address where it is, once that is known
   * @param asNumber once it is known
   * @param type {@code internal} or {@code external}
   * @param state one of the six of RFC 4271
   * @param since when it entered the state
   * @param session present while it is up
   * @param whyDown present while it is down
   * @param lastError the last failure, also after the session came up again
   * @param faults messages of the peer with an error in them, and limits that it exceeded
   * @param logLinesLeftOut lines that were not written to the log, so that the peer does not fill
   *     it
   * @param staleFamilies families whose routes are kept though the session is or was down
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Neighbor(
      String name,
      String where,
      Optional<String> address,
      Optional<Long> asNumber,
      String type,
      String state,
      String since,
      Optional<Session> session,
      Optional<String> whyDown,
      Optional<Event> lastError,
      Optional<Event> lastNotificationSent,
      Optional<Event> lastNotificationReceived,
      long timesEstablished,
      long faults,
      long logLinesLeftOut,
      Messages messagesReceived,
      Messages messagesSent,
      List<Prefixes> prefixes,
      List<String> staleFamilies) {
    @JsonCreator
    public Neighbor {
      address = Absent.orEmpty(address);
      asNumber = Absent.orEmpty(asNumber);
      session = Absent.orEmpty(session);
      whyDown = Absent.orEmpty(whyDown);
      lastError = Absent.orEmpty(lastError);
      lastNotificationSent = Absent.orEmpty(lastNotificationSent);
      lastNotificationReceived = Absent.orEmpty(lastNotificationReceived);
      prefixes = Absent.orEmpty(prefixes);
      staleFamilies = Absent.orEmpty(staleFamilies);
    }
  }

  /** What the two speakers agreed on; times in seconds. */
  public record Session(
      String peerRouterId,
      String localAddress,
      long holdTime,
      long keepaliveInterval,
      long uptime,
      List<String> families,
      Capabilities capabilities) {}

  /**
   * Capabilities in the words of network engineers, such as {@code add-path ipv4 send/receive}.
   *
   * @param sent what our OPEN offers
   * @param received what the peer's OPEN offers
   * @param inForce what works because both offered it
   */
  public record Capabilities(List<String> sent, List<String> received, List<String> inForce) {}

  /** Something that happened once. */
  public record Event(String when, String text) {}

  /** Messages of one direction by type, since the peer was configured. */
  public record Messages(
      long open, long update, long notification, long keepalive, long routeRefresh) {}

  /**
   * Prefixes of one family.
   *
   * @param accepted usable ones of those received
   */
  public record Prefixes(String family, int received, int accepted, int advertised) {}

  /**
   * A part of a table.
   *
   * @param next to be given as {@code cursor} for the next page; absent on the last one
   */
  @JsonInclude(JsonInclude.Include.NON_ABSENT)
  public record Page(List<Route> routes, Optional<String> next) {
    @JsonCreator
    public Page {
      routes = Absent.orEmpty(routes);
      next = Absent.orEmpty(next);
    }
  }

  /** A prefix and the paths to it, the one in use first. */
  public record Route(String prefix, List<Path> paths) {}

  /**
   * One path.
   *
   * @param peer absent for a route originated here, and for what a peer was told
   * @param origin {@code igp}, {@code egp} or {@code incomplete}
   * @param originatorId who told it to a route reflector first (RFC 4456)
   * @param clusterList reflectors that it came by, the last one first
   * @param verdict {@code best}, {@code multipath}, {@code advertised}, or why it is not used
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Path(
      Optional<String> peer,
      Optional<String> nextHop,
      String origin,
      String asPath,
      Optional<Long> med,
      Optional<Long> localPref,
      List<String> communities,
      Optional<String> originatorId,
      List<String> clusterList,
      boolean used,
      boolean stale,
      String verdict) {
    @JsonCreator
    public Path {
      peer = Absent.orEmpty(peer);
      nextHop = Absent.orEmpty(nextHop);
      asPath = Absent.orElse(asPath, "");
      med = Absent.orEmpty(med);
      localPref = Absent.orEmpty(localPref);
      communities = Absent.orEmpty(communities);
      originatorId = Absent.orEmpty(originatorId);
      clusterList = Absent.orEmpty(clusterList);
    }
  }

  /** That something was done. */
  public record Done(String done) {}
}
