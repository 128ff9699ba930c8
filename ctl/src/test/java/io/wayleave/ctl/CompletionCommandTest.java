package io.wayleave.ctl;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CompletionCommandTest {
  @Test
  void printsAScriptThatKnowsTheCommands() {
    NetctlRun netctl = new NetctlRun();
    NetctlRun.Result result = netctl.run("completion");
    assertThat(result.code()).isZero();
    assertThat(result.err()).isEmpty();
    assertThat(result.out())
        .startsWith("#!/usr/bin/env bash\n")
        .contains("complete -F _complete_netctl")
        .contains("--block-size");
    assertThat(netctl.opened()).isEmpty();
  }
}
