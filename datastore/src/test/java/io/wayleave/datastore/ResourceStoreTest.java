package io.wayleave.datastore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.datastore.testing.Await;
import io.wayleave.model.Cidr;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.IpPool;
import io.wayleave.model.Kind;
import io.wayleave.model.Metadata;
import io.wayleave.model.Update;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class ResourceStoreTest {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  private final MemoryDatastore datastore = new MemoryDatastore();
  private final ResourceStore store = new ResourceStore(datastore);

  @Test
  void whatIsCreatedIsReadUnderItsKindAndName() {
    IpPool pool = pool("a", "10.0.0.0/16");
    Version version = store.create(pool, deadline());
    assertThat(store.get(IpPool.class, "a", deadline()))
        .contains(new ResourceStore.Stored<>(pool, version));
    assertThat(datastore.get("resources/ippools/a", deadline()).orElseThrow().text())
        .contains("\"kind\":\"IPPool\"");
    assertThat(store.get(IpPool.class, "b", deadline())).isEmpty();
  }

  @Test
  void creatingTwiceIsAConflict() {
    store.create(pool("a", "10.0.0.0/16"), deadline());
    assertConflict(
        () -> store.create(pool("a", "10.1.0.0/16"), deadline()),
        ResourceConflictException.Problem.EXISTS);
    assertThat(store.list(IpPool.class, deadline()).resources())
        .containsExactly(pool("a", "10.0.0.0/16"));
  }

  @Test
  void replacingNeedsTheStateThatWasRead() {
    Version first = store.create(pool("a", "10.0.0.0/16"), deadline());
    store.replace(pool("a", "10.1.0.0/16"), first, deadline());
    assertConflict(
        () -> store.replace(pool("a", "10.2.0.0/16"), first, deadline()),
        ResourceConflictException.Problem.CHANGED);
    assertConflict(
        () -> store.delete(Kind.IP_POOL, "a", first, deadline()),
        ResourceConflictException.Problem.CHANGED);
    store.delete(Kind.IP_POOL, "a", deadline());
    assertConflict(
        () -> store.replace(pool("a", "10.2.0.0/16"), first, deadline()),
        ResourceConflictException.Problem.NOT_FOUND);
    assertConflict(
        () -> store.delete(Kind.IP_POOL, "a", deadline()),
        ResourceConflictException.Problem.NOT_FOUND);
  }

  @Test
  void whatCannotBeReadHidesNothingElse() {
    store.create(pool("a", "10.0.0.0/16"), deadline());
    store.create(pool("z", "10.1.0.0/16"), deadline());
    write("resources/ippools/broken", "{");
    write(
        "resources/ippools/named-otherwise",
        datastore.get("resources/ippools/a", deadline()).orElseThrow().text());
    ResourceStore.Listing<IpPool> listing = store.list(IpPool.class, deadline());
    assertThat(listing.resources()).extracting(IpPool::name).containsExactly("a", "z");
    assertThat(listing.unreadable())
        .extracting(ResourceStore.Unreadable::key)
        .containsExactly("resources/ippools/broken", "resources/ippools/named-otherwise");
    assertThatThrownBy(() -> store.get(IpPool.class, "broken", deadline()))
        .isInstanceOf(InvalidInputException.class)
        .hasMessageStartingWith("resources/ippools/broken");
    assertThatThrownBy(() -> store.get(IpPool.class, "named-otherwise", deadline()))
        .hasMessageContaining("metadata.name");
  }

  @Test
  void resourcesAreFollowedByName() {
    List<String> told = new CopyOnWriteArrayList<>();
    store.create(pool("a", "10.0.0.0/16"), deadline());
    try (Syncer<String, IpPool> _ =
        store.follow(
            IpPool.class,
            update ->
                told.add(
                    switch (update) {
                      case Update.Put<String, IpPool>(String name, IpPool pool) ->
                          name + "=" + pool.spec().cidr();
                      case Update.Delete<String, IpPool>(String name) -> "-" + name;
                      case Update.InSync<String, IpPool> _ -> "in-sync";
                    }))) {
      Await.until("in-sync", LIMIT, () -> told.contains("in-sync"));
      store.put(pool("b", "10.1.0.0/16"), deadline());
      store.delete(Kind.IP_POOL, "a", deadline());
      Await.until("deleted", LIMIT, () -> told.contains("-a"));
    }
    assertThat(told).containsExactly("a=10.0.0.0/16", "in-sync", "b=10.1.0.0/16", "-a");
  }

  private static void assertConflict(Runnable call, ResourceConflictException.Problem problem) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            ResourceConflictException.class,
            e -> {
              assertThat(e.problem()).isEqualTo(problem);
              assertThat(e).hasMessageContaining("IPPool \"a\"");
            });
  }

  private void write(String key, String value) {
    datastore.commit(Transaction.builder().put(key, value).build(), deadline());
  }

  private static IpPool pool(String name, String cidr) {
    return new IpPool(Metadata.of(name, Map.of()), IpPool.Spec.of(Cidr.parse(cidr)));
  }

  private static Deadline deadline() {
    return Deadline.after(LIMIT);
  }
}
