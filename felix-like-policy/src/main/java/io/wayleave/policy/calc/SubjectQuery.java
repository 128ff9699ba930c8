package io.wayleave.policy.calc;

import io.wayleave.model.PortName;
import io.wayleave.model.policy.Subject;
import io.wayleave.model.policy.SubjectSelector;
import java.util.Optional;

/** Asks a {@link SubjectIndex} for subjects. Compared by identity. */
interface SubjectQuery {
  SubjectSelector chosen();

  /** Only subjects that have a port of that name; all when empty. */
  Optional<PortName> portName();

  default boolean matches(Subject subject) {
    return (portName().isEmpty() || hasPort(subject, portName().get()))
        && chosen().matches(subject);
  }

  private static boolean hasPort(Subject subject, PortName name) {
    for (var port : subject.ports()) {
      if (port.name().equals(name)) {
        return true;
      }
    }
    return false;
  }
}
