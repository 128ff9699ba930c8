/*
 * What the launcher itself says on stdout: a CNI error, or the answer to VERSION. Every function
 * here that says so ends the process.
 */
#ifndef WAYLEAVE_ANSWER_H
#define WAYLEAVE_ANSWER_H

#include <stddef.h>

/* Well-known error codes (CNI spec 1.1.0, section 5, "Error"). */
enum cni_error {
  CNI_INCOMPATIBLE_VERSION = 1,
  CNI_INVALID_ENVIRONMENT = 4,
  CNI_IO_FAILURE = 5,
  CNI_DECODING_FAILURE = 6,
  CNI_INVALID_CONFIG = 7,
  CNI_TRY_AGAIN_LATER = 11,
  CNI_NOT_AVAILABLE = 50,
};

/* The version that errors are written in from now on. Until then: the newest supported one. */
void answer_in_version(const char *version);

/* Whether the version is one of the supported ones. */
int is_supported_version(const char *version);

/* Prints the error, with the details formatted as by printf, and exits with status 1. */
_Noreturn void fail(enum cni_error code, const char *msg, const char *details, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints the answer to VERSION and exits with status 0. NULL: no version was asked for. */
_Noreturn void answer_version(const char *asked);

/* Writes everything to stdout and exits with that status, or with 1 when stdout does not take it. */
_Noreturn void print_and_exit(const char *text, size_t length, int status);

#endif
