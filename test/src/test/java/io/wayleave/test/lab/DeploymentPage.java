package io.wayleave.test.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine;

/**
 * A page of {@code docs/deployments/}, read as a test reads it: the command that makes its lab, its
 * manifests, its commands and its routers' configurations. What a page shows is in fenced blocks:
 * {@code yaml} is what netctl applies, {@code bird NAME} and {@code frr NAME} are the whole
 * configuration of a router, {@code sh} is a script.
 */
record DeploymentPage(Shape shape, String text) {
  private static final Pattern BLOCK = Pattern.compile("(?ms)^```(\\w+)(?: (\\S+))?\\n(.*?)^```$");
  private static final String UP = "./dev lab up ";

  static Path directory() {
    return Path.of(Optional.ofNullable(System.getenv("WAYLEAVE_SOURCE_ROOT")).orElse("."))
        .toAbsolutePath()
        .normalize()
        .resolve("docs/deployments");
  }

  static DeploymentPage of(Shape shape) {
    Path file = directory().resolve(shape.label() + ".md");
    try {
      return new DeploymentPage(shape, Files.readString(file));
    } catch (IOException e) {
      throw new UncheckedIOException(shape.label() + " has no page", e);
    }
  }

  /** The lab that the page's own command makes, under another name. */
  LabSpec spec(String name) {
    List<String> words =
        text.lines()
            .map(String::strip)
            .filter(line -> line.startsWith(UP))
            .map(line -> line.substring(UP.length()).replaceAll("\\s+#.*", "").strip())
            .findFirst()
            .map(line -> Arrays.asList(line.split(" +", -1)))
            .orElseThrow(() -> new LabException(shape.label() + ".md does not say " + UP));
    return CommandLine.populateCommand(new LabMain.Wanted(), words.toArray(String[]::new))
        .spec(name);
  }

  /** The resources of all manifests on the page, each as its lines. */
  List<String> resources() {
    return blocks("yaml").flatMap(block -> resourcesOf(block.text())).toList();
  }

  static Stream<String> resourcesOf(String manifest) {
    return Arrays.stream(manifest.split("(?m)^---\\n", -1)).map(String::strip);
  }

  /** The configuration that the page shows of a router. */
  Optional<String> configuration(RouterKind kind, String router) {
    return blocks(kind.label())
        .filter(block -> block.name().equals(router))
        .map(Block::text)
        .findFirst();
  }

  /** The routers whose configuration the page shows. */
  List<String> routers(RouterKind kind) {
    return blocks(kind.label()).map(Block::name).toList();
  }

  /** The shell scripts below a heading, in order. */
  List<String> scripts(String heading) {
    int begin = text.indexOf("\n## " + heading + "\n");
    if (begin < 0) {
      throw new LabException(shape.label() + ".md has no section " + heading);
    }
    int end = text.indexOf("\n## ", begin + 1);
    String section = end < 0 ? text.substring(begin) : text.substring(begin, end);
    return new DeploymentPage(shape, section).blocks("sh").map(Block::text).toList();
  }

  private record Block(String language, String name, String text) {}

  private Stream<Block> blocks(String language) {
    List<Block> found = new ArrayList<>();
    Matcher matcher = BLOCK.matcher(text);
    while (matcher.find()) {
      found.add(
          new Block(
              matcher.group(1),
              Optional.ofNullable(matcher.group(2)).orElse(""),
              matcher.group(3)));
    }
    return found.stream().filter(block -> block.language().equals(language));
  }
}
