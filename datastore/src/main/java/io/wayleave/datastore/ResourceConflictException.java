package io.wayleave.datastore;

import static java.util.Objects.requireNonNull;

import io.wayleave.model.Kind;

/** A change of a resource was refused because of what the store holds. Nothing was changed. */
public final class ResourceConflictException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What was in the way. */
  public enum Problem {
    /** It was to be created and is there already. */
    EXISTS,
    /** It was to be changed or deleted and is not there. */
    NOT_FOUND,
    /** It was changed by another since it was read. */
    CHANGED
  }

  private final Problem problem;
  private final Kind kind;
  private final String name;

  public ResourceConflictException(Problem problem, Kind kind, String name) {
    super(message(requireNonNull(problem, "problem is null"), kind, name));
    this.problem = problem;
    this.kind = kind;
    this.name = requireNonNull(name, "name is null");
  }

  public Problem problem() {
    return problem;
  }

  public Kind kind() {
    return kind;
  }

  public String name() {
    return name;
  }

  private static String message(Problem problem, Kind kind, String name) {
    String subject = kind.title() + " \"" + name + "\" ";
    return switch (problem) {
      case EXISTS -> subject + "exists already";
      case NOT_FOUND -> subject + "does not exist";
      case CHANGED -> subject + "was changed by another meanwhile; read it again";
    };
  }
}
