package io.wayleave.test;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Holds the dependencies between modules to the table of ARCHITECTURE.md. */
class ModuleDirectionTest {
  private static final String ROOT = "io.wayleave.";

  /** For each package below the root, the other ones whose classes it may use. */
  private static final Map<String, Set<String>> ALLOWED =
      Map.ofEntries(
          Map.entry("model", Set.of()),
          Map.entry("datastore", Set.of("model")),
          Map.entry("linux", Set.of("model")),
          Map.entry("bgp", Set.of("model", "linux")),
          Map.entry("route", Set.of("model", "linux")),
          Map.entry("ipam", Set.of("model", "datastore")),
          Map.entry("policy", Set.of("model", "linux")),
          // ipam's calls throw the datastore's exceptions and take its deadlines.
          Map.entry("cni", Set.of("model", "linux", "ipam", "datastore")),
          Map.entry("ctl", Set.of("model", "datastore", "ipam")),
          Map.entry(
              "agent",
              Set.of("model", "datastore", "linux", "bgp", "route", "ipam", "policy", "cni")),
          Map.entry(
              "test",
              Set.of(
                  "model",
                  "datastore",
                  "linux",
                  "bgp",
                  "route",
                  "ipam",
                  "policy",
                  "cni",
                  "ctl",
                  "agent")));

  private static JavaClasses classes;

  @BeforeAll
  static void read() {
    classes =
        new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.wayleave");
  }

  @Test
  void everyModuleIsSeen() {
    Set<String> seen = new TreeSet<>();
    classes.forEach(type -> seen.add(module(type)));
    assertThat(seen).containsExactlyInAnyOrderElementsOf(new TreeSet<>(ALLOWED.keySet()));
  }

  @Test
  void modulesUseOnlyWhatTheyMay() {
    assertThat(violations(ALLOWED)).isEmpty();
  }

  @Test
  void aForbiddenUseWouldBeFound() {
    Map<String, Set<String>> narrower = new TreeMap<>(ALLOWED);
    narrower.put("ipam", Set.of("model"));
    assertThat(violations(narrower))
        .isNotEmpty()
        .allMatch(text -> text.startsWith("ipam -> datastore: "));
  }

  @Test
  void theModelDoesNoInputOrOutput() {
    Set<String> found = new TreeSet<>();
    classes.stream()
        .filter(type -> module(type).equals("model"))
        .flatMap(type -> type.getDirectDependenciesFromSelf().stream())
        .map(dependency -> dependency.getTargetClass().getName())
        .filter(
            name ->
                name.startsWith("java.nio.file.")
                    || name.startsWith("java.nio.channels.")
                    || name.equals("java.lang.ProcessBuilder")
                    || name.startsWith("java.io.File"))
        .forEach(found::add);
    assertThat(found).isEmpty();
  }

  private static Set<String> violations(Map<String, Set<String>> allowed) {
    Set<String> violations = new TreeSet<>();
    for (JavaClass origin : classes) {
      String from = module(origin);
      origin.getDirectDependenciesFromSelf().stream()
          .map(dependency -> dependency.getTargetClass().getBaseComponentType())
          .filter(target -> target.getPackageName().startsWith(ROOT))
          .filter(target -> !module(target).equals(from))
          .filter(target -> !allowed.get(from).contains(module(target)))
          .forEach(
              target ->
                  violations.add(
                      from
                          + " -> "
                          + module(target)
                          + ": "
                          + origin.getName()
                          + " uses "
                          + target.getName()));
    }
    return violations;
  }

  private static String module(JavaClass type) {
    String rest = (type.getPackageName() + ".").substring(ROOT.length());
    return rest.substring(0, rest.indexOf('.'));
  }
}
