package io.wayleave.test.lab;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What is written down of a lab, so that a later process can use it and take it down. */
record LabState(LabSpec spec, List<ProcessRecord> processes, List<ContainerRecord> containers) {
  LabState {
    processes = List.copyOf(processes);
    containers = List.copyOf(containers);
  }

  /** One process per name: a restarted daemon takes the place of its predecessor. */
  LabState with(ProcessRecord process) {
    List<ProcessRecord> next = new ArrayList<>(withoutProcess(process.name()).processes);
    next.add(process);
    return new LabState(spec, next, containers);
  }

  LabState withoutProcess(String name) {
    return new LabState(
        spec, processes.stream().filter(p -> !p.name().equals(name)).toList(), containers);
  }

  Optional<ProcessRecord> process(String name) {
    return processes.stream().filter(p -> p.name().equals(name)).findFirst();
  }

  LabState with(ContainerRecord container) {
    List<ContainerRecord> next =
        new ArrayList<>(withoutContainer(container.host(), container.name()).containers);
    next.add(container);
    return new LabState(spec, processes, next);
  }

  LabState withoutContainer(String host, String name) {
    return new LabState(
        spec,
        processes,
        containers.stream()
            .filter(c -> !(c.host().equals(host) && c.name().equals(name)))
            .toList());
  }

  Optional<ContainerRecord> container(String host, String name) {
    return containers.stream()
        .filter(c -> c.host().equals(host) && c.name().equals(name))
        .findFirst();
  }
}
