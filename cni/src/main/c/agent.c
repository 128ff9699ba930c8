#define _GNU_SOURCE
#include "agent.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "deadline.h"

/* An answer is a result or an error of a few hundred bytes; this only stops a mad peer. */
#define MAX_REPLY (4u << 20)

static int failed(char *why, size_t why_size, const char *what, int error) {
  snprintf(why, why_size, "%s: %s (%s)", what, strerror(error), strerrorname_np(error));
  return -1;
}

static int failed_plainly(char *why, size_t why_size, const char *what) {
  snprintf(why, why_size, "%s", what);
  return -1;
}

static int connect_to(const char *path, char *why, size_t why_size) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  /* Not blocking: connect(2) to a Unix socket is immediate, or EAGAIN when the backlog is full. */
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) {
    return failed(why, why_size, "socket", errno);
  }
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
    int error = errno;
    close(fd);
    return failed(why, why_size, "connect", error);
  }
  return fd;
}

/* Sends some bytes, and the descriptor with the first of them (unix(7), SCM_RIGHTS). */
static ssize_t send_some(int fd, const char *bytes, size_t length, int passed) {
  union {
    char buffer[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control;
  struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (passed >= 0) {
    memset(&control, 0, sizeof control);
    message.msg_control = control.buffer;
    message.msg_controllen = sizeof control.buffer;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &passed, sizeof passed);
  }
  return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static int send_frame(int fd, const struct frame *frame, int netns, long long deadline, char *why,
                      size_t why_size) {
  size_t sent = 0;
  while (sent < frame->size) {
    ssize_t some = send_some(fd, frame->data + sent, frame->size - sent, sent == 0 ? netns : -1);
    if (some >= 0) {
      sent += (size_t)some;
    } else if (errno == EAGAIN) {
      int ready = wait_until(fd, POLLOUT, deadline);
      if (ready == 0) {
        return failed_plainly(why, why_size, "send: not taken within the deadline");
      }
    } else if (errno != EINTR) {
      return failed(why, why_size, "send", errno);
    }
  }
  return 0;
}

static int receive(int fd, char *into, size_t length, long long deadline, char *why,
                   size_t why_size) {
  size_t got = 0;
  while (got < length) {
    ssize_t some = recv(fd, into + got, length - got, 0);
    if (some > 0) {
      got += (size_t)some;
    } else if (some == 0) {
      return failed_plainly(why, why_size, "receive: the agent closed the connection before it answered");
    } else if (errno == EAGAIN) {
      int ready = wait_until(fd, POLLIN, deadline);
      if (ready == 0) {
        return failed_plainly(why, why_size, "receive: no answer within the deadline");
      }
    } else if (errno != EINTR) {
      return failed(why, why_size, "receive", errno);
    }
  }
  return 0;
}

int ask_agent(const char *socket_path, const struct frame *frame, int netns, long long deadline,
              struct reply *reply, char *why, size_t why_size) {
  int fd = connect_to(socket_path, why, why_size);
  if (fd < 0) {
    return -1;
  }
  int result = -1;
  unsigned char header[5];
  reply->output = NULL;
  if (send_frame(fd, frame, netns, deadline, why, why_size) == 0 &&
      receive(fd, (char *)header, sizeof header, deadline, why, why_size) == 0) {
    uint32_t length = (uint32_t)header[0] << 24 | (uint32_t)header[1] << 16 |
                      (uint32_t)header[2] << 8 | header[3];
    if (length < 1 || length > MAX_REPLY) {
      snprintf(why, why_size, "receive: a reply of %u bytes, allowed: 1 to %u", length, MAX_REPLY);
    } else if ((reply->output = malloc(length)) == NULL) {
      failed(why, why_size, "malloc", errno);
    } else {
      reply->status = header[4];
      reply->length = length - 1;
      result = receive(fd, reply->output, reply->length, deadline, why, why_size);
    }
  }
  if (result != 0) {
    free(reply->output);
  }
  close(fd);
  return result;
}
