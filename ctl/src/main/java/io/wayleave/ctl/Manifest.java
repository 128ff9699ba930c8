package io.wayleave.ctl;

import com.fasterxml.jackson.databind.JsonNode;
import io.wayleave.model.InvalidInputException;
import io.wayleave.model.Resource;
import io.wayleave.model.ResourceCodec;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads manifests for {@code -f}: files, or {@code -} for standard input. All of them are read and
 * understood before any is handed out, and a refusal says in which document of which file it is.
 */
final class Manifest {
  private static final String STANDARD_INPUT = "-";

  /**
   * A resource and where it stands.
   *
   * @param where such as {@code web.yaml, document 2}
   */
  record Item(String where, Resource resource) {
    String describe() {
      return Names.of(resource.kind(), resource.id());
    }
  }

  private Manifest() {}

  /**
   * @throws CommandFailedException that names the file, the document, the resource and the field
   */
  static List<Item> read(List<String> files, InputStream in) {
    List<Item> items = new ArrayList<>();
    Map<String, Item> byName = new HashMap<>();
    for (String file : files) {
      for (Item item : parse(file, text(file, in))) {
        Item earlier = byName.putIfAbsent(item.describe(), item);
        if (earlier != null) {
          throw new CommandFailedException(
              item.where()
                  + ": "
                  + item.describe()
                  + " is also in "
                  + earlier.where()
                  + "; give it once");
        }
        items.add(item);
      }
    }
    return items;
  }

  private static List<Item> parse(String file, String text) {
    String source = file.equals(STANDARD_INPUT) ? "standard input" : file;
    List<ResourceCodec.Document> documents;
    try {
      documents = ResourceCodec.documents(text);
    } catch (InvalidInputException e) {
      throw new CommandFailedException(source + ": " + e.getMessage(), e);
    }
    List<Item> items = new ArrayList<>();
    for (ResourceCodec.Document document : documents) {
      String where = document.position().isEmpty() ? source : source + ", " + document.position();
      try {
        items.add(new Item(where, ResourceCodec.fromTree(document.tree())));
      } catch (InvalidInputException e) {
        throw new CommandFailedException(where + title(document.tree()) + ": " + e.getMessage(), e);
      }
    }
    return items;
  }

  /** Kind and name as far as the document tells them. */
  private static String title(JsonNode document) {
    String kind = document.path("kind").asText();
    String name = document.path("metadata").path("name").asText();
    return kind.isEmpty() || name.isEmpty() ? "" : ", " + kind + " \"" + name + "\"";
  }

  private static String text(String file, InputStream in) {
    try {
      byte[] bytes =
          file.equals(STANDARD_INPUT) ? in.readAllBytes() : Files.readAllBytes(Path.of(file));
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (IOException e) {
      throw new CommandFailedException(TextFiles.why(Path.of(file), e), e);
    }
  }
}
