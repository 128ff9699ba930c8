package io.wayleave.datastore.testing;

import io.wayleave.datastore.Entry;
import io.wayleave.datastore.Keys;
import io.wayleave.datastore.Syncer;
import io.wayleave.model.Update;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Notes what a syncer tells as text: {@code key=value}, {@code -key}, {@code in-sync}. */
public final class RecordingListener implements Syncer.Listener<String, String> {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  /** Takes the last segment of a key, and any value but {@code bad}. */
  public static final Syncer.Decoder<String, String> TEXT =
      new Syncer.Decoder<>() {
        @Override
        public String key(String key) {
          return Keys.lastSegment(key);
        }

        @Override
        public String value(String key, Entry entry) {
          if (entry.text().equals("bad")) {
            throw new IllegalArgumentException("the value is bad");
          }
          return entry.text();
        }
      };

  private final List<String> told = new CopyOnWriteArrayList<>();
  private final List<String> threads = new CopyOnWriteArrayList<>();

  @Override
  public void onUpdate(Update<String, String> update) {
    threads.add(Thread.currentThread().getName());
    told.add(
        switch (update) {
          case Update.Put<String, String>(String key, String value) -> key + "=" + value;
          case Update.Delete<String, String>(String key) -> "-" + key;
          case Update.InSync<String, String> _ -> "in-sync";
        });
    if (told.getLast().endsWith("=throw")) {
      throw new IllegalStateException("a defect of the follower");
    }
  }

  @Override
  public void onInvalid(String key, String reason) {
    told.add("invalid " + key + ": " + reason);
  }

  @Override
  public void onInvalidGone(String key) {
    told.add("not invalid " + key);
  }

  @Override
  public void onStatus(Syncer.Status status) {
    told.add(status.connected() ? "connected" : "disconnected");
  }

  public List<String> told() {
    return List.copyOf(told);
  }

  /** Names of the threads that called. */
  public List<String> threads() {
    return List.copyOf(threads);
  }

  public void await(String text) {
    Await.until(text + " is told, after " + told, LIMIT, () -> told.contains(text));
  }
}
