package io.wayleave.policy.calc;

import io.wayleave.model.Cidr;
import io.wayleave.model.EndpointPort;
import io.wayleave.model.Family;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Protocol;
import io.wayleave.model.policy.Subject;
import java.util.BitSet;
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
  private final Family family;
  private final Counts<SetMember> counts = new Counts<>();

  /** Whether the sink knows each member that has changed since it was told. */
  private Map<SetMember, Boolean> changed = new HashMap<>();

  /** The lengths that its networks have, or had. */
  private final BitSet prefixLengths = new BitSet();

  private boolean told;

  SetMembers(SetId id) {
    this.id = id;
    this.family = id.family();
  }

  void add(Subject subject) {
    members(subject, this::add);
  }

  void remove(Subject subject) {
    members(subject, this::remove);
  }

  /** Tells the set, when it is new, and the members that are. */
  void tellAdditions(CalculationSink sink) {
    if (!told) {
      told = true;
      sink.putSet(id);
      counts.forEach(member -> sink.addMember(id, member));
      return;
    }
    changed.forEach(
        (member, known) -> {
          if (!known && counts.contains(member)) {
            sink.addMember(id, member);
          }
        });
  }

  /** Tells the members that are gone; to be called after {@link #tellAdditions}. */
  void tellRemovals(CalculationSink sink) {
    changed.forEach(
        (member, known) -> {
          if (known && !counts.contains(member)) {
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
    if (address.family() != family) {
      return false;
    }
    return prefixLengths.stream()
        .mapToObj(length -> new SetMember.Net(Cidr.around(address, length)))
        .anyMatch(counts::contains);
  }

  /** Whether it has the port at the address. */
  boolean has(IpAddress address, Protocol protocol, int port) {
    return counts.contains(new SetMember.AddressPort(address, protocol, port));
  }

  private void members(Subject subject, Consumer<SetMember> each) {
    if (id instanceof SetId.NamedPort wanted) {
      for (EndpointPort port : subject.ports()) {
        if (port.name().equals(wanted.name()) && port.protocol().equals(wanted.protocol())) {
          for (Cidr net : subject.nets()) {
            if (net.family() == family) {
              each.accept(new SetMember.AddressPort(net.address(), port.protocol(), port.port()));
            }
          }
        }
      }
    } else {
      for (Cidr net : subject.nets()) {
        if (net.family() == family) {
          each.accept(new SetMember.Net(net));
        }
      }
    }
  }

  private void add(SetMember member) {
    if (counts.add(member) > 1) {
      return;
    }
    if (told) {
      changed.putIfAbsent(member, false);
    }
    if (member instanceof SetMember.Net net) {
      prefixLengths.set(net.net().prefixLength());
    }
  }

  private void remove(SetMember member) {
    if (counts.remove(member) == 0 && told) {
      changed.putIfAbsent(member, true);
    }
  }
}
