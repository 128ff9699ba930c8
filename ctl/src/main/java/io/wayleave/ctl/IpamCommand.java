package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import io.wayleave.datastore.Deadline;
import io.wayleave.ipam.AddressRelease;
import io.wayleave.ipam.IpamCheck;
import io.wayleave.ipam.IpamInspector;
import io.wayleave.ipam.Pools;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpPool;
import io.wayleave.model.IpamConfiguration;
import io.wayleave.model.Kind;
import io.wayleave.model.ResourceCodec;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code netctl ipam}: who has which address, and whether all that is stored of it fits together.
 * It works on a live fabric and locks nothing.
 */
@Command(name = "ipam", description = "Addresses: who has them, and whether all is in order.")
final class IpamCommand {
  /** For reading all that there is; a large fabric takes longer than a single answer. */
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private static final Map<String, String> SETTINGS =
      Map.of(
          "maxBlocksPerHost", "--max-blocks-per-host",
          "reuseDelaySeconds", "--reuse-delay");

  private final Context context;

  IpamCommand(Context context) {
    this.context = requireNonNull(context, "context is null");
  }

  @Command(
      name = "check",
      description = {
        "Find addresses, blocks and records that do not fit together, while the fabric works.",
        "Exit code 1 when problems remain."
      })
  int check(
      @Option(
              names = "--fix",
              description = "mend what harms nobody; the rest is left, with the reason")
          boolean fix) {
    IpamCheck.Report report =
        new IpamCheck(context.datastore(), InstantSource.system()).run(fix, patience());
    context.output().tree(IpamText.tree(report), () -> IpamText.text(report));
    return report.remaining() == 0 ? 0 : ErrorLine.FAILED;
  }

  @Command(name = "show", description = "Show what is used of all pools, or who has an address.")
  int show(
      @Option(
              names = "--ip",
              paramLabel = "ADDRESS",
              description = "all that is known of this address")
          Optional<IpAddress> ip,
      @Option(names = "--blocks", description = "every block too") boolean blocks,
      @Option(
              names = "--borrowed",
              description = "the addresses that nodes have from blocks that are not theirs")
          boolean borrowed) {
    if (ip.isPresent() && (blocks || borrowed)) {
      throw new UsageException("--ip is given with --blocks or --borrowed; give one of them");
    }
    IpamInspector inspector = new IpamInspector(context.datastore());
    if (ip.isPresent()) {
      IpamInspector.AddressDetail detail = inspector.address(ip.get(), patience());
      context.output().tree(IpamText.tree(detail), () -> IpamText.text(detail));
      return 0;
    }
    if (borrowed) {
      List<IpamInspector.AddressUsage> usages =
          inspector.addresses(patience()).stream()
              .filter(IpamInspector.AddressUsage::borrowed)
              .toList();
      context.output().tree(IpamText.borrowedTree(usages), () -> IpamText.borrowed(usages));
      return 0;
    }
    IpamInspector.Report report = inspector.report(patience());
    report.unreadable().forEach(each -> context.problem(Resources.unreadable(each.reason())));
    context
        .output()
        .tree(
            PoolUsageView.tree(report),
            () -> PoolUsageView.text(report) + (blocks ? IpamText.blocks(report) : ""));
    return 0;
  }

  @Command(
      name = "release",
      description =
          "Take an address, and all others of the same attachment, from an owner that is gone.")
  int release(
      @Option(
              names = "--ip",
              required = true,
              paramLabel = "ADDRESS",
              description = "the address to release")
          IpAddress ip,
      @Option(
              names = "--force",
              description =
                  "also when the owner's node is there: a container that still runs loses its"
                      + " network")
          boolean force) {
    AddressRelease.Outcome outcome =
        new AddressRelease(context.datastore(), InstantSource.system())
            .release(ip, force, patience());
    switch (outcome) {
      case AddressRelease.Released released ->
          context.output().tree(IpamText.tree(ip, released), () -> IpamText.text(released));
      case AddressRelease.Freed(var block) ->
          context
              .output()
              .tree(
                  ResourceCodec.jsonMapper()
                      .createObjectNode()
                      .put("released", ip.toString())
                      .put("block", block.toString()),
                  () -> ip + " was taken in block " + block + " and nobody's; it is free now\n");
      case AddressRelease.Alive(var handle, String reason) ->
          throw new CommandFailedException(
              "address "
                  + ip
                  + " belongs to "
                  + handle.id()
                  + ", which may be alive: "
                  + reason
                  + "; delete the container, or use --force, which cuts it off when it runs");
      case AddressRelease.NotAllocated(String reason) ->
          throw new CommandFailedException(
              "address " + ip + " is not allocated, so there is nothing to release: " + reason);
      case AddressRelease.Refused(String reason) ->
          throw new CommandFailedException("address " + ip + " was not released: " + reason);
    }
    return 0;
  }

  @Command(
      name = "configure",
      description = "Set how nodes take addresses; without an option, show what is set.")
  int configure(
      @Option(
              names = "--strict-affinity",
              paramLabel = "true|false",
              description = "whether a node uses addresses of its own blocks only")
          Optional<String> strictAffinity,
      @Option(
              names = "--max-blocks-per-host",
              paramLabel = "N",
              description = "how many blocks of each family a node may hold; 0 means 20")
          Optional<Integer> maxBlocksPerHost,
      @Option(
              names = "--auto-allocate-blocks",
              paramLabel = "true|false",
              description = "whether a node claims blocks by itself")
          Optional<String> autoAllocateBlocks,
      @Option(
              names = "--reuse-delay",
              paramLabel = "TIME",
              description = "how long a freed address rests: 0 to 1h, such as 90s or 5m")
          Optional<String> reuseDelay) {
    Optional<Boolean> strict =
        strictAffinity.map(text -> Flags.parseBoolean("--strict-affinity", text));
    Optional<Boolean> auto =
        autoAllocateBlocks.map(text -> Flags.parseBoolean("--auto-allocate-blocks", text));
    IpamConfiguration.Spec wanted =
        Flags.read(
            SETTINGS,
            () ->
                new IpamConfiguration.Spec(
                    strict,
                    maxBlocksPerHost,
                    auto,
                    reuseDelay.map(text -> Flags.parseSeconds("--reuse-delay", text))));
    if (wanted.equals(IpamText.NOTHING_SET)) {
      IpamConfiguration.Spec set = configuration().orElse(IpamText.NOTHING_SET);
      context.output().tree(IpamText.tree(set), () -> IpamText.text(set));
      return 0;
    }
    Change change =
        context
            .resources()
            .write(
                Kind.IPAM_CONFIGURATION,
                IpamConfiguration.DEFAULT_NAME,
                present ->
                    IpamConfiguration.of(
                        over(
                            wanted,
                            present
                                .map(found -> ((IpamConfiguration) found).spec())
                                .orElse(IpamText.NOTHING_SET))));
    context.output().changes(List.of(change));
    return 0;
  }

  private Optional<IpamConfiguration.Spec> configuration() {
    return context
        .resources()
        .find(Kind.IPAM_CONFIGURATION, IpamConfiguration.DEFAULT_NAME)
        .map(found -> ((IpamConfiguration) found).spec());
  }

  private static IpamConfiguration.Spec over(
      IpamConfiguration.Spec wanted, IpamConfiguration.Spec before) {
    return new IpamConfiguration.Spec(
        wanted.strictAffinity().or(before::strictAffinity),
        wanted.maxBlocksPerHost().or(before::maxBlocksPerHost),
        wanted.autoAllocateBlocks().or(before::autoAllocateBlocks),
        wanted.reuseDelaySeconds().or(before::reuseDelaySeconds));
  }

  @Command(
      name = "split",
      description = {
        "Divide a pool into equal ones, POOL-0 and so on, while nodes go on taking addresses.",
        "Addresses and blocks stay; who asks for POOL by name is served from the new ones."
      })
  int split(
      @Parameters(paramLabel = "POOL", description = "name of the pool") String pool,
      @Parameters(
              paramLabel = "N",
              description = "how many: a power of 2, from 2 to " + Pools.MAX_PARTS)
          Integer parts) {
    List<IpPool> made;
    try {
      made =
          context
              .resources()
              .existing(
                  Kind.IP_POOL,
                  pool,
                  () ->
                      new Pools(context.datastore())
                          .split(pool, parts, context.datastore().deadline()));
    } catch (InvalidInputException e) {
      String name = e.field().equals("parts") ? "N" : e.field();
      throw new CommandFailedException(
          Names.of(Kind.IP_POOL, pool)
              + ": "
              + new InvalidInputException(name, e.value(), e.allowed()).getMessage(),
          e);
    }
    context
        .output()
        .resources(
            made,
            () ->
                Names.of(Kind.IP_POOL, pool)
                    + " divided\n"
                    + ResourceTables.of(Kind.IP_POOL, made));
    return 0;
  }

  private Deadline patience() {
    var _ = Context.reached(context.datastore());
    return Deadline.after(PATIENCE);
  }
}
