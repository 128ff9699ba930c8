package io.wayleave.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.ipam.AddressRelease;
import io.wayleave.ipam.Handle;
import io.wayleave.ipam.IpamCheck;
import io.wayleave.ipam.IpamInspector;
import io.wayleave.ipam.IpamInspector.AddressDetail;
import io.wayleave.ipam.IpamInspector.AddressUsage;
import io.wayleave.ipam.IpamOptions;
import io.wayleave.ipam.IpamProblem;
import io.wayleave.model.IpAddress;
import io.wayleave.model.IpamConfiguration;
import io.wayleave.model.ResourceCodec;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** What {@code netctl ipam} prints, as a tree and as text. */
final class IpamText {
  /** The configuration of who has set nothing. */
  static final IpamConfiguration.Spec NOTHING_SET =
      new IpamConfiguration.Spec(
          Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

  private static final int MAX_ADDRESSES_IN_CELL = 4;

  private IpamText() {}

  private static ObjectNode object() {
    return ResourceCodec.jsonMapper().createObjectNode();
  }

  static JsonNode tree(IpamCheck.Report report) {
    ObjectNode tree = object();
    ArrayNode problems = tree.putArray("problems");
    for (IpamCheck.Finding finding : report.findings()) {
      problem(problems.addObject(), finding.problem())
          .put("result", word(finding.outcome()))
          .put("note", finding.note());
    }
    ArrayNode unsettled = tree.putArray("unsettled");
    report.unsettled().forEach(each -> problem(unsettled.addObject(), each));
    return tree.put("remaining", report.remaining())
        .put("blocks", report.blocks())
        .put("handles", report.handles());
  }

  private static ObjectNode problem(ObjectNode tree, IpamProblem problem) {
    tree.put("class", problem.kind().text()).put("subject", problem.subject());
    addresses(tree.putArray("addresses"), problem.addresses());
    return tree.put("detail", problem.detail());
  }

  private static void addresses(ArrayNode list, List<IpAddress> addresses) {
    addresses.forEach(address -> list.add(address.toString()));
  }

  private static String word(IpamCheck.Outcome outcome) {
    return outcome.name().toLowerCase(Locale.ROOT);
  }

  static String text(IpamCheck.Report report) {
    StringBuilder text = new StringBuilder();
    if (!report.findings().isEmpty()) {
      Table table = new Table("PROBLEM", "SUBJECT", "ADDRESSES", "DETAIL", "RESULT");
      for (IpamCheck.Finding finding : report.findings()) {
        IpamProblem problem = finding.problem();
        table.row(
            problem.kind().text(),
            problem.subject(),
            some(problem.addresses()),
            problem.detail(),
            word(finding.outcome())
                + (finding.outcome() == IpamCheck.Outcome.LEFT ? ": " : " ")
                + finding.note());
      }
      text.append(table.text()).append('\n');
    }
    if (!report.unsettled().isEmpty()) {
      Table table = new Table("UNSETTLED", "SUBJECT", "DETAIL");
      report
          .unsettled()
          .forEach(each -> table.row(each.kind().text(), each.subject(), each.detail()));
      text.append("These changed each time that they were looked at; check again:\n")
          .append(table.text())
          .append('\n');
    }
    long fixed = report.findings().size() - report.remaining();
    return text.append(
            Names.count(report.blocks(), "block", "blocks")
                + " and "
                + Names.count(report.handles(), "handle", "handles")
                + " checked: "
                + (report.findings().isEmpty()
                    ? "no problem"
                    : Names.count(report.findings().size(), "problem", "problems")
                        + ", "
                        + fixed
                        + " fixed")
                + "\n")
        .toString();
  }

  private static String some(List<IpAddress> addresses) {
    return Names.some(addresses.stream().map(IpAddress::toString).toList(), MAX_ADDRESSES_IN_CELL);
  }

  /** Every block of every pool, after what is used of the pools. */
  static String blocks(IpamInspector.Report report) {
    Table table = new Table("BLOCK", "POOL", "NODE", "SIZE", "ALLOCATED", "FREE");
    for (IpamInspector.PoolUsage usage : report.pools()) {
      for (IpamInspector.BlockUsage block : usage.blocks()) {
        table.row(
            block.block().toString(),
            usage.pool().name(),
            block.node().orElse(PoolUsageView.NOBODY),
            Integer.toString(block.size()),
            Integer.toString(block.allocated()),
            Integer.toString(block.size() - block.allocated()));
      }
    }
    return "\n" + table.text();
  }

  static JsonNode borrowedTree(List<AddressUsage> usages) {
    ObjectNode tree = object();
    ArrayNode list = tree.putArray("borrowed");
    for (AddressUsage usage : usages) {
      ObjectNode item =
          list.addObject()
              .put("address", usage.address().toString())
              .put("block", usage.block().toString());
      usage.blockNode().ifPresent(node -> item.put("blockNode", node));
      item.put("node", usage.handle().node()).put("owner", usage.handle().id());
    }
    return tree;
  }

  static String borrowed(List<AddressUsage> usages) {
    Table table = new Table("ADDRESS", "BLOCK", "BLOCK'S NODE", "USED BY NODE", "OWNER");
    for (AddressUsage usage : usages) {
      table.row(
          usage.address().toString(),
          usage.block().toString(),
          usage.blockNode().orElse(PoolUsageView.NOBODY),
          usage.handle().node(),
          usage.handle().id());
    }
    return table.text();
  }

  static JsonNode tree(AddressDetail detail) {
    ObjectNode tree =
        object().put("address", detail.address().toString()).put("state", state(detail));
    detail.pool().ifPresent(pool -> tree.put("pool", pool.name()));
    detail.block().ifPresent(block -> tree.put("block", block.block().toString()));
    detail.block().flatMap(IpamInspector.BlockUsage::node).ifPresent(n -> tree.put("blockNode", n));
    ArrayNode holders = tree.putArray("holders");
    for (Handle handle : detail.holders()) {
      handle(holders.addObject(), handle).put("borrowed", borrowed(detail, handle));
    }
    ArrayNode owners = tree.putArray("ownerRecords");
    detail.owners().forEach(owners::add);
    return tree;
  }

  private static ObjectNode handle(ObjectNode tree, Handle handle) {
    tree.put("handle", handle.id()).put("node", handle.node()).put("use", handle.use().name());
    handle.allocatedAt().ifPresent(since -> tree.put("since", since));
    addresses(tree.putArray("addresses"), handle.addresses());
    ObjectNode notes = tree.putObject("notes");
    handle.notes().forEach(notes::put);
    return tree;
  }

  private static boolean borrowed(AddressDetail detail, Handle handle) {
    return detail
        .block()
        .flatMap(IpamInspector.BlockUsage::node)
        .filter(handle.node()::equals)
        .isEmpty();
  }

  private static String state(AddressDetail detail) {
    if (detail.taken() || !detail.holders().isEmpty()) {
      return "in use";
    }
    return detail.pool().isEmpty() ? "in no pool" : "free";
  }

  static String text(AddressDetail detail) {
    Table table =
        new Table("ADDRESS", detail.address().toString())
            .row("state", state(detail))
            .row("pool", detail.pool().map(pool -> pool.name()).orElse(""))
            .row("block", detail.block().map(block -> block.block().toString()).orElse(""))
            .row("block's node", detail.block().flatMap(IpamInspector.BlockUsage::node).orElse(""));
    for (Handle handle : detail.holders()) {
      table
          .row("handle", handle.id())
          .row("node", handle.node())
          .row("borrowed", borrowed(detail, handle) ? "yes" : "no")
          .row("use", handle.use().name())
          .row("since", handle.allocatedAt().orElse("unknown"))
          .row("all addresses", Table.cell(handle.addresses()));
      for (Map.Entry<String, String> note : handle.notes().entrySet()) {
        table.row(note.getKey(), note.getValue());
      }
    }
    detail.owners().forEach(owner -> table.row("owner record", owner));
    return table.text();
  }

  static JsonNode tree(IpAddress asked, AddressRelease.Released released) {
    ObjectNode tree = object().put("released", asked.toString());
    handle(tree, released.handle());
    ArrayNode owners = tree.putArray("ownerRecords");
    released.handle().owners().forEach(owners::add);
    return tree;
  }

  static String text(AddressRelease.Released released) {
    Handle handle = released.handle();
    return "released "
        + String.join(", ", handle.addresses().stream().map(IpAddress::toString).toList())
        + " of "
        + Table.clean(handle.id())
        + " on node "
        + Table.clean(handle.node())
        + (handle.owners().isEmpty() ? "" : ", with " + String.join(", ", handle.owners()))
        + "\n";
  }

  static JsonNode tree(IpamConfiguration.Spec set) {
    return object()
        .put("strictAffinity", set.strictAffinity().orElse(false))
        .put("maxBlocksPerHost", maxBlocks(set))
        .put("autoAllocateBlocks", set.autoAllocateBlocks().orElse(true))
        .put("reuseDelaySeconds", reuseDelay(set));
  }

  static String text(IpamConfiguration.Spec set) {
    return new Table("SETTING", "VALUE", "SET")
        .row(
            "strictAffinity",
            Boolean.toString(set.strictAffinity().orElse(false)),
            set(set.strictAffinity()))
        .row("maxBlocksPerHost", Long.toString(maxBlocks(set)), set(set.maxBlocksPerHost()))
        .row(
            "autoAllocateBlocks",
            Boolean.toString(set.autoAllocateBlocks().orElse(true)),
            set(set.autoAllocateBlocks()))
        .row("reuseDelay", reuseDelay(set) + "s", set(set.reuseDelaySeconds()))
        .text();
  }

  private static String set(Optional<?> value) {
    return value.isPresent() ? "yes" : "default";
  }

  private static long maxBlocks(IpamConfiguration.Spec set) {
    return set.maxBlocksPerHost()
        .filter(most -> most > 0)
        .orElse(IpamOptions.DEFAULT_MAX_BLOCKS_PER_HOST);
  }

  private static long reuseDelay(IpamConfiguration.Spec set) {
    return set.reuseDelaySeconds()
        .map(Integer::longValue)
        .orElse(IpamOptions.DEFAULT_REUSE_DELAY.toSeconds());
  }
}
