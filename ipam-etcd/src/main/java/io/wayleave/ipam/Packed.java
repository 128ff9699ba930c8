package io.wayleave.ipam;

import io.wayleave.model.InvalidInputException;

/** Small numbers, each in the same few bits, one after the other, most significant bit first. */
final class Packed {
  private Packed() {}

  static byte[] pack(int[] numbers, int bitsEach) {
    byte[] bytes = new byte[(numbers.length * bitsEach + 7) / 8];
    int bit = 0;
    for (int number : numbers) {
      for (int i = bitsEach - 1; i >= 0; i--, bit++) {
        bytes[bit / 8] |= (byte) ((number >>> i & 1) << (7 - bit % 8));
      }
    }
    return bytes;
  }

  /** Reads that many numbers, which must be all there is. */
  static int[] unpack(String field, byte[] bytes, int bitsEach, int count) {
    int expected = (count * bitsEach + 7) / 8;
    if (bytes.length != expected) {
      throw new InvalidInputException(
          field, bytes.length + " bytes", expected + " bytes for " + count + " numbers");
    }
    int[] numbers = new int[count];
    int bit = 0;
    for (int n = 0; n < count; n++) {
      for (int i = 0; i < bitsEach; i++, bit++) {
        numbers[n] = numbers[n] << 1 | (bytes[bit / 8] >>> (7 - bit % 8) & 1);
      }
    }
    return numbers;
  }
}
