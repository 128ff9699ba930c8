package io.wayleave.ctl;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.wayleave.model.Resource;
import io.wayleave.model.ResourceCodec;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Prints the result of a command to standard output in the form that was asked for, and nothing
 * else ever. Resources in JSON or YAML are manifests: {@code apply} takes them back. NOT thread
 * safe.
 */
final class Output {
  private static final ObjectWriter JSON =
      ResourceCodec.jsonMapper()
          .writer(
              new DefaultPrettyPrinter(
                      Separators.createDefaultInstance()
                          .withObjectFieldValueSpacing(Separators.Spacing.AFTER))
                  .withObjectIndenter(new DefaultIndenter("  ", "\n"))
                  .withArrayIndenter(new DefaultIndenter("  ", "\n")));

  private final OutputFormat format;
  private final PrintStream out;

  Output(OutputFormat format, PrintStream out) {
    this.format = requireNonNull(format, "format is null");
    this.out = requireNonNull(out, "out is null");
  }

  /** One resource. */
  void resource(Resource resource, Supplier<String> table) {
    tree(ResourceCodec.toTree(resource), table);
  }

  /** Several resources: one JSON object of kind {@code List}, or a YAML document each. */
  void resources(List<? extends Resource> resources, Supplier<String> table) {
    if (format == OutputFormat.YAML && !resources.isEmpty()) {
      print(String.join("---\n", resources.stream().map(ResourceCodec::toYaml).toList()));
      return;
    }
    ObjectNode list = ResourceCodec.jsonMapper().createObjectNode();
    list.put("apiVersion", ResourceCodec.API_VERSION);
    list.put("kind", "List");
    ArrayNode items = list.putArray("items");
    resources.forEach(resource -> items.add(ResourceCodec.toTree(resource)));
    tree(list, table);
  }

  /**
   * Does something to each and prints what was done. When one fails, what was done before it is
   * printed all the same, because it is done.
   */
  <T> void eachChange(List<T> items, Function<T, Change> action) {
    List<Change> changes = new ArrayList<>();
    try {
      items.forEach(item -> changes.add(action.apply(item)));
    } finally {
      changes(changes);
    }
  }

  /** What was done, a line or an object for each resource. */
  void changes(List<Change> changes) {
    ArrayNode list = ResourceCodec.jsonMapper().createArrayNode();
    StringBuilder lines = new StringBuilder();
    for (Change change : changes) {
      list.addObject()
          .put("kind", change.kind().title())
          .put("name", change.name())
          .put("result", change.outcome().word());
      lines.append(change).append('\n');
    }
    tree(list, lines::toString);
  }

  /** Anything else: the same facts as a tree and as text that ends in a line feed. */
  void tree(JsonNode tree, Supplier<String> text) {
    try {
      switch (format) {
        case TABLE -> print(text.get());
        case JSON -> print(JSON.writeValueAsString(tree) + "\n");
        case YAML -> print(ResourceCodec.yamlMapper().writeValueAsString(tree));
      }
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree can always be written", e);
    }
  }

  /** A text that has one form only. */
  void script(String text) {
    print(text);
  }

  /** What makes a terminal ready for the next look; nothing for a program. */
  void screen(String control) {
    remark(control);
  }

  /** What a person wants to know beside the result; nothing for a program. */
  void remark(String text) {
    if (format == OutputFormat.TABLE) {
      print(text);
    }
  }

  /** What was printed is seen now. */
  void flush() {
    out.flush();
  }

  private void print(String text) {
    out.print(text);
  }
}
