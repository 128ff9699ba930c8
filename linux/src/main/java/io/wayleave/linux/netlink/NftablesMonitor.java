package io.wayleave.linux.netlink;

import io.wayleave.linux.ClosedFdException;
import io.wayleave.linux.NetworkNamespace;
import io.wayleave.model.Family;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Hears what is done to the tables of nf_tables in one network namespace from the moment it is
 * opened: also by the programs of iptables, but for those of its legacy back end.
 *
 * <p>One thread owns it and calls {@link #poll} (a platform thread: it blocks). {@link #wakeUp} and
 * {@link #close} may be called from any thread.
 */
public final class NftablesMonitor implements AutoCloseable {
  private static final int MOST_EVENTS = 256;
  private static final int NEWTABLE = 0;
  private static final int DELTABLE = 2;
  private static final int NEWCHAIN = 3;
  private static final int DELCHAIN = 5;
  private static final int NEWRULE = 6;
  private static final int DELRULE = 8;
  private static final int NEWGEN = 15;
  private static final int TABLE = 1;
  private static final int RULE_CHAIN = 2;
  private static final int CHAIN_NAME = 3;
  private static final int GEN_PROC_PID = 2;

  private final Notifications notifications;

  /** Of the transaction whose end has not come yet. */
  private final List<NftablesEvent.Touched> touched = new ArrayList<>();

  private NftablesMonitor(Notifications notifications) {
    this.notifications = notifications;
  }

  /** In the network namespace of the calling thread. */
  public static NftablesMonitor open() throws IOException {
    return new NftablesMonitor(
        Notifications.open(
            Netfilter.NETLINK_NETFILTER,
            new int[] {Netfilter.NFNLGRP_NFTABLES},
            Notifications.DEFAULT_RECEIVE_BUFFER_BYTES));
  }

  /** In a given network namespace. */
  public static NftablesMonitor open(NetworkNamespace namespace) throws IOException {
    return namespace.run(() -> open());
  }

  /**
   * Waits for events.
   *
   * @param timeout longest wait; zero only looks
   * @return in the order in which they happened; empty when the time was over, {@link #wakeUp} was
   *     called, or a transaction has not been told to its end
   * @throws ClosedFdException when this is closed
   */
  public List<NftablesEvent> poll(Duration timeout) throws IOException {
    List<NftablesEvent> events = new ArrayList<>();
    notifications.poll(
        timeout,
        () -> events.size() < MOST_EVENTS,
        reader -> decode(reader, events),
        reason -> events.add(new NftablesEvent.Lost(reason)));
    return events;
  }

  /** Ends the current or the next wait of {@link #poll}. */
  public void wakeUp() {
    notifications.wakeUp();
  }

  @Override
  public void close() {
    notifications.close();
  }

  private void decode(MessageReader reader, List<NftablesEvent> into) {
    while (reader.next()) {
      if (reader.type() >>> 8 != Netfilter.NFNL_SUBSYS_NFTABLES) {
        continue;
      }
      switch (reader.type() & 0xff) {
        case NEWTABLE, DELTABLE -> touch(reader, -1);
        case NEWCHAIN, DELCHAIN -> touch(reader, CHAIN_NAME);
        case NEWRULE, DELRULE -> touch(reader, RULE_CHAIN);
        case NEWGEN -> {
          into.add(new NftablesEvent.Committed(processOf(reader), touched));
          touched.clear();
        }
        default -> {}
      }
    }
  }

  private void touch(MessageReader reader, int chainAttribute) {
    Optional<Family> family = Families.of(reader.u8(0));
    if (family.isEmpty()) {
      return;
    }
    String table = "";
    Optional<String> chain = Optional.empty();
    MessageReader.Attributes attributes = reader.attributes(Netfilter.NFGENMSG_SIZE);
    while (attributes.next()) {
      if (attributes.type() == TABLE) {
        table = attributes.text();
      } else if (attributes.type() == chainAttribute) {
        chain = Optional.of(attributes.text());
      }
    }
    NftablesEvent.Touched one = new NftablesEvent.Touched(family.get(), table, chain);
    if (touched.isEmpty() || !touched.getLast().equals(one)) {
      touched.add(one);
    }
  }

  private static OptionalLong processOf(MessageReader reader) {
    MessageReader.Attributes attributes = reader.attributes(Netfilter.NFGENMSG_SIZE);
    while (attributes.next()) {
      if (attributes.type() == GEN_PROC_PID) {
        return OptionalLong.of(attributes.be32());
      }
    }
    return OptionalLong.empty();
  }
}
