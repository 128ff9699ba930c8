package io.wayleave.policy.calc;

import io.wayleave.model.Cidr;
import io.wayleave.model.EndpointPort;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Protocol;
import io.wayleave.model.policy.Subject;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Members of one set, counted: two objects with one address (an old record and its successor) are
 * one member until both are gone.
 *
 * <p>NOT thread safe.
 */
final class SetMembers {
  private final SetId id;
  private final Map<SetMember, Integer> counts = new HashMap<>();

  /** Whether the sink knows each member that has changed since it was told. */
  private Map<SetMember, Boolean> changed = new HashMap<>();

  /** How many networks of each length there are. */
  private final Map<Integer, Integer> prefixLengths = new HashMap<>();

  private boolean told;

  SetMembers(SetId id) {
    this.id = id;
  }

  void add(Subject subject) {
    members(subject, member -> count(member, 1));
  }

  void remove(Subject subject) {
    members(subject, member -> count(member, -1));
  }

  /** Tells the set, when it is new, and the members that are. */
  void tellAdditions(CalculationSink sink) {
    if (!told) {
      told = true;
      sink.putSet(id);
      counts.keySet().forEach(member -> sink.addMember(id, member));
      return;
    }
    changed.forEach(
        (member, known) -> {
          if (!known && counts.containsKey(member)) {
            sink.addMember(id, member);
          }
        });
  }

  /** Tells the members that are gone; to be called after {@link #tellAdditions}. */
  void tellRemovals(CalculationSink sink) {
    changed.forEach(
        (member, known) -> {
          if (known && !counts.containsKey(member)) {
            sink.removeMember(id, member);
          }
        });
    changed = new HashMap<>(); // clearing costs what was ever in it
  }

  /** Tells that the set is gone, if it was told at all. */
  void tellGone(CalculationSink sink) {
    if (told) {
      sink.removeSet(id);
    }
  }

  /** Whether one of its networks has the address. */
  boolean has(IpAddress address) {
    if (address.family() != id.family()) {
      return false;
    }
    for (int length : prefixLengths.keySet()) {
      if (counts.containsKey(new SetMember.Net(Cidr.around(address, length)))) {
        return true;
      }
    }
    return false;
  }

  /** Whether it has the port at the address. */
  boolean has(IpAddress address, Protocol protocol, int port) {
    return counts.containsKey(new SetMember.AddressPort(address, protocol, port));
  }

  private void members(Subject subject, Consumer<SetMember> each) {
    switch (id) {
      case SetId.Nets nets -> {
        for (Cidr net : subject.nets()) {
          if (net.family() == nets.family()) {
            each.accept(new SetMember.Net(net));
          }
        }
      }
      case SetId.NamedPort wanted -> {
        for (EndpointPort port : subject.ports()) {
          if (port.name().equals(wanted.name()) && port.protocol().equals(wanted.protocol())) {
            for (Cidr net : subject.nets()) {
              if (net.family() == wanted.family()) {
                each.accept(new SetMember.AddressPort(net.address(), port.protocol(), port.port()));
              }
            }
          }
        }
      }
    }
  }

  private void count(SetMember member, int step) {
    Integer before = counts.get(member);
    int now = (before == null ? 0 : before) + step;
    if (told && (before == null || now == 0)) {
      changed.putIfAbsent(member, before != null);
    }
    if (now == 0) {
      counts.remove(member);
    } else {
      counts.put(member, now);
    }
    if (member instanceof SetMember.Net(Cidr net) && (before == null || now == 0)) {
      prefixLengths.merge(net.prefixLength(), step, (a, b) -> a + b == 0 ? null : a + b);
    }
  }
}
