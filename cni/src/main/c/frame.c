#include "frame.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"

static void put(struct frame *frame, const char *bytes, size_t length) {
  if (frame->capacity - frame->size < length) {
    size_t capacity = (frame->size + length) * 2;
    char *grown = realloc(frame->data, capacity);
    if (grown == NULL) {
      fail(CNI_IO_FAILURE, "no memory left", "for a request of %zu bytes", frame->size + length);
    }
    frame->data = grown;
    frame->capacity = capacity;
  }
  memcpy(frame->data + frame->size, bytes, length);
  frame->size += length;
}

static void set_u32(char *at, size_t value) {
  at[0] = (char)(value >> 24 & 0xff);
  at[1] = (char)(value >> 16 & 0xff);
  at[2] = (char)(value >> 8 & 0xff);
  at[3] = (char)(value & 0xff);
}

static void put_counted(struct frame *frame, const char *bytes, size_t length) {
  char prefix[4];
  set_u32(prefix, length);
  put(frame, prefix, sizeof prefix);
  put(frame, bytes, length);
}

void frame_start(struct frame *frame) {
  frame->data = NULL;
  frame->size = 0;
  frame->capacity = 0;
  put(frame, "\0\0\0\0WLC1", FRAME_HEADER + 4);
}

void frame_add(struct frame *frame, const char *key, size_t key_length, const char *value,
               size_t value_length) {
  put_counted(frame, key, key_length);
  put_counted(frame, value, value_length);
}

void frame_add_text(struct frame *frame, const char *key, const char *value) {
  frame_add(frame, key, strlen(key), value, strlen(value));
}

void frame_finish(struct frame *frame) {
  set_u32(frame->data, frame->size - FRAME_HEADER);
}
