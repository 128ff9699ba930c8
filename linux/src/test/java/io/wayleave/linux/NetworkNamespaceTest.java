package io.wayleave.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.wayleave.linux.netlink.Link;
import io.wayleave.linux.netlink.NetlinkSocket;
import io.wayleave.linux.netlink.VethPair;
import io.wayleave.model.InvalidInputException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("real")
class NetworkNamespaceTest {
  @Test
  void aNamespaceHasItsOwnLinks() throws IOException {
    try (TestNamespace one = TestNamespace.create();
        TestNamespace two = TestNamespace.create();
        NetlinkSocket first = one.open();
        NetlinkSocket second = two.open()) {
      first.links().create(VethPair.of("a", "b"));

      assertThat(first.links().list()).extracting(Link::name).contains("a", "b");
      assertThat(second.links().list()).extracting(Link::name).containsExactly("lo");
    }
  }

  @Test
  void workRunsInsideAndTheCallersThreadStaysOutside() throws IOException {
    try (TestNamespace test = TestNamespace.create();
        NetworkNamespace before = NetworkNamespace.current()) {
      assertThat(test.namespace().run(NetworkNamespaceTest::currentIdentity))
          .isEqualTo(test.namespace().identity())
          .isNotEqualTo(before.identity());
      assertThat(currentIdentity()).isEqualTo(before.identity());
    }
  }

  @Test
  void eachRunHasAThreadOfItsOwnThatEnds() throws Exception {
    try (TestNamespace test = TestNamespace.create()) {
      Thread first = test.namespace().run(Thread::currentThread);
      Thread second = test.namespace().run(Thread::currentThread);

      assertThat(first).isNotSameAs(second);
      assertThat(first.isVirtual()).isFalse();
      // The result is there a moment before its thread has ended.
      assertThat(first.join(Duration.ofSeconds(10))).isTrue();
    }
  }

  @Test
  void whatTheWorkThrowsArrives() throws IOException {
    try (TestNamespace test = TestNamespace.create()) {
      IOException thrown = new IOException("mine");
      assertThatThrownBy(
              () ->
                  test.namespace()
                      .run(
                          () -> {
                            throw thrown;
                          }))
          .isSameAs(thrown);
      assertThatThrownBy(
              () ->
                  test.namespace()
                      .run(
                          () -> {
                            throw new IllegalStateException("a bug");
                          }))
          .isInstanceOf(IllegalStateException.class)
          .hasMessage("a bug");
    }
  }

  @Test
  void theSameNamespaceIsKnownByPathNamePidAndDescriptor() throws IOException {
    try (TestNamespace test = TestNamespace.create();
        NetworkNamespace byName = NetworkNamespace.ofName(test.name());
        NetworkNamespace byFd = NetworkNamespace.ofDescriptor(byName.fd().duplicate());
        NetworkNamespace mine = NetworkNamespace.ofPid(ProcessHandle.current().pid());
        NetworkNamespace current = NetworkNamespace.current()) {
      assertThat(byName.identity()).isEqualTo(test.namespace().identity());
      assertThat(byFd.identity()).isEqualTo(test.namespace().identity());
      assertThat(mine.identity())
          .isEqualTo(current.identity())
          .isNotEqualTo(test.namespace().identity());
      assertThat(current)
          .hasToString(Files.readSymbolicLink(Path.of("/proc/self/ns/net")).toString());
    }
  }

  @Test
  void lastsAsLongAsItIsHeld() throws IOException {
    TestNamespace test = TestNamespace.create();
    try (NetworkNamespace held = NetworkNamespace.ofName(test.name())) {
      test.close();

      assertThat(held.run(NetworkNamespaceTest::currentIdentity)).isEqualTo(held.identity());
      assertThatThrownBy(() -> NetworkNamespace.ofName(test.name()))
          .isInstanceOf(SystemCallException.class)
          .hasMessage("open /run/netns/" + test.name() + ": ENOENT (No such file or directory)");
    }
  }

  @Test
  void refusesWhatIsNoNetworkNamespaceAndKeepsNoDescriptor() throws IOException {
    Path file = Files.createTempFile("wlt", "");
    try {
      long before = OpenFiles.count();
      for (Path path : new Path[] {file, Path.of("/proc/self/ns/mnt"), Path.of("/proc")}) {
        assertThatThrownBy(() -> NetworkNamespace.ofPath(path))
            .isInstanceOf(IOException.class)
            .hasMessage(path + " is not a network namespace");
      }
      assertThat(OpenFiles.count()).isEqualTo(before);
    } finally {
      Files.delete(file);
    }
  }

  @Test
  void createRefusesATakenNameAndLeavesItAlone() throws IOException {
    try (TestNamespace test = TestNamespace.create()) {
      assertThatThrownBy(() -> NetworkNamespace.create(test.name()))
          .isInstanceOf(FileAlreadyExistsException.class);
      try (NetworkNamespace again = NetworkNamespace.ofName(test.name())) {
        assertThat(again.identity()).isEqualTo(test.namespace().identity());
      }
    }
  }

  @Test
  void deleteIsIdempotentAndClearsAHalfMadeName() throws IOException {
    String name = TestNamespace.freshName();
    NetworkNamespace.delete(name);
    Files.createDirectories(NetworkNamespace.NAMES);
    Path halfMade = Files.createFile(NetworkNamespace.NAMES.resolve(name));

    NetworkNamespace.delete(name);

    assertThat(halfMade).doesNotExist();
  }

  @Test
  void aClosedOneIsNotEntered() throws IOException {
    try (TestNamespace test = TestNamespace.create()) {
      NetworkNamespace closed = NetworkNamespace.ofName(test.name());
      closed.close();
      closed.close();

      assertThatThrownBy(() -> closed.run(() -> 1)).isInstanceOf(ClosedFdException.class);
    }
  }

  @Test
  void refusesNamesThatLeaveTheDirectory() {
    for (String name : new String[] {"", "..", "../x", "a/b", "-x", "x".repeat(65)}) {
      assertThatThrownBy(() -> NetworkNamespace.create(name))
          .isInstanceOf(InvalidInputException.class);
      assertThatThrownBy(() -> NetworkNamespace.delete(name))
          .isInstanceOf(InvalidInputException.class);
    }
  }

  private static NetworkNamespace.Identity currentIdentity() throws IOException {
    try (NetworkNamespace current = NetworkNamespace.current()) {
      return current.identity();
    }
  }
}
