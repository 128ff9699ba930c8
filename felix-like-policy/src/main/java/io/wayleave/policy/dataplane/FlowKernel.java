package io.wayleave.policy.dataplane;

import io.wayleave.linux.netlink.Flow;
import io.wayleave.model.IpAddress;
import java.util.Collection;
import java.util.List;
import java.util.function.BiPredicate;

/**
 * The connection tracking of the host's namespace. The seam between what ends established flows and
 * the system.
 */
public interface FlowKernel extends AutoCloseable {
  /**
   * How many flows there are; costs nothing to speak of.
   *
   * @throws DataplaneException when it cannot be read
   */
  int count();

  /**
   * The flows that are wanted. It walks through all that there are.
   *
   * @param wanted by the sources of the original packets and of the answers
   * @throws DataplaneException when they cannot be read
   */
  List<Flow> list(BiPredicate<IpAddress, IpAddress> wanted);

  /**
   * Gives flows the mark of what policy forbids, or takes it from them, and leaves all other bits
   * of their marks as they are. A flow that has ended is left out.
   *
   * @throws DataplaneException when one was refused
   */
  void forbid(Collection<Flow> flows, boolean forbidden);

  /**
   * Forgets flows: their next packets are judged as those of new ones. A flow that has ended is
   * left out.
   *
   * @throws DataplaneException when one was refused
   */
  void delete(Collection<Flow> flows);

  /** Whether the flow has the mark. */
  static boolean isForbidden(Flow flow) {
    return (flow.mark() & Marks.FORBIDDEN) != 0;
  }

  @Override
  void close();
}
