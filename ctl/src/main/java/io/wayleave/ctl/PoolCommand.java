package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import io.wayleave.ipam.IpamInspector;
import io.wayleave.ipam.IpamInspector.PoolUsage;
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
          "nodeSelector", "--node-selector");

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
                        Optional.empty(),
                        Optional.empty(),
                        List.of(),
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
      description = "Show what is used of all pools, or of one with every block and address.")
  int show(
      @Parameters(arity = "0..1", paramLabel = "NAME", description = "name of the pool")
          Optional<String> name) {
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
    List<IpamInspector.AddressUsage> addresses =
        inspector.addresses(usage.pool().spec().cidr(), context.datastore().deadline());
    context
        .output()
        .tree(PoolUsageView.tree(usage, addresses), () -> PoolUsageView.text(usage, addresses));
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
