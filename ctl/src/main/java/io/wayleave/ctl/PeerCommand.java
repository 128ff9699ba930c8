package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Asn;
import io.wayleave.model.BgpPeer;
import io.wayleave.model.Kind;
import io.wayleave.model.Metadata;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code netctl peer}: the ToR switches and other BGP speakers that nodes peer with. */
@Command(name = "peer", description = "BGP peers outside the fabric's own agents, usually ToRs.")
final class PeerCommand {
  private static final Map<String, String> FLAGS =
      Map.of(
          "name", "NAME",
          "peerIP", "--address",
          "node", "--node",
          "nodeSelector", "--node-selector",
          "keepaliveTime", "--keepalive",
          "maxRestartTime", "--restart-time");

  private final Context context;

  PeerCommand(Context context) {
    this.context = requireNonNull(context, "context is null");
  }

  @Command(
      name = "create",
      description = "Let nodes peer: every node, one node, or those that a selector chooses.")
  int create(
      @Parameters(paramLabel = "NAME", description = "name of the new peer") String name,
      @Option(
              names = "--address",
              required = true,
              paramLabel = "ADDRESS[:PORT]",
              description =
                  "the peer's address, port 179 unless given, such as 10.0.0.1 or"
                      + " [fd00::1]:1179")
          String address,
      @Option(
              names = "--as",
              required = true,
              paramLabel = "N",
              description = "the peer's AS number, 1 to 4294967295")
          Asn asNumber,
      @Option(names = "--node", paramLabel = "NODE", description = "the one node that peers")
          Optional<String> node,
      @Option(
              names = "--node-selector",
              paramLabel = "SELECTOR",
              description = "which nodes peer, by their labels, such as 'rack == \"1\"'")
          Optional<String> nodeSelector,
      @Option(
              names = "--keepalive",
              paramLabel = "SECONDS",
              description = "between KEEPALIVEs; the hold time is three times as long (default 30)")
          Optional<Integer> keepalive,
      @Option(
              names = "--restart-time",
              paramLabel = "SECONDS",
              description =
                  "how long the peer keeps our routes while an agent restarts" + " (default 120)")
          Optional<Integer> restartTime,
      @Option(
              names = "--filter",
              paramLabel = "NAME",
              description =
                  "BGPFilter that its routes go through; may be given several times, in this order")
          List<String> filters) {
    if (node.isPresent() && nodeSelector.isPresent()) {
      throw new UsageException("--node and --node-selector are both given; give one or none");
    }
    BgpPeer peer =
        Flags.read(
            FLAGS,
            () ->
                new BgpPeer(
                    Metadata.of(name),
                    BgpPeer.Spec.at(address, asNumber, node, nodeSelector)
                        .withTimes(keepalive, restartTime)
                        .withFilters(filters)));
    context.output().changes(List.of(context.resources().create(peer)));
    return 0;
  }

  @Command(name = "list", description = "Show all peers.")
  int list() {
    List<BgpPeer> peers = context.resources().list(BgpPeer.class);
    context.output().resources(peers, () -> ResourceTables.of(Kind.BGP_PEER, peers));
    return 0;
  }

  @Command(name = "delete", description = "Let no node peer with it any more.")
  int delete(@Parameters(paramLabel = "NAME", description = "name of the peer") String name) {
    context.output().changes(List.of(context.deletion(false).delete(Kind.BGP_PEER, name, false)));
    return 0;
  }
}
