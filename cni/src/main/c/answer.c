#define _GNU_SOURCE
#include "answer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const supported[] = {"0.3.1", "0.4.0", "1.0.0", "1.1.0"};
#define SUPPORTED_COUNT (sizeof supported / sizeof supported[0])

static const char *answer_version_text = "1.1.0";

void answer_in_version(const char *version) { answer_version_text = version; }

int is_supported_version(const char *version) {
  for (size_t i = 0; i < SUPPORTED_COUNT; i++) {
    if (strcmp(supported[i], version) == 0) {
      return 1;
    }
  }
  return 0;
}

void print_and_exit(const char *text, size_t length, int status) {
  while (length > 0) {
    ssize_t written = write(STDOUT_FILENO, text, length);
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      /* The runtime never saw the answer, so it must not take it for a success. */
      _exit(status != 0 ? status : 1);
    }
    text += written;
    length -= (size_t)written;
  }
  _exit(status);
}

/* A JSON string; what is not plain ASCII and came from outside is written as \u00XX per byte. */
static void put_json_string(FILE *out, const char *text) {
  fputc('"', out);
  for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
    if (*c == '"' || *c == '\\') {
      fprintf(out, "\\%c", *c);
    } else if (*c < 0x20 || *c >= 0x7f) {
      fprintf(out, "\\u%04x", *c);
    } else {
      fputc(*c, out);
    }
  }
  fputc('"', out);
}

void fail(enum cni_error code, const char *msg, const char *details, ...) {
  /* Bounded: a value of any length may come from outside, and one line is enough to mend it. */
  char filled[1024];
  va_list arguments;
  va_start(arguments, details);
  vsnprintf(filled, sizeof filled, details, arguments);
  va_end(arguments);

  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  if (out == NULL) {
    _exit(1);
  }
  fprintf(out, "{\"cniVersion\":");
  put_json_string(out, answer_version_text);
  fprintf(out, ",\"code\":%d,\"msg\":", (int)code);
  put_json_string(out, msg);
  fprintf(out, ",\"details\":");
  put_json_string(out, filled);
  fprintf(out, "}\n");
  if (fclose(out) != 0) {
    _exit(1);
  }
  print_and_exit(text, length, 1);
}

void answer_version(const char *asked) {
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  if (out == NULL) {
    _exit(1);
  }
  /* "The value of cniVersion specified on input", also when it is not a supported one. */
  fprintf(out, "{\"cniVersion\":");
  put_json_string(out, asked != NULL ? asked : answer_version_text);
  fprintf(out, ",\"supportedVersions\":[");
  for (size_t i = 0; i < SUPPORTED_COUNT; i++) {
    fprintf(out, "%s\"%s\"", i > 0 ? "," : "", supported[i]);
  }
  fprintf(out, "]}\n");
  if (fclose(out) != 0) {
    _exit(1);
  }
  print_and_exit(text, length, 0);
}
