package io.wayleave.bgp.rib;

import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.Asn;
import io.wayleave.model.IpAddress;
import io.wayleave.model.RouterId;
import java.util.Optional;

/**
 * The comparisons of RFC 4271 section 9.1 in their order. Each drops the paths that are worse than
 * another that is left; the step that drops a path is the reason why it lost.
 */
public enum DecisionStep {
  /** A prefix that is ours is reached through the host itself, whatever others say. */
  LOCAL_ORIGIN("another path is originated here") {
    @Override
    int compare(Path a, Path b, NextHopMetric metric) {
      return Boolean.compare(b.isLocal(), a.isLocal());
    }
  },

  /** Section 9.1.1: the degree of preference. */
  LOCAL_PREF("lower local preference") {
    @Override
    int compare(Path a, Path b, NextHopMetric metric) {
      return Long.compare(b.localPref(), a.localPref());
    }
  },

  /** Section 9.1.2.2 a); an AS_SET counts as one. */
  AS_PATH_LENGTH("longer AS path") {
    @Override
    int compare(Path a, Path b, NextHopMetric metric) {
      return Integer.compare(a.attributes().asPath().length(), b.attributes().asPath().length());
    }
  },

  /** Section 9.1.2.2 b): IGP before EGP before INCOMPLETE. */
  ORIGIN("higher origin") {
    @Override
    int compare(Path a, Path b, NextHopMetric metric) {
      return a.attributes().origin().compareTo(b.attributes().origin());
    }
  },

  /**
   * Section 9.1.2.2 c): among paths through the same neighbour AS only, a missing one is 0. Paths
   * are dropped from the whole set at once, so the order of arrival does not matter ("deterministic
   * MED").
   */
  MED("higher MED from the same neighbour AS") {
    @Override
    int compare(Path a, Path b, NextHopMetric metric) {
      return neighbour(a).equals(neighbour(b)) ? compareMed(a, b) : 0;
    }

    @Override
    boolean isTotal() {
      return false;
    }
  },

  /** Section 9.1.2.2 d). */
  EXTERNAL("learned from an internal peer") {
    @Override
    int compare(Path a, Path b, NextHopMetric metric) {
      return Boolean.compare(a.isInternal(), b.isInternal());
    }
  },

  /** Section 9.1.2.2 e). */
  IGP_METRIC("next hop is farther away") {
    @Override
    int compare(Path a, Path b, NextHopMetric metric) {
      return Long.compare(distance(a, metric), distance(b, metric));
    }
  },

  /** Section 9.1.2.2 f); a reflected path counts as its originator's (RFC 4456 section 9). */
  ROUTER_ID("higher router id") {
    @Override
    int compare(Path a, Path b, NextHopMetric metric) {
      Optional<RouterId> one = originator(a);
      Optional<RouterId> other = originator(b);
      return one.isPresent() && other.isPresent() ? one.get().compareTo(other.get()) : 0;
    }
  },

  /** RFC 4456 section 9: before the peer address. */
  CLUSTER_LIST_LENGTH("longer cluster list") {
    @Override
    int compare(Path a, Path b, NextHopMetric metric) {
      return Integer.compare(
          a.attributes().clusterList().size(), b.attributes().clusterList().size());
    }
  },

  /** Section 9.1.2.2 g). */
  PEER_ADDRESS("higher peer address") {
    @Override
    int compare(Path a, Path b, NextHopMetric metric) {
      return peerAddress(a).compareTo(peerAddress(b));
    }
  },

  /** Peers on several links may have the same link-local address. */
  PEER_NAME("later peer name") {
    @Override
    int compare(Path a, Path b, NextHopMetric metric) {
      return peerName(a).compareTo(peerName(b));
    }
  },

  /**
   * Of the paths that one peer tells (RFC 7911). The id says nothing of the path, but without this
   * step the order of arrival would decide; no two paths of a peer to a prefix have the same.
   */
  PATH_ID("higher path id") {
    @Override
    int compare(Path a, Path b, NextHopMetric metric) {
      return Integer.compareUnsigned(a.pathId(), b.pathId());
    }
  };

  private static final IpAddress NO_ADDRESS = IpAddress.ofIpv4(0);

  private final String text;

  DecisionStep(String text) {
    this.text = text;
  }

  /** Less than 0 when {@code a} is better, more when {@code b} is, 0 when the step cannot tell. */
  abstract int compare(Path a, Path b, NextHopMetric metric);

  /** Whether the comparison orders any two paths, so that one pass finds the best. */
  boolean isTotal() {
    return true;
  }

  /** Why a path lost at this step, in words. */
  @Override
  public String toString() {
    return text;
  }

  /** Steps before this one decide which paths are equal enough to be used together. */
  static final DecisionStep FIRST_TIE_BREAK = ROUTER_ID;

  private static Optional<Asn> neighbour(Path path) {
    PathAttributes attributes = path.attributes();
    return attributes.asPath().neighbour();
  }

  /** Whatever the neighbour AS. */
  static int compareMed(Path a, Path b) {
    return Long.compare(med(a), med(b));
  }

  private static long med(Path path) {
    return path.attributes().med().orElse(0);
  }

  private static long distance(Path path, NextHopMetric metric) {
    return path.isLocal() ? 0 : metric.of(path).orElse(Long.MAX_VALUE);
  }

  private static Optional<RouterId> originator(Path path) {
    return switch (path.source()) {
      case PathSource.Local() -> Optional.empty();
      case PathSource.Peer peer ->
          Optional.of(path.attributes().originatorId().orElse(peer.routerId()));
    };
  }

  private static IpAddress peerAddress(Path path) {
    return switch (path.source()) {
      case PathSource.Local() -> NO_ADDRESS;
      case PathSource.Peer peer -> peer.address();
    };
  }

  private static String peerName(Path path) {
    return switch (path.source()) {
      case PathSource.Local() -> "";
      case PathSource.Peer peer -> peer.peer();
    };
  }
}
