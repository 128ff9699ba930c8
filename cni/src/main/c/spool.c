#define _GNU_SOURCE
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "answer.h"

#define RECORD_START "wayleave attachment 1 generation="

/* Ends the process: an operation on a file failed. */
static _Noreturn void io_failure(const char *what, const char *path) {
  fail(CNI_IO_FAILURE, "input or output failed", "%s %s: %s (%s)", what, path, strerror(errno),
       strerrorname_np(errno));
}

__attribute__((format(printf, 2, 3))) static void format_path(char path[PATH_MAX],
                                                              const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(path, PATH_MAX, format, arguments);
  va_end(arguments);
  if (length < 0 || length >= PATH_MAX) {
    errno = ENAMETOOLONG;
    io_failure("make the name", path);
  }
}

void read_generation(const char *spool, const char *container_id, const char *ifname,
                     char generation[GENERATION_MAX + 1]) {
  char path[PATH_MAX];
  format_path(path, "%s/attachments/%s@%s", spool, container_id, ifname);
  generation[0] = '\0';
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    if (errno == ENOENT) {
      return;
    }
    io_failure("open", path);
  }
  /* A regular file gives this much at once. */
  char start[sizeof RECORD_START + GENERATION_MAX + 1];
  ssize_t size = read(fd, start, sizeof start - 1);
  if (size < 0) {
    io_failure("read", path);
  }
  close(fd);
  start[size] = '\0';
  size_t prefix = strlen(RECORD_START);
  size_t length = 0;
  if (strncmp(start, RECORD_START, prefix) == 0) {
    length = strspn(start + prefix, "0123456789abcdefghijklmnopqrstuvwxyz");
  }
  if (length == 0 || length > GENERATION_MAX || start[prefix + length] != '\n') {
    /* Damaged when the machine stopped, and its attachment with it: for the agent too it is none. */
    return;
  }
  memcpy(generation, start + prefix, length);
  generation[length] = '\0';
}

static void sync_directory(const char *path) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    io_failure("open", path);
  }
  if (fsync(fd) != 0) {
    io_failure("fsync", path);
  }
  close(fd);
}

/* Makes a directory and those above it; each that was missing is durable in its parent. */
static void make_directories(const char *directory) {
  char path[PATH_MAX];
  format_path(path, "%s", directory);
  for (char *at = path + 1;; at++) {
    if (*at != '/' && *at != '\0') {
      continue;
    }
    char end = *at;
    *at = '\0';
    if (mkdir(path, 0700) == 0) {
      char *slash = strrchr(path, '/');
      *slash = '\0';
      sync_directory(slash == path ? "/" : path);
      *slash = '/';
    } else if (errno != EEXIST) {
      io_failure("mkdir", path);
    }
    *at = end;
    if (end == '\0') {
      return;
    }
  }
}

void spool_del(const char *spool, const char *container_id, const char *ifname,
               const char *generation, const struct frame *frame) {
  char temporary[PATH_MAX];
  char final[PATH_MAX];
  make_directories(spool);
  format_path(temporary, "%s/.new-%ld-XXXXXX", spool, (long)getpid());
  format_path(final, "%s/%s@%s@%s.del", spool, container_id, ifname,
              generation[0] != '\0' ? generation : "none");
  int fd = mkostemp(temporary, O_CLOEXEC);
  if (fd < 0) {
    io_failure("create", temporary);
  }
  size_t done = FRAME_HEADER;
  while (done < frame->size) {
    ssize_t some = write(fd, frame->data + done, frame->size - done);
    if (some < 0 && errno != EINTR) {
      int error = errno;
      unlink(temporary);
      errno = error;
      io_failure("write", temporary);
    }
    done += some > 0 ? (size_t)some : 0;
  }
  if (fsync(fd) != 0 || close(fd) != 0 || rename(temporary, final) != 0) {
    int error = errno;
    unlink(temporary);
    errno = error;
    io_failure("store", final);
  }
  sync_directory(spool);
}
