package io.wayleave.test.lab;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * One lab of two racks with two hosts for all test classes of a run: it is brought up for the first
 * that asks and taken down after the last. Each test gets it whole and empty, and what a test
 * leaves behind is removed after it; a lab that cannot be made whole again fails the test that
 * broke it.
 */
final class SharedLab implements ParameterResolver, AfterEachCallback {
  private static final ExtensionContext.Namespace NAMESPACE =
      ExtensionContext.Namespace.create(SharedLab.class);

  private record Holder(Lab lab) implements AutoCloseable {
    @Override
    public void close() {
      lab.close();
    }
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == Lab.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return lab(context);
  }

  @Override
  public void afterEach(ExtensionContext context) {
    Lab lab = lab(context);
    for (LabContainer container : lab.containers()) {
      container.host().remove(container.name());
    }
    lab.awaitSessions();
  }

  private static Lab lab(ExtensionContext context) {
    return Objects.requireNonNull(
            context
                .getRoot()
                .getStore(NAMESPACE)
                .computeIfAbsent(
                    Holder.class,
                    key -> new Holder(Lab.up(LabSpec.named(LabNames.next()), Progress.SILENT)),
                    Holder.class))
        .lab();
  }

  /** A container on each host, named after its place: c-r1h1 and so on. */
  static List<LabContainer> containerOnEachHost(Lab lab, Map<String, String> labels) {
    return Parallel.map(lab.hosts(), host -> host.run("c-" + host.name(), labels));
  }
}
