package io.wayleave.test.lab;

import java.util.Map;

/**
 * A container that the lab started and has not removed.
 *
 * @param labels what policies select it by, in the CNI configuration that it was started with
 */
record ContainerRecord(String host, String name, RuntimeKind runtime, Map<String, String> labels) {
  ContainerRecord {
    labels = Map.copyOf(labels);
  }
}
