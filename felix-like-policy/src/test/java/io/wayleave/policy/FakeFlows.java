package io.wayleave.policy;

import io.wayleave.linux.netlink.Flow;
import io.wayleave.linux.netlink.FlowTuple;
import io.wayleave.model.IpAddress;
import io.wayleave.model.Protocol;
import io.wayleave.policy.dataplane.DataplaneException;
import io.wayleave.policy.dataplane.FlowKernel;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.BiPredicate;

/** A table of connection tracking that the test fills. */
final class FakeFlows implements FlowKernel {
  private static final int BIT = 0x8000000;

  final List<Flow> flows = new ArrayList<>();

  /** How often it was walked through. */
  int walks;

  private Optional<RuntimeException> failure = Optional.empty();

  /** A flow that nothing translates. */
  void add(Protocol protocol, String from, int source, String to, int port) {
    add(protocol, from, source, to, port, to, port, Optional.empty());
  }

  /** A flow whose destination is translated. */
  void add(
      Protocol protocol,
      String from,
      int source,
      String to,
      int port,
      String realTo,
      int realPort,
      Optional<FlowTuple> master) {
    IpAddress client = IpAddress.parse(from);
    add(
        new FlowTuple(client, IpAddress.parse(to), protocol, new FlowTuple.Ports(source, port)),
        new FlowTuple(
            IpAddress.parse(realTo), client, protocol, new FlowTuple.Ports(realPort, source)),
        master);
  }

  void add(FlowTuple original, FlowTuple reply, Optional<FlowTuple> master) {
    flows.add(new Flow(original, reply, true, true, 0, 0, flows.size(), master));
  }

  /** The original tuples of the marked flows. */
  List<String> forbidden() {
    return flows.stream()
        .filter(FlowKernel::isForbidden)
        .map(flow -> flow.original().toString())
        .toList();
  }

  void failWith(String why) {
    failWith(new DataplaneException(why));
  }

  void failWith(RuntimeException why) {
    failure = Optional.of(why);
  }

  void work() {
    failure = Optional.empty();
  }

  @Override
  public int count() {
    failure.ifPresent(
        why -> {
          throw why;
        });
    return flows.size();
  }

  @Override
  public List<Flow> list(BiPredicate<IpAddress, IpAddress> wanted) {
    walks++;
    return flows.stream()
        .filter(flow -> wanted.test(flow.original().source(), flow.reply().source()))
        .toList();
  }

  @Override
  public void forbid(Collection<Flow> changed, boolean forbidden) {
    flows.replaceAll(
        flow ->
            changed.contains(flow)
                ? marked(flow, forbidden ? flow.mark() | BIT : flow.mark() & ~BIT)
                : flow);
  }

  /** Sets all bits of a flow's mark. */
  void mark(int index, int mark) {
    flows.set(index, marked(flows.get(index), mark));
  }

  private static Flow marked(Flow flow, int mark) {
    return new Flow(
        flow.original(),
        flow.reply(),
        flow.seenReply(),
        flow.assured(),
        mark,
        flow.zone(),
        flow.id(),
        flow.master());
  }

  @Override
  public void delete(Collection<Flow> ended) {
    flows.removeAll(ended);
  }

  @Override
  public void close() {}
}
