package io.wayleave.policy;

import io.wayleave.model.Cidr;
import io.wayleave.model.IpAddress;
import java.util.Collection;

/**
 * Addresses for whose flows policy may say something else than before.
 *
 * <p>NOT thread safe.
 */
final class AffectedAddresses {
  /** With more it is all flows: to find out takes longer than to look at them. */
  private static final int MOST = 100_000;

  private final CidrTable<Boolean> nets = new CidrTable<>();
  private boolean all;

  void add(Cidr net) {
    if (nets.size() < MOST) {
      nets.put(net, true);
    } else {
      all = true;
    }
  }

  void addAll(Collection<Cidr> more) {
    more.forEach(this::add);
  }

  void addAll(AffectedAddresses more) {
    all |= more.all;
    addAll(more.nets.nets());
  }

  /** Every address. */
  void addEverything() {
    all = true;
  }

  boolean isEmpty() {
    return !all && nets.size() == 0;
  }

  boolean have(IpAddress address) {
    return all || nets.covers(address);
  }
}
