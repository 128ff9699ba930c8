package io.wayleave.linux.netlink;

import io.wayleave.linux.Libc;
import io.wayleave.model.Family;
import java.util.Optional;

/** Address families by the kernel's numbers. */
final class Families {
  private Families() {}

  static int number(Family family) {
    return family == Family.IPV4 ? Libc.AF_INET : Libc.AF_INET6;
  }

  /** Empty for those that Wayleave does not route, such as MPLS and bridge entries. */
  static Optional<Family> of(int number) {
    return switch (number) {
      case Libc.AF_INET -> Optional.of(Family.IPV4);
      case Libc.AF_INET6 -> Optional.of(Family.IPV6);
      default -> Optional.empty();
    };
  }
}
