package io.wayleave.linux;

import java.util.List;

/**
 * One message of a {@link UnixConnection} with the descriptors that came with it, which whoever
 * received the frame now owns: {@link #close} closes all that are still open.
 */
@SuppressWarnings("ArrayRecordComponent") // Bytes of the wire; nobody compares frames.
public record Frame(byte[] bytes, List<Fd> descriptors) implements AutoCloseable {
  public Frame {
    descriptors = List.copyOf(descriptors);
  }

  @Override
  public void close() {
    descriptors.forEach(Fd::close);
  }
}
