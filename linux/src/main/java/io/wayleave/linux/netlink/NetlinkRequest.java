package io.wayleave.linux.netlink;

import static java.util.Objects.requireNonNull;

import java.util.function.Consumer;

/**
 * One wish to the kernel, made by a static method of {@link Links}, {@link Addresses}, {@link
 * Routes} or {@link Neighbours}. Immutable; it can be executed more than once and on any socket of
 * its netlink family.
 */
public final class NetlinkRequest {
  private final int type;
  private final int flags;
  private final Consumer<MessageWriter> body;
  private final Description description;

  /** The wish in words. It is asked for only when something failed, and may then cost. */
  @FunctionalInterface
  interface Description {
    String text(InterfaceNames names);
  }

  /** Turns an interface index into its name where possible. */
  @FunctionalInterface
  interface InterfaceNames {
    /** For those who cannot ask. */
    InterfaceNames NONE = index -> "#" + index;

    String of(int index);
  }

  NetlinkRequest(int type, int flags, Consumer<MessageWriter> body, Description description) {
    this.type = type;
    this.flags = flags;
    this.body = requireNonNull(body, "body is null");
    this.description = requireNonNull(description, "description is null");
  }

  void write(MessageWriter writer, int moreFlags, int sequence) {
    writer.begin(type, flags | moreFlags | RtNetlink.NLM_F_REQUEST, sequence);
    body.accept(writer);
    writer.end();
  }

  String describe(InterfaceNames names) {
    return description.text(names);
  }

  /** What it asks, with interfaces as {@code #INDEX}. */
  @Override
  public String toString() {
    return describe(InterfaceNames.NONE);
  }
}
