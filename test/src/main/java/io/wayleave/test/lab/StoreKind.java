package io.wayleave.test.lab;

import io.wayleave.model.InvalidInputException;
import java.util.Locale;

/** What a lab's datastore is. */
public enum StoreKind {
  ETCD(2379),
  ZOOKEEPER(2181);

  private final int port;

  StoreKind(int port) {
    this.port = port;
  }

  static StoreKind parse(String text) {
    return switch (text) {
      case "etcd" -> ETCD;
      case "zookeeper" -> ZOOKEEPER;
      default -> throw new InvalidInputException("--datastore", text, "etcd or zookeeper");
    };
  }

  /** Its name in print. */
  String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  int port() {
    return port;
  }

  /** For agents and netctl. */
  String url() {
    return label() + "://" + Topology.ETCD + ":" + port;
  }
}
