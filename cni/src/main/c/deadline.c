#define _GNU_SOURCE
#include "deadline.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

static long long now_millis(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

long long deadline_in(int seconds) { return now_millis() + seconds * 1000LL; }

int wait_until(int fd, short events, long long deadline) {
  for (;;) {
    long long left = deadline - now_millis();
    struct pollfd waited = {.fd = fd, .events = events};
    int ready = poll(&waited, 1, left > 0 ? (int)left : 0);
    if (ready >= 0 || errno != EINTR) {
      return ready;
    }
  }
}
