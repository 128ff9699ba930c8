package io.wayleave.test.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * A build of Wayleave that is one version ahead: the built tree, in which policies may have one
 * field more. It reads, writes and keeps the field, and does nothing by it. All else is what is
 * tested everywhere.
 */
final class NewerBuild {
  static final String VERSION = "99.0";

  /** A field that Calico has, too. */
  static final String FIELD = "performanceHints";

  private static final Path SOURCE =
      Path.of("model/src/main/java/io/wayleave/model/PolicySpec.java");

  private NewerBuild() {}

  /**
   * Makes it of the tree that all others run.
   *
   * @param directory an empty one
   */
  static Installation make(Path directory) throws IOException {
    Path built = Installation.find().home();
    Path home = directory.resolve("wayleave");
    try (Stream<Path> files = Files.walk(built)) {
      for (Path file : (Iterable<Path>) files::iterator) {
        Path copy = home.resolve(built.relativize(file));
        // A start-up cache is of the jars that it was made with.
        if (!file.toString().endsWith(".aot")) {
          Files.copy(file, copy);
        }
      }
    }
    Path classes = Files.createDirectory(directory.resolve("classes"));
    compile(newer(Files.readString(root().resolve(SOURCE))), home.resolve("lib"), classes);
    inJar(
        jar(home, "model"),
        jar -> {
          try (Stream<Path> files = Files.walk(classes)) {
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
              Path inside = jar.getPath(classes.relativize(file).toString());
              Files.write(inside, Files.readAllBytes(file));
            }
          }
        });
    inJar(
        jar(home, "agent"),
        jar -> {
          Path manifest = jar.getPath("META-INF", "MANIFEST.MF");
          String text = Files.readString(manifest);
          String newer =
              text.replaceFirst("Implementation-Version: .*", "Implementation-Version: " + VERSION);
          assertThat(newer).isNotEqualTo(text);
          Files.writeString(manifest, newer);
        });
    return new Installation(home);
  }

  private static Path root() {
    return Path.of(Optional.ofNullable(System.getenv("WAYLEAVE_SOURCE_ROOT")).orElse("."));
  }

  /** The source with the field, and with the constructor that the other classes know. */
  private static String newer(String source) {
    String last = "Optional<StagedAction> stagedAction) {\n";
    assertThat(source).containsOnlyOnce(last);
    return source
        .replace(
            last,
            "Optional<StagedAction> stagedAction, Optional<String> "
                + FIELD
                + ") {\n  public PolicySpec(String tier, Optional<Double> order, String selector,"
                + " Optional<String> namespaceSelector, Set<Direction> types, List<PolicyRule>"
                + " ingress, List<PolicyRule> egress, Optional<StagedAction> stagedAction) {\n"
                + "    this(tier, order, selector, namespaceSelector, types, ingress, egress,"
                + " stagedAction, Optional.empty());\n  }\n")
        .replace(
            "    stagedAction = Absent.orEmpty(stagedAction);\n",
            "    stagedAction = Absent.orEmpty(stagedAction);\n    "
                + FIELD
                + " = Absent.orEmpty("
                + FIELD
                + ");\n");
  }

  private static void compile(String source, Path lib, Path into) throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter complaints = new StringWriter();
    Path file = into.resolveSibling("PolicySpec.java");
    Files.writeString(file, source);
    try (StandardJavaFileManager files =
        compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
      Iterable<? extends JavaFileObject> sources = files.getJavaFileObjects(file);
      List<String> options =
          List.of("-d", into.toString(), "-cp", classPath(lib), "-parameters", "-proc:none");
      boolean compiled = compiler.getTask(complaints, files, null, options, null, sources).call();
      assertThat(compiled).as(complaints.toString()).isTrue();
    }
  }

  private static String classPath(Path lib) throws IOException {
    try (Stream<Path> jars = Files.list(lib)) {
      return jars.map(Path::toString)
          .filter(path -> path.endsWith(".jar"))
          .collect(Collectors.joining(":"));
    }
  }

  private static Path jar(Path home, String module) throws IOException {
    try (Stream<Path> jars = Files.list(home.resolve("lib"))) {
      return jars.filter(path -> path.getFileName().toString().matches(module + "-[0-9].*\\.jar"))
          .findFirst()
          .orElseThrow();
    }
  }

  /** Something done to the files in a jar. */
  @FunctionalInterface
  private interface Change {
    void in(FileSystem jar) throws IOException;
  }

  private static void inJar(Path jar, Change change) throws IOException {
    try (FileSystem files = FileSystems.newFileSystem(URI.create("jar:" + jar.toUri()), Map.of())) {
      change.in(files);
    }
  }
}
