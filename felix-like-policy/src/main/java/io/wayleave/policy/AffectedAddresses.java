package io.wayleave.policy;

import io.wayleave.linux.netlink.Flow;
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

  /** Whether rules see one of the addresses in the packets of the flow. */
  boolean concern(Flow flow) {
    return all || concerns(flow.original().source()) || concerns(flow.reply().source());
  }

  private boolean concerns(IpAddress address) {
    return nets.covers(address);
  }
}
