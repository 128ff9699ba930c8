package io.wayleave.bgp.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.wayleave.model.BgpFilter;
import io.wayleave.model.BgpPeer;
import io.wayleave.model.ResourceCodec;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** {@code docs/bgp.md} says nothing that the speaker would refuse, and leaves nothing out. */
class DocumentedExamplesTest {
  private static final Pattern EXAMPLE = Pattern.compile("```yaml\n(.*?)```", Pattern.DOTALL);

  private static String document() throws IOException {
    String root = Optional.ofNullable(System.getenv("WAYLEAVE_SOURCE_ROOT")).orElse("..");
    return Files.readString(Path.of(root, "docs", "bgp.md"));
  }

  private static List<String> examples() throws IOException {
    Matcher matcher = EXAMPLE.matcher(document());
    List<String> examples = new ArrayList<>();
    while (matcher.find()) {
      examples.add(matcher.group(1));
    }
    return examples;
  }

  @Test
  void everyExampleIsTaken() throws IOException {
    assertThat(examples()).hasSizeGreaterThan(15);
    for (String example : examples()) {
      if (example.startsWith("apiVersion")) {
        assertThat(ResourceCodec.fromManifest(example)).isNotEmpty();
        continue;
      }
      String whole =
          example.startsWith("routerId")
              ? example
              : "routerId: 10.0.0.1\nasNumber: 65002\n" + example;
      SpeakerFile file = SpeakerFile.parse(whole);
      file.originations();
      try {
        assertThat(file.config().peers()).hasSize(file.peers().size() + file.listenRanges().size());
      } catch (IOException e) {
        assertThat(e).hasMessageContaining("/etc/wayleave/tor2.password");
      }
    }
  }

  @Test
  void everyFieldIsDocumented() throws IOException {
    String document = document();
    List<String> fields =
        Stream.of(
                SpeakerFile.class,
                SpeakerFile.Restart.class,
                SpeakerFile.Selection.class,
                SpeakerFile.Route.class,
                PeerFields.class,
                PeerFields.TimerFields.class,
                PeerFields.AddPathFields.class,
                PeerFields.MaxPrefixFields.class,
                BgpPeer.Spec.class,
                BgpFilter.Spec.class,
                BgpFilter.Rule.class,
                BgpFilter.Operation.class)
            .flatMap(type -> Arrays.stream(type.getRecordComponents()))
            .map(DocumentedExamplesTest::field)
            .toList();
    assertThat(fields.stream().filter(field -> !document.contains("`" + field))).isEmpty();
  }

  private static String field(RecordComponent component) {
    JsonProperty name = component.getAccessor().getAnnotation(JsonProperty.class);
    return name == null ? component.getName() : name.value();
  }
}
