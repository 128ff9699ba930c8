package io.wayleave.linux.netlink;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.InvalidInputException;
import java.util.List;

/** One wish about sets, as {@link Ipsets#execute} takes it. Written as the ipset program does. */
public sealed interface IpsetChange {
  /** The set that it is about, by the name that it has before. */
  String set();

  /**
   * Makes a set; nothing happens when it is there with the same format.
   *
   * @param expectedMembers room for so many is made at once: a hash that grows waits for all
   *     readers, some milliseconds each time
   */
  record Create(String set, IpsetFormat format, int expectedMembers) implements IpsetChange {
    public Create {
      checkName(set);
      requireNonNull(format, "format is null");
    }

    @Override
    public String toString() {
      return "create " + set + " " + format;
    }
  }

  /** Adds members; those that are there stay, and match from then on if they did not. */
  record Add(String set, List<IpsetMember> members) implements IpsetChange {
    public Add {
      checkName(set);
      members = List.copyOf(members);
    }

    @Override
    public String toString() {
      return "add " + set + " " + text(members);
    }
  }

  /** Removes members; one that is not there is no failure. */
  record Remove(String set, List<IpsetMember> members) implements IpsetChange {
    public Remove {
      checkName(set);
      members = List.copyOf(members);
    }

    @Override
    public String toString() {
      return "del " + set + " " + text(members);
    }
  }

  /**
   * Lets two sets change places, also under rules that refer to them. They must be of the same type
   * and family.
   */
  record Swap(String set, String other) implements IpsetChange {
    public Swap {
      checkName(set);
      checkName(other);
    }

    @Override
    public String toString() {
      return "swap " + set + " " + other;
    }
  }

  /** Gives a set that no rule refers to a name that is free. */
  record Rename(String set, String name) implements IpsetChange {
    public Rename {
      checkName(set);
      checkName(name);
    }

    @Override
    public String toString() {
      return "rename " + set + " " + name;
    }
  }

  /** Deletes a set that no rule refers to; one that is not there is no failure. */
  record Destroy(String set) implements IpsetChange {
    public Destroy {
      checkName(set);
    }

    @Override
    public String toString() {
      return "destroy " + set;
    }
  }

  /** Without a name, a request to destroy would mean all sets. */
  private static void checkName(String set) {
    if (!set.matches("[!-~]{1,31}")) {
      throw new InvalidInputException("set", set, "1 to 31 letters, digits and punctuation");
    }
  }

  private static String text(List<IpsetMember> members) {
    return members.size() == 1 ? members.getFirst().toString() : members.size() + " members";
  }
}
