/*
 * A strict reader of one JSON text (RFC 8259): checks all of it and picks out members of its
 * top-level object. It builds no tree, so that the launcher stays small.
 */
#ifndef WAYLEAVE_JSON_H
#define WAYLEAVE_JSON_H

#include <stddef.h>

enum json_kind { JSON_ABSENT, JSON_STRING, JSON_NUMBER, JSON_OTHER };

/* A top-level member that the caller asks for by name, and what the text says of it. */
struct json_member {
  const char *name;
  enum json_kind kind;
  char *value;   /* the decoded string, or a number as it is written; ends in NUL; from malloc */
  size_t length; /* of value, without the NUL; differs from strlen when the string holds U+0000 */
};

/* Where and why a text is not accepted. */
struct json_error {
  size_t offset; /* in bytes from the start of the text */
  const char *reason;
};

/*
 * Reads the whole text, which must be one object, and fills the members. Returns 0, or -1 with the
 * error filled. A wanted member that occurs twice is an error, as it is not clear which one counts.
 */
int json_read_object(const char *text, size_t length, struct json_member *members, size_t count,
                     struct json_error *error);

#endif
