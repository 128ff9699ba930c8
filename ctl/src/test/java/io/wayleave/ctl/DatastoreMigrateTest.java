package io.wayleave.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Datastore;
import io.wayleave.datastore.DatastoreOptions;
import io.wayleave.datastore.Datastores;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.Session;
import io.wayleave.datastore.Transaction;
import io.wayleave.datastore.testing.EtcdServer;
import io.wayleave.datastore.testing.ZooKeeperProcess;
import io.wayleave.datastore.zookeeper.EmbeddedServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code netctl datastore} between real datastores, from the first host's own to the fleet's. */
@Tag("real")
@Timeout(120)
class DatastoreMigrateTest {
  @TempDir private Path directory;

  @Test
  void everythingMovesFromTheEmbeddedDatastoreToEtcdAndToZooKeeperOnceAgentsAreStopped()
      throws IOException {
    Path embedded = directory.resolve("datastore");
    String from = "embedded:" + embedded;
    Path manifest = Files.writeString(directory.resolve("all.yaml"), Samples.NODES);
    try (EtcdServer etcd = EtcdServer.start();
        ZooKeeperProcess zooKeeper = ZooKeeperProcess.start()) {
      String agents;
      try (EmbeddedServer _ = EmbeddedServer.start(embedded, _ -> {});
          Datastore agent = Datastores.open(from, DatastoreOptions.DEFAULTS);
          Session session = agent.openSession(Duration.ofSeconds(10), agent.deadline())) {
        assertThat(run("--datastore", from, "pool", "create", "web", "--cidr", "10.244.0.0/16"))
            .isEqualTo(new NetctlRun.Result(0, "IPPool web created\n", ""));
        assertThat(run("--datastore", from, "apply", "-f", manifest.toString()).code()).isZero();
        agent.commit(
            Transaction.builder().putBound(Keys.presence("r2h1"), new byte[0], session).build(),
            agent.deadline());
        NetctlRun.Result refused = run("datastore", "migrate", from, etcd.url());
        assertThat(refused.code()).isEqualTo(1);
        assertThat(refused.err()).contains("no agent uses").contains("r2h1").hasLineCount(1);
        agents = contents(from);
      }
      assertThat(agents).contains("10.244.0.0/16").contains("r2h1");

      NetctlRun.Result typo =
          run("datastore", "migrate", "embedded:" + directory.resolve("typo"), etcd.url());
      assertThat(typo.code()).isEqualTo(1);
      assertThat(typo.err()).contains("there is no datastore in " + directory.resolve("typo"));
      assertThat(directory.resolve("typo")).doesNotExist();

      NetctlRun.Result toEtcd = run("datastore", "migrate", from, etcd.url());
      assertThat(toEtcd.err()).isEmpty();
      assertThat(toEtcd.out()).contains(" of " + from + " copied to " + etcd.url());
      assertThat(contents(etcd.url())).isEqualTo(agents);

      assertThat(run("datastore", "migrate", from, etcd.url()).err())
          .contains("an empty datastore");

      NetctlRun.Result toZooKeeper = run("datastore", "migrate", etcd.url(), zooKeeper.url());
      assertThat(toZooKeeper.err()).isEmpty();
      assertThat(contents(zooKeeper.url())).isEqualTo(agents);

      // And back into the files of a host whose agent does not run.
      String back = "embedded:" + directory.resolve("back");
      assertThat(run("datastore", "migrate", zooKeeper.url(), back).err()).isEmpty();
      Path export = directory.resolve("export.json");
      assertThat(run("--datastore", back, "datastore", "export", export.toString()).err())
          .isEmpty();
      Path original = directory.resolve("original.json");
      assertThat(run("--datastore", from, "datastore", "export", original.toString()).err())
          .isEmpty();
      assertThat(export).hasSameTextualContentAs(original);
      NetctlRun.Result stopped = run("--datastore", from, "pool", "list");
      assertThat(stopped.code()).isEqualTo(1);
      assertThat(stopped.err()).contains("served by no process");

      etcd.kill();
      NetctlRun.Result away = run("--timeout", "1s", "datastore", "migrate", etcd.url(), from);
      assertThat(away.code()).isEqualTo(1);
      assertThat(away.err()).contains(etcd.url()).hasLineCount(1);
    }
  }

  private static String contents(String url) {
    StringBuilder contents = new StringBuilder();
    for (String kind : new String[] {"ippools", "nodes"}) {
      NetctlRun.Result result = run("--datastore", url, "get", kind, "-o", "yaml");
      assertThat(result.err()).isEmpty();
      contents.append(result.out());
    }
    return contents.toString();
  }

  private static NetctlRun.Result run(String... args) {
    return NetctlRun.real(Map.of(), args);
  }
}
