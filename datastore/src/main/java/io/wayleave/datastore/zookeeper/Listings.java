package io.wayleave.datastore.zookeeper;

import io.wayleave.datastore.Deadline;
import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Page;
import io.wayleave.datastore.Revision;
import io.wayleave.datastore.SnapshotExpiredException;
import io.wayleave.datastore.zookeeper.ZooKeeperConnection.Client;
import io.wayleave.datastore.zookeeper.ZooKeeperConnection.Reply;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeoutException;
import org.apache.zookeeper.KeeperException;

/**
 * Lists what lies under a prefix: the keys of all directories at the first page, kept for the pages
 * after it, and the values page by page. The watch of a prefix begins with its first listing, so
 * that the change log has every change that no page shows. Thread safe.
 */
final class Listings {
  /** Requests under way at once in a listing. */
  private static final int WINDOW = 200;

  private final ZooKeeperConnection connection;
  private final Layout layout;
  private final Nodes nodes;
  private final Revisions revisions;

  private final KeptListings kept = new KeptListings(System::nanoTime);

  Listings(ZooKeeperConnection connection, Layout layout, Nodes nodes, Revisions revisions) {
    this.connection = connection;
    this.layout = layout;
    this.nodes = nodes;
    this.revisions = revisions;
  }

  /** As {@link io.wayleave.datastore.Datastore#list}; the arguments are checked. */
  Page list(String prefix, Optional<Page.Cursor> cursor, int pageSize, Deadline deadline) {
    String what = "list of " + prefix;
    nodes.checkLayout(what, deadline);
    List<String> keys;
    Revision revision;
    int from;
    if (cursor.isEmpty()) {
      Reply<List<String>> all =
          connection.repeat(what, deadline, client -> keys(client, prefix, deadline));
      keys = all.value();
      revision = revisions.revision(all.position());
      from = 0;
    } else {
      revision = cursor.get().revision();
      keys = inProgress(prefix, revision);
      int at = Collections.binarySearch(keys, cursor.get().afterKey());
      from = at < 0 ? -at - 1 : at + 1;
    }
    List<Entry> entries = new ArrayList<>();
    int to = from;
    // Keys that have gone since are not shown, and an empty page in the middle would say nothing.
    while (entries.isEmpty() && to < keys.size()) {
      int next = Math.min(keys.size(), to + pageSize);
      for (Nodes.Seen value : nodes.values(keys.subList(to, next), deadline)) {
        value.entry().ifPresent(entries::add);
      }
      to = next;
    }
    if (to == keys.size()) {
      if (cursor.isPresent()) {
        kept.end(revision, prefix);
      }
      return new Page(entries, revision, Optional.empty());
    }
    if (cursor.isEmpty()) {
      kept.begin(revision, prefix, keys);
    }
    return new Page(entries, revision, Optional.of(new Page.Cursor(revision, keys.get(to - 1))));
  }

  private List<String> inProgress(String prefix, Revision revision) {
    Optional<ChangeLog.Position> position = revisions.position(revision);
    Optional<List<String>> keys = kept.find(revision, prefix);
    if (keys.isEmpty()
        || position.isEmpty()
        || position.get().epoch() != connection.changes().state().end().epoch()) {
      throw new SnapshotExpiredException(
          "the listing of " + prefix + " from " + revision + " is no longer kept", null);
    }
    return keys.get();
  }

  /** Listings that were begun and not read to the end; for tests. */
  int inProgress() {
    return kept.size();
  }

  /** All keys under a prefix, in order, and where a watch begins that tells all later changes. */
  private Reply<List<String>> keys(Client client, String prefix, Deadline deadline)
      throws KeeperException, TimeoutException {
    ChangeLog changes = connection.changes();
    String directory = layout.directory(prefix);
    ChangeLog.Position start = connection.await(connection.sync(client), deadline).position();
    if (!changes.covers(prefix, start)) {
      start = connection.await(connection.watch(client, directory), deadline).position();
      changes.watched(prefix, start);
    }
    List<String> keys = new ArrayList<>();
    List<Place> directories = List.of(new Place(directory, prefix));
    while (!directories.isEmpty()) {
      List<Place> shards = new ArrayList<>();
      for (Listed listed : children(client, directories, deadline)) {
        for (String shard : listed.children()) {
          Layout.checkShard(listed.place().path(), shard);
          shards.add(new Place(listed.place().path() + "/" + shard, listed.place().prefix()));
        }
      }
      List<Place> deeper = new ArrayList<>();
      for (Listed listed : children(client, shards, deadline)) {
        for (String name : listed.children()) {
          Layout.Child child = Layout.child(listed.place().path(), name);
          if (child.isDirectory()) {
            deeper.add(
                new Place(
                    listed.place().path() + "/" + name,
                    listed.place().prefix() + child.name() + "/"));
          } else {
            keys.add(listed.place().prefix() + child.name());
          }
        }
      }
      directories = deeper;
    }
    Collections.sort(keys);
    return new Reply<>(keys, start);
  }

  /** A node, and what the keys under it begin with. */
  private record Place(String path, String prefix) {}

  private record Listed(Place place, List<String> children) {}

  private List<Listed> children(Client client, List<Place> places, Deadline deadline)
      throws KeeperException, TimeoutException {
    List<Listed> listed = new ArrayList<>();
    for (int from = 0; from < places.size(); from += WINDOW) {
      List<Place> some = places.subList(from, Math.min(places.size(), from + WINDOW));
      List<CompletableFuture<Reply<List<String>>>> answers =
          some.stream().map(place -> connection.children(client, place.path())).toList();
      for (int i = 0; i < some.size(); i++) {
        listed.add(new Listed(some.get(i), connection.await(answers.get(i), deadline).value()));
      }
    }
    return listed;
  }
}
