package io.wayleave.bgp.filter;

import io.wayleave.bgp.RoutePolicy.RouteOrigin;
import io.wayleave.bgp.RoutePolicy.Subject;
import io.wayleave.bgp.wire.AsPath;
import io.wayleave.bgp.wire.Community;
import io.wayleave.bgp.wire.LargeCommunity;
import io.wayleave.bgp.wire.PathAttributes;
import io.wayleave.model.Asn;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import java.util.List;
import java.util.Set;

/** One thing that a rule asks of a route. It allocates nothing: it is asked for every route. */
sealed interface Condition {
  boolean holds(Subject subject);

  /**
   * The prefix lies in a network (of its own family: rules are kept by family) and its length
   * within bounds.
   *
   * @param negated the rule asks for the opposite of both together
   */
  record PrefixIn(Network network, int min, int max, boolean negated) implements Condition {
    @Override
    public boolean holds(Subject subject) {
      Cidr prefix = subject.prefix();
      boolean in =
          prefix.prefixLength() >= min
              && prefix.prefixLength() <= max
              && prefix.prefixLength() >= network.length()
              && network.contains(prefix.address());
      return in != negated;
    }
  }

  /** The prefix is this one, or is not. */
  record PrefixEqual(Cidr cidr, int min, int max, boolean negated) implements Condition {
    @Override
    public boolean holds(Subject subject) {
      int length = subject.prefix().prefixLength();
      return (length >= min && length <= max && subject.prefix().equals(cidr)) != negated;
    }
  }

  /** The prefix's length lies within bounds, whatever the prefix. */
  record LengthIn(int min, int max) implements Condition {
    @Override
    public boolean holds(Subject subject) {
      int length = subject.prefix().prefixLength();
      return length >= min && length <= max;
    }
  }

  /** The route is not originated here. */
  record FromPeers() implements Condition {
    @Override
    public boolean holds(Subject subject) {
      return subject.origin() != RouteOrigin.LOCAL;
    }
  }

  /** The session is of this kind. */
  record Session(boolean internal) implements Condition {
    @Override
    public boolean holds(Subject subject) {
      return subject.internalPeer() == internal;
    }
  }

  /** Known when the rule is compiled: it is about the peer and not about the route. */
  record Always(boolean value) implements Condition {
    @Override
    public boolean holds(Subject subject) {
      return value;
    }
  }

  /** The route has one of these. */
  record AnyCommunity(Set<Community> standard, Set<LargeCommunity> large) implements Condition {
    public AnyCommunity {
      standard = Set.copyOf(standard);
      large = Set.copyOf(large);
    }

    @Override
    public boolean holds(Subject subject) {
      PathAttributes attributes = subject.attributes();
      for (int i = 0; !standard.isEmpty() && i < attributes.communities().size(); i++) {
        if (standard.contains(attributes.communities().get(i))) {
          return true;
        }
      }
      for (int i = 0; !large.isEmpty() && i < attributes.largeCommunities().size(); i++) {
        if (large.contains(attributes.largeCommunities().get(i))) {
          return true;
        }
      }
      return false;
    }
  }

  /** The path's first numbers, in sequences, are these. */
  record AsPathStart(List<Asn> numbers) implements Condition {
    public AsPathStart {
      numbers = List.copyOf(numbers);
    }

    @Override
    public boolean holds(Subject subject) {
      int at = 0;
      for (AsPath.Segment segment : subject.attributes().asPath().segments()) {
        if (at == numbers.size() || segment.type() != AsPath.SegmentType.SEQUENCE) {
          break;
        }
        for (int i = 0; i < segment.numbers().size() && at < numbers.size(); i++) {
          if (!segment.numbers().get(i).equals(numbers.get(at++))) {
            return false;
          }
        }
      }
      return at == numbers.size();
    }
  }

  /** The path has one of these, in a segment of any kind. */
  record AsPathContains(List<Asn> numbers) implements Condition {
    public AsPathContains {
      numbers = List.copyOf(numbers);
    }

    @Override
    public boolean holds(Subject subject) {
      for (int i = 0; i < numbers.size(); i++) {
        if (subject.attributes().asPath().contains(numbers.get(i))) {
          return true;
        }
      }
      return false;
    }
  }

  /** The next hop lies in one of these. */
  record NextHopIn(List<Network> networks) implements Condition {
    public NextHopIn {
      networks = List.copyOf(networks);
    }

    @Override
    public boolean holds(Subject subject) {
      IpAddress gateway = subject.nextHop().gateway();
      for (int i = 0; i < networks.size(); i++) {
        if (networks.get(i).family() == gateway.family() && networks.get(i).contains(gateway)) {
          return true;
        }
      }
      return false;
    }
  }
}
