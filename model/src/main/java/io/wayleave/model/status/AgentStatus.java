package io.wayleave.model.status;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Optional;

/**
 * What one agent says of itself: the answer of {@code GET /v1/status} on its admin socket. Times
 * are ISO 8601 in UTC.
 *
 * @param node the node's name
 * @param version of the agent
 * @param since when the agent started
 * @param ready whether it accepts ADD
 * @param notReady why not, one reason an entry; empty when ready
 * @param addresses the node's own addresses and why these were chosen
 * @param datastore how it stands with the datastore
 * @param bgp the BGP speaker
 * @param routes routes in the kernel by source
 * @param endpoints number of containers' interfaces on this node
 * @param garbage the collection of addresses whose owner is gone; empty when it is turned off
 * @param failing what could not be programmed, and why
 */
@JsonInclude(JsonInclude.Include.NON_ABSENT)
public record AgentStatus(
    String node,
    String version,
    String since,
    boolean ready,
    List<String> notReady,
    List<NodeAddress> addresses,
    DatastoreStatus datastore,
    BgpStatus bgp,
    RouteCounts routes,
    int endpoints,
    Optional<GarbageStatus> garbage,
    List<Failure> failing) {

  /** One of the node's addresses and the reason why it was chosen. */
  public record NodeAddress(String address, String interfaceName, String reason) {}

  /** Whether the datastore answers, since when it does or does not, and the last error. */
  @JsonInclude(JsonInclude.Include.NON_ABSENT)
  public record DatastoreStatus(
      String url, boolean connected, String since, boolean inSync, Optional<String> lastError) {}

  /**
   * The BGP speaker and its peers.
   *
   * @param mesh whether the node peers with every other node, and why or why not
   */
  public record BgpStatus(String routerId, long asNumber, String mesh, List<Peer> peers) {}

  /**
   * One BGP peer.
   *
   * @param type {@code global}, {@code node specific} or {@code node-to-node mesh}
   * @param state one of the six of RFC 4271
   * @param since when it entered the state
   * @param info the last error or NOTIFICATION of a session that is down; what was negotiated when
   *     it is up
   */
  public record Peer(
      String name,
      String address,
      long asNumber,
      String type,
      String state,
      String since,
      String info,
      long received,
      long accepted,
      long advertised) {}

  /** Number of routes in the kernel that are the agent's, by source. */
  public record RouteCounts(int local, int learned, int blackhole) {}

  /**
   * What the collection of addresses has done since the agent started.
   *
   * @param runs how often it looked
   * @param last when it last ended; empty before
   * @param fabric whether it then looked for nodes that are gone too, for all agents
   * @param suspected handles whose owner it then did not find, and that it has not released yet
   * @param released handles that it released
   * @param blocks blocks that it took from nodes that are gone
   * @param failures how often it could not look
   * @param lastError why it could not the last time; empty when it could
   */
  @JsonInclude(JsonInclude.Include.NON_ABSENT)
  public record GarbageStatus(
      long runs,
      Optional<String> last,
      boolean fabric,
      int suspected,
      long released,
      long blocks,
      long failures,
      Optional<String> lastError) {
    /** It has not looked yet. */
    public static final GarbageStatus NEVER =
        new GarbageStatus(0, Optional.empty(), false, 0, 0, 0, 0, Optional.empty());

    /** The same after one more look, which released so much. */
    public GarbageStatus after(
        String now, boolean forAll, int suspectedNow, int releasedNow, int blocksNow) {
      return new GarbageStatus(
          runs + 1,
          Optional.of(now),
          forAll,
          suspectedNow,
          released + releasedNow,
          blocks + blocksNow,
          failures,
          Optional.empty());
    }

    /** The same after a look that failed. */
    public GarbageStatus failed(String now, String reason) {
      return new GarbageStatus(
          runs + 1,
          Optional.of(now),
          fabric,
          suspected,
          released,
          blocks,
          failures + 1,
          Optional.of(reason));
    }
  }

  /** Something that could not be programmed. */
  public record Failure(String what, String why) {}
}
