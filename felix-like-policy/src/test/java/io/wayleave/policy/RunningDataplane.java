package io.wayleave.policy;

import io.wayleave.model.Kind;
import io.wayleave.model.Resource;
import io.wayleave.model.ResourceCodec;
import io.wayleave.policy.calc.PolicyCalculator;
import io.wayleave.policy.dataplane.CommandRunner;
import io.wayleave.policy.dataplane.Dataplane;
import io.wayleave.policy.dataplane.Failures;
import io.wayleave.policy.dataplane.IptablesBackend;
import io.wayleave.policy.dataplane.Mode;
import io.wayleave.policy.dataplane.NetlinkAddresses;
import io.wayleave.policy.dataplane.NetlinkIpsets;
import io.wayleave.policy.dataplane.ProcessRunner;
import io.wayleave.policy.dataplane.TableWatch;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * The calculation and the kernel without the engine between them: what is put is in force when the
 * call returns.
 */
final class RunningDataplane implements AutoCloseable {
  private final PolicyCalculator calculator;
  private final Dataplane dataplane;

  RunningDataplane(PolicyConfig config, IptablesBackend backend) {
    this(config, backend, UnaryOperator.identity());
  }

  /**
   * With programs that get another input than what was meant.
   *
   * @param tampered what a program is given in place of its input
   */
  RunningDataplane(PolicyConfig config, IptablesBackend backend, UnaryOperator<String> tampered) {
    this.calculator = new PolicyCalculator(config.node());
    CommandRunner runner = ProcessRunner.in(config.namespace(), config.commandDeadline());
    this.dataplane =
        new Dataplane(
            config.families(),
            backend,
            config.host(),
            new CommandRunner() {
              @Override
              public Result run(List<String> command, String stdin) {
                return runner.run(command, tampered.apply(stdin));
              }

              @Override
              public Result restore(List<String> command, String lines) {
                return runner.restore(command, tampered.apply(lines));
              }

              @Override
              public void awaitDeletions() {
                runner.awaitDeletions();
              }

              @Override
              public void close() {
                runner.close();
              }
            },
            new NetlinkIpsets(config.namespace()),
            new NetlinkAddresses(config.namespace()),
            TableWatch.none());
    apply();
  }

  void put(Resource... resources) {
    for (Resource resource : resources) {
      calculator.put(resource);
    }
    apply();
  }

  /** From YAML documents without {@code apiVersion}. */
  void put(String documents) {
    StringBuilder manifest = new StringBuilder();
    for (String document : documents.split("---\n", -1)) {
      manifest.append("---\napiVersion: wayleave.io/v1\n").append(document);
    }
    put(ResourceCodec.fromManifest(manifest.toString()).toArray(Resource[]::new));
  }

  void remove(Kind kind, String id) {
    calculator.remove(kind, id);
    apply();
  }

  /** As a resync. */
  void resync() {
    dataplane.invalidate();
    dataplane.apply(Mode.FULL);
  }

  Failures failing() {
    return dataplane.failing();
  }

  private void apply() {
    calculator.flush(dataplane);
    dataplane.apply(Mode.FULL);
  }

  /** Everything stays in force. */
  @Override
  public void close() {
    dataplane.close();
  }
}
