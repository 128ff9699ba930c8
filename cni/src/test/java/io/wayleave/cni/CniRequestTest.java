package io.wayleave.cni;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CniRequestTest {
  private static final String CONFIG = "{\"cniVersion\":\"1.1.0\",\"name\":\"net\"}";

  @Test
  void aFrameIsReadAsItWasWritten() throws Exception {
    RequestFrame frame = Requests.frame("DEL", CONFIG, RequestFrame.GENERATION, "0f");

    CniRequest request = CniRequest.of(RequestFrame.decode(frame.encode()));

    assertThat(request.command()).isEqualTo(CniCommand.DEL);
    assertThat(request.version()).isEqualTo(CniVersion.V1_1_0);
    assertThat(request.key()).contains(new AttachmentKey("c1", "eth0"));
    assertThat(request.generation()).contains("0f");
    assertThat(request.netnsPath()).isEqualTo("/run/netns/c1");
  }

  @Test
  void aFrameThatIsCutAnywhereIsRefusedOrEndsBetweenSections() {
    byte[] whole = Requests.frame("ADD", CONFIG).encode();
    int readable = 0;
    for (int length = 0; length < whole.length; length++) {
      try {
        RequestFrame.decode(Arrays.copyOf(whole, length));
        readable++;
      } catch (CniException e) {
        assertThat(e.code().number()).isEqualTo(6);
        assertThat(e.details()).startsWith("request, byte ");
      }
    }
    // After the magic, and after each section but the last.
    assertThat(readable).isEqualTo(5);
  }

  @Test
  void aLengthBeyondTheFrameIsRefused() {
    for (int length : new int[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, 1}) {
      byte[] bytes = ByteBuffer.allocate(8).put("WLC1".getBytes(US_ASCII)).putInt(length).array();
      assertThatExceptionOfType(CniException.class).isThrownBy(() -> RequestFrame.decode(bytes));
    }
  }

  @Test
  void aSectionThatOccursTwiceIsRefused() {
    byte[] once = Requests.frame("ADD", CONFIG).encode();
    byte[] twice = Arrays.copyOf(once, once.length * 2 - 4);
    System.arraycopy(once, 4, twice, once.length, once.length - 4);

    assertThatExceptionOfType(CniException.class)
        .isThrownBy(() -> RequestFrame.decode(twice))
        .satisfies(e -> assertThat(e.details()).contains("twice"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "CHECK | 0.3.1 | 1",
        "STATUS | 1.0.0 | 1",
        "GC | 1.0.0 | 1",
        "ADD | 0.2.0 | 1",
        "ADD | 1.1 | 1",
        "VERSION | 1.1.0 | 4",
        "ATTACH | 1.1.0 | 4",
      })
  void whatTheVersionDoesNotHaveIsRefused(String command, String version, int code) {
    assertThatExceptionOfType(CniException.class)
        .isThrownBy(
            () -> CniRequest.of(Requests.frame(command, "{\"cniVersion\":\"" + version + "\"}")))
        .satisfies(e -> assertThat(e.code().number()).isEqualTo(code));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "[]", "{", "7", "{\"cniVersion\":7}", "{\"a\":1,\"a\":2}"})
  void aConfigurationThatCannotBeReadIsRefused(String config) {
    assertThatExceptionOfType(CniException.class)
        .isThrownBy(() -> CniRequest.of(Requests.frame("ADD", config)))
        .satisfies(e -> assertThat(e.code().number()).isEqualTo(6));
    assertThat(CniRequest.answerVersion(Requests.frame("ADD", config)))
        .isEqualTo(CniVersion.V1_1_0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"CNI_CONTAINERID", "CNI_IFNAME", "CNI_COMMAND"})
  void aMissingVariableIsNamed(String name) {
    assertThatExceptionOfType(CniException.class)
        .isThrownBy(() -> CniRequest.of(Requests.frame("DEL", CONFIG, name, "")))
        .satisfies(
            e -> {
              assertThat(e.code().number()).isEqualTo(4);
              assertThat(e.details()).isEqualTo(name + " is not set");
            });
  }

  @ParameterizedTest
  @CsvSource({"CNI_IFNAME, eth-", "CNI_IFNAME, a b", "CNI_IFNAME, ..", "CNI_CONTAINERID, a@b"})
  void aNameThatCannotBeAttachedIsRefusedToAddButNotToDel(String variable, String value)
      throws Exception {
    assertThatExceptionOfType(CniException.class)
        .isThrownBy(() -> CniRequest.of(Requests.frame("ADD", CONFIG, variable, value)))
        .satisfies(
            e -> {
              assertThat(e.code().number()).isEqualTo(4);
              assertThat(e.details()).startsWith(variable + ": \"" + value + "\"");
            });
    assertThat(CniRequest.of(Requests.frame("DEL", CONFIG, variable, value)).key()).isEmpty();
  }

  @Test
  void twoKeysNeverShareAFileName() {
    assertThat(new AttachmentKey("a.b", "c").fileName())
        .isNotEqualTo(new AttachmentKey("a", "b.c").fileName());
  }
}
