package io.wayleave.datastore.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import io.wayleave.datastore.Revision;
import java.util.List;
import org.junit.jupiter.api.Test;

class KeptListingsTest {
  private static final Revision FIRST = new Revision("1");
  private static final List<String> KEYS = List.of("a/1", "a/2");

  private long nanos;
  private final KeptListings kept = new KeptListings(() -> nanos);

  @Test
  void oneThatIsReadToTheEndIsFreed() {
    kept.begin(FIRST, "a/", KEYS);
    assertThat(kept.find(FIRST, "a/")).contains(KEYS);
    assertThat(kept.find(FIRST, "")).isEmpty();
    kept.end(FIRST, "a/");
    assertThat(kept.size()).isZero();
    assertThat(kept.find(FIRST, "a/")).isEmpty();
    kept.end(FIRST, "a/"); // it was dropped before
  }

  @Test
  void oneThatTwoReadStaysForTheSecond() {
    kept.begin(FIRST, "a/", KEYS);
    kept.begin(FIRST, "a/", KEYS);
    kept.end(FIRST, "a/");
    assertThat(kept.find(FIRST, "a/")).contains(KEYS);
    kept.end(FIRST, "a/");
    assertThat(kept.size()).isZero();
  }

  @Test
  void oneThatIsGivenUpIsFreedAtTheNextListing() {
    kept.begin(FIRST, "a/", KEYS);
    nanos += KeptListings.IDLE.toNanos();
    assertThat(kept.find(FIRST, "a/")).isPresent(); // which is a use of it
    nanos += KeptListings.IDLE.toNanos();
    kept.begin(new Revision("2"), "b/", KEYS);
    assertThat(kept.size()).isEqualTo(2);
    nanos += KeptListings.IDLE.toNanos();
    kept.begin(new Revision("3"), "c/", KEYS);
    assertThat(kept.find(FIRST, "a/")).isEmpty();
    assertThat(kept.size()).isEqualTo(2);
  }

  @Test
  void ofTooManyTheOldestGoes() {
    for (int i = 0; i <= KeptListings.MOST; i++) {
      kept.begin(new Revision(Integer.toString(i)), "a/", KEYS);
    }
    assertThat(kept.size()).isEqualTo(KeptListings.MOST);
    assertThat(kept.find(new Revision("0"), "a/")).isEmpty();
    assertThat(kept.find(FIRST, "a/")).isPresent();
  }
}
