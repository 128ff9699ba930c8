package io.wayleave.linux;

/** Who is at the other end of a Unix socket, as the kernel knew when it connected. */
public record PeerCredentials(int pid, int uid, int gid) {}
