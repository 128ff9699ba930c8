package io.wayleave.cni;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class UndoStackTest {
  private final List<String> done = new ArrayList<>();
  private final UndoStack stack = new UndoStack();
  private final Exception failure = new Exception("the first");

  @Test
  void undoesTheLastFirst() {
    stack.pushLast("a", () -> done.add("a"));
    stack.push("b", () -> done.add("b"));
    stack.push("c", () -> done.add("c"));

    assertThat(stack.undo(failure)).isTrue();
    assertThat(done).containsExactly("c", "b", "a");
    assertThat(failure.getSuppressed()).isEmpty();
  }

  @Test
  void aFailureKeepsOnlyThoseBackThatNeedTheRestToBeGone() {
    stack.pushLast("a", () -> done.add("a"));
    stack.push("b", () -> done.add("b"));
    stack.push(
        "c",
        () -> {
          throw new IOException("another");
        });
    stack.push("d", () -> done.add("d"));

    assertThat(stack.undo(failure)).isFalse();
    assertThat(done).containsExactly("d", "b");
    assertThat(failure).hasMessage("the first");
    assertThat(failure.getSuppressed()).singleElement().isInstanceOf(IOException.class);
  }

  @Test
  void undoesOnce() {
    stack.push("a", () -> done.add("a"));

    stack.undo(failure);
    stack.undo(failure);

    assertThat(done).containsExactly("a");
  }
}
