package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import io.wayleave.ipam.IpamInspector;
import io.wayleave.ipam.IpamInspector.PoolUsage;
import io.wayleave.ipam.Pools;
import io.wayleave.model.Cidr;
import io.wayleave.model.Family;
import io.wayleave.model.IpPool;
import io.wayleave.model.Kind;
import io.wayleave.model.Metadata;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code netctl pool}: the ranges that containers get addresses from, and what is used of them. */
@Command(name = "pool", description = "Ranges that containers get their addresses from.")
final class PoolCommand {
  private static final Map<String, String> FLAGS =
      Map.of(
          "name", "NAME",
          "cidr", "--cidr",
          "blockSize", "--block-size",
          "nodeSelector", "--node-selector",
          "namespaceSelector", "--namespace-selector");

  private final Context context;

  PoolCommand(Context context) {
    this.context = requireNonNull(context, "context is null");
  }

  @Command(name = "create", description = "Make a pool; it may overlap no other.")
  int create(
      @Parameters(paramLabel = "NAME", description = "name of the new pool") String name,
      @Option(
              names = "--cidr",
              required = true,
              paramLabel = "CIDR",
              description = "the range, such as 10.244.0.0/16 or fd00:10:244::/48")
          Cidr cidr,
      @Option(
              names = "--block-size",
              paramLabel = "LENGTH",
              description =
                  "prefix length of the blocks that nodes claim, 20 to 32 (26 when not given), for"
                      + " IPv6 116 to 128 (122)")
          Optional<Integer> blockSize,
      @Option(
              names = "--node-selector",
              paramLabel = "SELECTOR",
              description = "which nodes may use it, by their labels (all() when not given)")
          Optional<String> nodeSelector,
      @Option(
              names = "--namespace-selector",
              paramLabel = "SELECTOR",
              description =
                  "which namespaces' containers get its addresses, by the labels of the namespace"
                      + " (all() when not given)")
          Optional<String> namespaceSelector,
      @Option(
              names = "--assignment-mode",
              paramLabel = "MODE",
              description =
                  "Automatic (when not given), or Manual: only for who asks for the pool by name")
          Optional<String> assignmentMode,
      @Option(
              names = "--allowed-uses",
              paramLabel = "USE",
              split = ",",
              description = "Workload, Tunnel or both (when not given), separated by a comma")
          List<String> allowedUses,
      @Option(names = "--disabled", description = "give no addresses from it yet") boolean disabled,
      @Option(names = "--disable-bgp-export", description = "keep its addresses out of BGP")
          boolean disableBgpExport) {
    IpPool pool =
        Flags.read(
            FLAGS,
            () ->
                new IpPool(
                    Metadata.of(name),
                    new IpPool.Spec(
                        cidr,
                        blockSize.orElseGet(() -> defaultBlockSize(cidr)),
                        disabled,
                        disableBgpExport,
                        nodeSelector.orElse("all()"),
                        namespaceSelector,
                        assignmentMode.map(
                            text ->
                                Flags.parseEnum(
                                    "--assignment-mode", text, IpPool.AssignmentMode.values())),
                        Optional.ofNullable(allowedUses).orElse(List.of()).stream()
                            .map(
                                text ->
                                    Flags.parseEnum("--allowed-uses", text, IpPool.Use.values()))
                            .toList(),
                        Optional.empty(),
                        Optional.empty(),
                        Optional.empty())));
    context.output().changes(List.of(context.pools().create(pool)));
    return 0;
  }

  private static int defaultBlockSize(Cidr cidr) {
    return Math.max(cidr.family() == Family.IPV4 ? 26 : 122, cidr.prefixLength());
  }

  @Command(name = "list", description = "Show all pools.")
  int list() {
    List<IpPool> pools = context.resources().list(IpPool.class);
    context.output().resources(pools, () -> ResourceTables.of(Kind.IP_POOL, pools));
    return 0;
  }

  @Command(
      name = "show",
      description = "Show what is used of all pools, or of one with every block.")
  int show(
      @Parameters(arity = "0..1", paramLabel = "NAME", description = "name of the pool")
          Optional<String> name,
      @Option(
              names = "--holders",
              description =
                  "also who has its addresses; of a disabled pool that is shown in any case")
          boolean holders) {
    if (holders && name.isEmpty()) {
      throw new UsageException("--holders needs NAME (name of the pool)");
    }
    IpamInspector inspector = new IpamInspector(context.datastore());
    IpamInspector.Report report = inspector.report(context.datastore().deadline());
    report.unreadable().forEach(each -> context.problem(Resources.unreadable(each.reason())));
    if (name.isEmpty()) {
      context.output().tree(PoolUsageView.tree(report), () -> PoolUsageView.text(report));
      return 0;
    }
    PoolUsage usage =
        report.pools().stream()
            .filter(each -> each.pool().name().equals(name.get()))
            .findFirst()
            .orElseThrow(() -> context.resources().absent(Kind.IP_POOL, name.get()));
    Optional<List<IpamInspector.AddressUsage>> addresses =
        holders || usage.pool().spec().disabled()
            ? Optional.of(
                inspector.addresses(usage.pool().spec().cidr(), context.datastore().deadline()))
            : Optional.empty();
    context
        .output()
        .tree(PoolUsageView.tree(usage, addresses), () -> PoolUsageView.text(usage, addresses));
    return 0;
  }

  @Command(
      name = "disable",
      description = "Give no addresses from a pool any more; those in use stay.")
  int disable(@Parameters(paramLabel = "NAME", description = "name of the pool") String name) {
    return setDisabled(name, true);
  }

  @Command(name = "enable", description = "Give addresses from a pool again.")
  int enable(@Parameters(paramLabel = "NAME", description = "name of the pool") String name) {
    return setDisabled(name, false);
  }

  private int setDisabled(String name, boolean disabled) {
    context
        .output()
        .changes(
            List.of(
                context
                    .resources()
                    .existing(
                        Kind.IP_POOL, name, () -> context.pools().setDisabled(name, disabled))));
    return 0;
  }

  @Command(
      name = "drain",
      description = {
        "Disable a pool, give its empty blocks back, and show who still has addresses of it.",
        "When nobody has any more, it can be deleted."
      })
  int drain(@Parameters(paramLabel = "NAME", description = "name of the pool") String name) {
    Pools.Drained left =
        context.resources().existing(Kind.IP_POOL, name, () -> context.pools().drain(name));
    List<IpamInspector.AddressUsage> holders =
        new IpamInspector(context.datastore())
            .addresses(context.datastore().deadline()).stream()
                .filter(usage -> left.blocks().contains(usage.block()))
                .toList();
    context
        .output()
        .tree(
            PoolUsageView.drained(name, left, holders),
            () -> PoolUsageView.drainedText(name, left, holders));
    return 0;
  }

  @Command(
      name = "delete",
      description = "Delete a pool; refused while addresses of it are in use.")
  int delete(
      @Parameters(paramLabel = "NAME", description = "name of the pool") String name,
      @Option(
              names = "--force",
              description =
                  "also when addresses are in use: containers keep them, outside any pool")
          boolean force) {
    context.output().changes(List.of(context.deletion(false).delete(Kind.IP_POOL, name, force)));
    return 0;
  }
}
