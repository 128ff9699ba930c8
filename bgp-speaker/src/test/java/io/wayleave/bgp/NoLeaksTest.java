package io.wayleave.bgp;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.PooledByteBufAllocator;
import org.junit.jupiter.api.Test;

class NoLeaksTest {
  @Test
  void aDroppedBufferIsFoundAndAReleasedOneIsNot() {
    NoLeaks leaks = new NoLeaks();
    leaks.begin();
    NoLeaks.drop("forgotten here");
    PooledByteBufAllocator.DEFAULT.directBuffer(8).touch("given back").release();
    assertThat(leaks.end()).singleElement().asString().contains("forgotten here");
  }
}
