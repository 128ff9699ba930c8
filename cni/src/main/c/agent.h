/* The conversation with the agent: one request, one reply. */
#ifndef WAYLEAVE_AGENT_H
#define WAYLEAVE_AGENT_H

#include <stddef.h>

#include "frame.h"

struct reply {
  int status;       /* to exit with */
  char *output;     /* for stdout */
  size_t length;
};

/*
 * Sends the frame, with the descriptor if that is not -1, and reads the reply. Returns 0; or -1 when no
 * agent answered by the deadline, and then `why` says what failed, naming the errno.
 */
int ask_agent(const char *socket_path, const struct frame *frame, int netns, long long deadline,
              struct reply *reply, char *why, size_t why_size);

#endif
