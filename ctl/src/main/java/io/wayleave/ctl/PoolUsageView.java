package io.wayleave.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.ipam.IpamInspector.AddressUsage;
import io.wayleave.ipam.IpamInspector.BlockUsage;
import io.wayleave.ipam.IpamInspector.PoolUsage;
import io.wayleave.ipam.IpamInspector.Report;
import io.wayleave.model.Cidr;
import io.wayleave.model.ResourceCodec;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What is used of pools, as a tree and as text: what {@code netctl pool show} prints. */
final class PoolUsageView {
  private static final String NOBODY = "(nobody)";

  private PoolUsageView() {}

  /** All pools with their blocks, and blocks that deleted pools left. */
  static JsonNode tree(Report report) {
    ObjectNode tree = ResourceCodec.jsonMapper().createObjectNode();
    ArrayNode pools = tree.putArray("pools");
    report.pools().forEach(usage -> pools.add(pool(usage)));
    blocks(tree.putArray("blocksOutsidePools"), report.outside());
    return tree;
  }

  /** One pool with its blocks and addresses. */
  static JsonNode tree(PoolUsage usage, List<AddressUsage> addresses) {
    ObjectNode tree = pool(usage);
    ArrayNode list = tree.putArray("addresses");
    for (AddressUsage address : addresses) {
      list.addObject()
          .put("address", address.address().toString())
          .put("owner", address.handle().id())
          .put("node", address.handle().node())
          .put("borrowed", address.borrowed());
    }
    return tree;
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

  static String text(PoolUsage usage, List<AddressUsage> addresses) {
    StringBuilder text =
        new StringBuilder(
            new Table("POOL", usage.pool().name())
                .row("cidr", usage.pool().spec().cidr().toString())
                .row("block size", "/" + usage.pool().spec().blockSize())
                .row("state", state(usage))
                .row("nodes", usage.pool().spec().nodeSelector())
                .row("capacity", capacity(usage).toString())
                .row("allocated", Long.toString(usage.allocated()))
                .row("free", free(usage).toString())
                .text());
    if (!usage.blocks().isEmpty()) {
      text.append('\n').append(blockTable(usage.blocks()));
    }
    if (!addresses.isEmpty()) {
      Table table = new Table("ADDRESS", "OWNER", "NODE", "FROM");
      for (AddressUsage address : addresses) {
        table.row(
            address.address().toString(),
            address.handle().id(),
            address.handle().node(),
            address.borrowed() ? "another's block" : "own block");
      }
      text.append('\n').append(table.text());
    }
    return text.toString();
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
