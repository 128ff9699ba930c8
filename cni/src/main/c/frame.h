/*
 * The request frame: how one invocation is written down, for the agent's socket and for the spool.
 *
 *   request  = length payload          length: 32 bits, big endian, of the payload
 *   payload  = "WLC1" section*
 *   section  = length key length value
 *
 * A key in capitals is an environment variable (CNI_..., WAYLEAVE_...), each at most once. The others are
 *   config      the network configuration, byte by byte as the runtime gave it
 *   spoolDir    the launcher's spool directory
 *   generation  of the attachment that a DEL means; absent when no attachment had been begun
 *   netnsError  why CNI_NETNS could not be opened; absent when its descriptor came along
 *
 *   reply    = length status output    status: 8 bits, the exit status; output: for stdout
 */
#ifndef WAYLEAVE_FRAME_H
#define WAYLEAVE_FRAME_H

#include <stddef.h>

/* A buffer that grows. `data` starts with four bytes kept free for the length. */
struct frame {
  char *data;
  size_t size;
  size_t capacity;
};

#define FRAME_HEADER 4

void frame_start(struct frame *frame);

/* Adds a section. Ends the process with a CNI error when there is no memory. */
void frame_add(struct frame *frame, const char *key, size_t key_length, const char *value,
               size_t value_length);

void frame_add_text(struct frame *frame, const char *key, const char *value);

/* Writes the length in front: the frame is complete. */
void frame_finish(struct frame *frame);

#endif
