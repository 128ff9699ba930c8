package io.wayleave.datastore;

import io.wayleave.datastore.testing.MortalOwner;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;

/** The contract on a server. Each test has a prefix, and so a store, of its own. */
abstract class ServerContract extends DatastoreContractTest {
  private static final AtomicInteger PREFIX = new AtomicInteger();

  private final List<MortalOwner> owners = new ArrayList<>();
  private String url;

  /** What clients connect to, without a prefix. */
  protected abstract String server();

  /** The URL of this test's store. */
  final String url() {
    return url;
  }

  @AfterEach
  void endOwners() {
    owners.forEach(MortalOwner::close);
  }

  @Override
  protected Datastore open() {
    url = server() + "/t" + PREFIX.incrementAndGet();
    return another();
  }

  @Override
  protected Datastore another() {
    return Datastores.open(url, DatastoreOptions.DEFAULTS);
  }

  @Override
  protected Runnable mortalOwnerOf(String key) {
    MortalOwner owner = MortalOwner.start(url, key, 1);
    owners.add(owner);
    return owner::close;
  }
}
