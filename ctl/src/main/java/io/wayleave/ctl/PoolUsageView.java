package io.wayleave.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.ipam.IpamInspector.AddressUsage;
import io.wayleave.ipam.IpamInspector.BlockUsage;
import io.wayleave.ipam.IpamInspector.PoolUsage;
import io.wayleave.ipam.IpamInspector.Report;
import io.wayleave.ipam.Pools;
import io.wayleave.model.Cidr;
import io.wayleave.model.IpPool;
import io.wayleave.model.Kind;
import io.wayleave.model.ResourceCodec;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What is used of pools, as a tree and as text: what {@code netctl pool show} prints. */
final class PoolUsageView {
  static final String NOBODY = "(nobody)";

  private PoolUsageView() {}

  /** All pools with their blocks, and blocks that deleted pools left. */
  static JsonNode tree(Report report) {
    ObjectNode tree = ResourceCodec.jsonMapper().createObjectNode();
    ArrayNode pools = tree.putArray("pools");
    report.pools().forEach(usage -> pools.add(pool(usage)));
    blocks(tree.putArray("blocksOutsidePools"), report.outside());
    return tree;
  }

  /**
   * One pool with its blocks.
   *
   * @param addresses that are in use; empty: not asked for
   */
  static JsonNode tree(PoolUsage usage, Optional<List<AddressUsage>> addresses) {
    ObjectNode tree = pool(usage);
    addresses.ifPresent(list -> addresses(tree.putArray("addresses"), list));
    return tree;
  }

  private static void addresses(ArrayNode list, List<AddressUsage> addresses) {
    for (AddressUsage address : addresses) {
      list.addObject()
          .put("address", address.address().toString())
          .put("owner", address.handle().id())
          .put("node", address.handle().node())
          .put("borrowed", address.borrowed());
    }
  }

  /** What a drained pool still has. */
  static JsonNode drained(String name, Pools.Drained left, List<AddressUsage> holders) {
    ObjectNode tree =
        ResourceCodec.jsonMapper()
            .createObjectNode()
            .put("kind", Kind.IP_POOL.title())
            .put("name", name)
            .put("result", "drained")
            .put("allocated", left.addresses());
    ArrayNode blocks = tree.putArray("blocks");
    left.blocks().forEach(block -> blocks.add(block.toString()));
    addresses(tree.putArray("addresses"), holders);
    return tree;
  }

  static String drainedText(String name, Pools.Drained left, List<AddressUsage> holders) {
    String start = Kind.IP_POOL.title() + " " + name + " drained: ";
    if (left.addresses() == 0) {
      return start + "nothing of it is in use, it can be deleted\n";
    }
    return start
        + Names.count(left.addresses(), "address", "addresses")
        + " in "
        + Names.count(left.blocks().size(), "block", "blocks")
        + " still in use\n\n"
        + addressTable(holders);
  }

  static String text(Report report) {
    Table pools = new Table("POOL", "CIDR", "CAPACITY", "ALLOCATED", "FREE", "BLOCKS", "STATE");
    Table hosts = new Table("NODE", "POOL", "BLOCKS", "ALLOCATED", "FREE IN BLOCKS");
    for (PoolUsage usage : report.pools()) {
      pools.row(
          usage.pool().name(),
          usage.pool().spec().cidr().toString(),
          capacity(usage).toString(),
          Long.toString(usage.allocated()),
          free(usage).toString(),
          Integer.toString(usage.blocks().size()),
          state(usage));
      perHost(usage)
          .forEach(
              (node, sum) ->
                  hosts.row(
                      node,
                      usage.pool().name(),
                      count(sum.blocks),
                      count(sum.allocated),
                      count(sum.size - sum.allocated)));
    }
    StringBuilder text = new StringBuilder(pools.text());
    if (report.pools().stream().anyMatch(usage -> !usage.blocks().isEmpty())) {
      text.append('\n').append(hosts.text());
    }
    if (!report.outside().isEmpty()) {
      text.append("\nBlocks in use outside any pool, left by pools that were deleted by force:\n")
          .append(blockTable(report.outside()));
    }
    return text.toString();
  }

  static String text(PoolUsage usage, Optional<List<AddressUsage>> addresses) {
    IpPool.Spec spec = usage.pool().spec();
    Table table =
        new Table("POOL", usage.pool().name())
            .row("cidr", spec.cidr().toString())
            .row("block size", "/" + spec.blockSize())
            .row("state", state(usage))
            .row("nodes", spec.nodeSelector());
    spec.namespaceSelector().ifPresent(selector -> table.row("namespaces", selector));
    spec.assignmentMode().ifPresent(mode -> table.row("assignment mode", mode.name()));
    if (!spec.allowedUses().isEmpty()) {
      table.row("allowed uses", Table.cell(spec.allowedUses()));
    }
    table
        .row("capacity", capacity(usage).toString())
        .row("allocated", Long.toString(usage.allocated()))
        .row("free", free(usage).toString());
    StringBuilder text = new StringBuilder(table.text());
    if (!usage.blocks().isEmpty()) {
      text.append('\n').append(blockTable(usage.blocks()));
    }
    addresses
        .filter(list -> !list.isEmpty())
        .ifPresent(list -> text.append('\n').append(addressTable(list)));
    return text.toString();
  }

  private static String addressTable(List<AddressUsage> addresses) {
    Table table = new Table("ADDRESS", "OWNER", "NODE", "FROM");
    for (AddressUsage address : addresses) {
      table.row(
          address.address().toString(),
          address.handle().id(),
          address.handle().node(),
          address.borrowed() ? "another's block" : "own block");
    }
    return table.text();
  }

  /** What a node has of a pool. */
  private static final class Sum {
    private long blocks;
    private long size;
    private long allocated;
  }

  private static Map<String, Sum> perHost(PoolUsage usage) {
    Map<String, Sum> sums = new TreeMap<>();
    for (BlockUsage block : usage.blocks()) {
      Sum sum = sums.computeIfAbsent(block.node().orElse(NOBODY), _ -> new Sum());
      sum.blocks++;
      sum.size += block.size();
      sum.allocated += block.allocated();
    }
    return sums;
  }

  private static ObjectNode pool(PoolUsage usage) {
    ObjectNode tree =
        ResourceCodec.jsonMapper()
            .createObjectNode()
            .put("name", usage.pool().name())
            .put("cidr", usage.pool().spec().cidr().toString())
            .put("blockSize", usage.pool().spec().blockSize())
            .put("disabled", usage.pool().spec().disabled())
            .put("capacity", capacity(usage))
            .put("allocated", usage.allocated())
            .put("free", free(usage));
    blocks(tree.putArray("blocks"), usage.blocks());
    return tree;
  }

  private static void blocks(ArrayNode list, List<BlockUsage> blocks) {
    for (BlockUsage block : blocks) {
      ObjectNode item = list.addObject().put("cidr", block.block().toString());
      block.node().ifPresent(node -> item.put("node", node));
      item.put("size", block.size())
          .put("allocated", block.allocated())
          .put("free", block.size() - block.allocated());
    }
  }

  private static String blockTable(List<BlockUsage> blocks) {
    Table table = new Table("BLOCK", "NODE", "SIZE", "ALLOCATED", "FREE");
    for (BlockUsage block : blocks) {
      table.row(
          block.block().toString(),
          block.node().orElse(NOBODY),
          count(block.size()),
          count(block.allocated()),
          count(block.size() - block.allocated()));
    }
    return table.text();
  }

  private static String state(PoolUsage usage) {
    return usage.pool().spec().disabled() ? "disabled" : "enabled";
  }

  /** Exact, also for an IPv6 pool, whose number of addresses no long holds. */
  private static BigInteger capacity(PoolUsage usage) {
    Cidr cidr = usage.pool().spec().cidr();
    return BigInteger.TWO.pow(cidr.family().bits() - cidr.prefixLength());
  }

  private static BigInteger free(PoolUsage usage) {
    return capacity(usage).subtract(BigInteger.valueOf(usage.allocated()));
  }

  private static String count(long number) {
    return Long.toString(number);
  }
}
