package io.wayleave.datastore;

import io.wayleave.datastore.testing.Commands;
import io.wayleave.datastore.testing.ContainedServer;
import io.wayleave.datastore.testing.ContainerEngine;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.extension.RegisterExtension;

/** In a container. */
@Tag("real")
@Tag("full")
class EtcdContainerContractTest extends EtcdContract {
  @RegisterExtension static final ContainerEngine.OfTheRun PODMAN = new ContainerEngine.OfTheRun();

  private static ContainedServer etcd;

  @BeforeAll
  static void startEtcd() {
    startEtcd(PODMAN.engine());
  }

  static void startEtcd(ContainerEngine engine) {
    etcd = ContainedServer.etcd(engine);
  }

  @AfterAll
  static void stopEtcd() {
    if (etcd != null) {
      etcd.close();
    }
  }

  @Override
  protected String server() {
    return etcd.url();
  }

  @Override
  protected void compact(String revision) {
    Commands.run(
        Path.of("/"),
        List.of("etcdctl", "--endpoints", "127.0.0.1:" + etcd.port(), "compact", revision));
  }
}
