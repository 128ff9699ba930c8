package io.wayleave.policy.dataplane;

import io.wayleave.linux.netlink.Ipset;
import io.wayleave.linux.netlink.IpsetChange;
import io.wayleave.linux.netlink.IpsetFailure;
import java.util.List;

/**
 * The sets of the host's namespace. The seam between the driver and the system, as {@link
 * CommandRunner} is for tables.
 */
public interface IpsetKernel extends AutoCloseable {
  /**
   * The sets whose names begin so, with their members.
   *
   * @throws DataplaneException when they cannot be read
   */
  List<Ipset> list(String prefix);

  /**
   * Makes the changes in their order, those after a refused one too.
   *
   * @return what was refused, in order
   * @throws DataplaneException when it is not known what was done
   */
  List<IpsetFailure> execute(List<IpsetChange> changes);

  @Override
  void close();
}
