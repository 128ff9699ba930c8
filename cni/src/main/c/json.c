#include "json.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Deeper nesting than any CNI configuration has; bounds the recursion. */
#define MAX_DEPTH 64

struct reader {
  const unsigned char *text;
  size_t length;
  size_t at;
  struct json_error *error;
};

static bool read_value(struct reader *in, int depth);

static bool refuse(struct reader *in, size_t offset, const char *reason) {
  in->error->offset = offset;
  in->error->reason = reason;
  return false;
}

/* The next byte, or -1 at the end. */
static int peek(const struct reader *in) {
  return in->at < in->length ? in->text[in->at] : -1;
}

static void skip_space(struct reader *in) {
  int c = peek(in);
  while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
    in->at++;
    c = peek(in);
  }
}

/* Passes over one well-formed UTF-8 sequence (RFC 3629 section 4). */
static bool skip_utf8(struct reader *in) {
  const unsigned char *s = in->text + in->at;
  size_t left = in->length - in->at;
  unsigned char lowest = 0x80;
  unsigned char highest = 0xbf;
  size_t more;
  if (s[0] < 0x80) {
    in->at++;
    return true;
  } else if (s[0] >= 0xc2 && s[0] <= 0xdf) {
    more = 1;
  } else if (s[0] >= 0xe0 && s[0] <= 0xef) {
    more = 2;
    lowest = s[0] == 0xe0 ? 0xa0 : 0x80;
    highest = s[0] == 0xed ? 0x9f : 0xbf;
  } else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
    more = 3;
    lowest = s[0] == 0xf0 ? 0x90 : 0x80;
    highest = s[0] == 0xf4 ? 0x8f : 0xbf;
  } else {
    return refuse(in, in->at, "a byte that is not UTF-8");
  }
  if (left <= more || s[1] < lowest || s[1] > highest) {
    return refuse(in, in->at, "a byte that is not UTF-8");
  }
  for (size_t i = 2; i <= more; i++) {
    if (s[i] < 0x80 || s[i] > 0xbf) {
      return refuse(in, in->at, "a byte that is not UTF-8");
    }
  }
  in->at += more + 1;
  return true;
}

/* Four hexadecimal digits, or -1. */
static int read_hex4(struct reader *in) {
  int value = 0;
  for (int i = 0; i < 4; i++) {
    int c = peek(in);
    int digit;
    if (c >= '0' && c <= '9') {
      digit = c - '0';
    } else if (c >= 'a' && c <= 'f') {
      digit = c - 'a' + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = c - 'A' + 10;
    } else {
      return -1;
    }
    value = value << 4 | digit;
    in->at++;
  }
  return value;
}

static size_t put_utf8(uint32_t point, char *out) {
  if (point < 0x80) {
    out[0] = (char)point;
    return 1;
  }
  if (point < 0x800) {
    out[0] = (char)(0xc0 | point >> 6);
    out[1] = (char)(0x80 | (point & 0x3f));
    return 2;
  }
  if (point < 0x10000) {
    out[0] = (char)(0xe0 | point >> 12);
    out[1] = (char)(0x80 | (point >> 6 & 0x3f));
    out[2] = (char)(0x80 | (point & 0x3f));
    return 3;
  }
  out[0] = (char)(0xf0 | point >> 18);
  out[1] = (char)(0x80 | (point >> 12 & 0x3f));
  out[2] = (char)(0x80 | (point >> 6 & 0x3f));
  out[3] = (char)(0x80 | (point & 0x3f));
  return 4;
}

/* After the backslash: one escape, decoded to `out`, whose length goes to `size`. */
static bool read_escape(struct reader *in, char *out, size_t *size) {
  static const char plain[] = "\"\\/bfnrt";
  static const char meant[] = "\"\\/\b\f\n\r\t";
  size_t start = in->at;
  int c = peek(in);
  const char *found = c > 0 ? strchr(plain, c) : NULL;
  if (found != NULL) {
    in->at++;
    out[0] = meant[found - plain];
    *size = 1;
    return true;
  }
  if (c != 'u') {
    return refuse(in, start, "an escape that JSON does not have");
  }
  in->at++;
  int unit = read_hex4(in);
  if (unit < 0) {
    return refuse(in, start, "\\u without four hexadecimal digits");
  }
  uint32_t point = (uint32_t)unit;
  if (unit >= 0xd800 && unit <= 0xdbff) {
    int low = -1;
    if (in->length - in->at >= 6 && in->text[in->at] == '\\' && in->text[in->at + 1] == 'u') {
      in->at += 2;
      low = read_hex4(in);
    }
    if (low < 0xdc00 || low > 0xdfff) {
      return refuse(in, start, "half of a surrogate pair");
    }
    point = 0x10000 + ((point - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
  } else if (unit >= 0xdc00 && unit <= 0xdfff) {
    return refuse(in, start, "half of a surrogate pair");
  }
  *size = put_utf8(point, out);
  return true;
}

/*
 * A string, at its opening quote. When `value` is not NULL it receives a copy, decoded. The decoded
 * form is never longer than the written one: the longest escape, \uXXXX, makes at most three bytes.
 */
static bool read_string(struct reader *in, char **value, size_t *value_length) {
  size_t start = in->at;
  if (peek(in) != '"') {
    return refuse(in, start, "something else where a string in quotes must be");
  }
  in->at++;
  char *copy = NULL;
  size_t size = 0;
  if (value != NULL) {
    size_t end = in->at;
    while (end < in->length && in->text[end] != '"') {
      end += in->text[end] == '\\' ? 2 : 1;
    }
    copy = malloc((end < in->length ? end : in->length) - in->at + 1);
    if (copy == NULL) {
      return refuse(in, start, "no memory left");
    }
  }
  for (;;) {
    int c = peek(in);
    if (c == '"') {
      in->at++;
      if (value != NULL) {
        copy[size] = '\0';
        *value = copy;
        *value_length = size;
      }
      return true;
    }
    char decoded[4];
    size_t decoded_size = 0;
    size_t from = in->at;
    bool good;
    if (c < 0) {
      good = refuse(in, start, "a string without an end");
    } else if (c < 0x20) {
      good = refuse(in, in->at, "a control character inside a string");
    } else if (c == '\\') {
      in->at++;
      good = read_escape(in, decoded, &decoded_size);
    } else {
      good = skip_utf8(in);
    }
    if (!good) {
      free(copy);
      return false;
    }
    if (copy != NULL) {
      if (decoded_size == 0) {
        decoded_size = in->at - from;
        memcpy(decoded, in->text + from, decoded_size);
      }
      memcpy(copy + size, decoded, decoded_size);
      size += decoded_size;
    }
  }
}

static bool read_digits(struct reader *in) {
  size_t start = in->at;
  while (peek(in) >= '0' && peek(in) <= '9') {
    in->at++;
  }
  return in->at > start || refuse(in, start, "a number without a digit");
}

static bool read_number(struct reader *in) {
  if (peek(in) == '-') {
    in->at++;
  }
  if (peek(in) == '0') {
    in->at++;
  } else if (!read_digits(in)) {
    return false;
  }
  if (peek(in) == '.') {
    in->at++;
    if (!read_digits(in)) {
      return false;
    }
  }
  if (peek(in) == 'e' || peek(in) == 'E') {
    in->at++;
    if (peek(in) == '+' || peek(in) == '-') {
      in->at++;
    }
    return read_digits(in);
  }
  return true;
}

static bool read_word(struct reader *in, const char *word) {
  size_t size = strlen(word);
  if (in->length - in->at < size || memcmp(in->text + in->at, word, size) != 0) {
    return refuse(in, in->at, "something else where a value must be");
  }
  in->at += size;
  return true;
}

static bool read_array(struct reader *in, int depth) {
  in->at++;
  skip_space(in);
  if (peek(in) == ']') {
    in->at++;
    return true;
  }
  for (;;) {
    if (!read_value(in, depth)) {
      return false;
    }
    skip_space(in);
    int c = peek(in);
    if (c != ',' && c != ']') {
      return refuse(in, in->at, "something else where \",\" or \"]\" must be");
    }
    in->at++;
    if (c == ']') {
      return true;
    }
  }
}

/* The member of that decoded name, or NULL. */
static struct json_member *wanted(struct json_member *members, size_t count, const char *name,
                                  size_t length) {
  for (size_t i = 0; i < count; i++) {
    if (strlen(members[i].name) == length && memcmp(members[i].name, name, length) == 0) {
      return &members[i];
    }
  }
  return NULL;
}

/* The value of a wanted member. */
static bool read_member(struct reader *in, struct json_member *member, int depth) {
  if (member->kind != JSON_ABSENT) {
    return refuse(in, in->at, "a field that occurs twice");
  }
  size_t start = in->at;
  int c = peek(in);
  if (c == '"') {
    member->kind = JSON_STRING;
    return read_string(in, &member->value, &member->length);
  }
  if (!read_value(in, depth)) {
    return false;
  }
  if (c != '-' && (c < '0' || c > '9')) {
    member->kind = JSON_OTHER;
    return true;
  }
  member->kind = JSON_NUMBER;
  member->length = in->at - start;
  member->value = malloc(member->length + 1);
  if (member->value == NULL) {
    return refuse(in, start, "no memory left");
  }
  memcpy(member->value, in->text + start, member->length);
  member->value[member->length] = '\0';
  return true;
}

/* An object, at its opening brace. `members` is NULL for all but the top-level one. */
static bool read_object(struct reader *in, struct json_member *members, size_t count, int depth) {
  in->at++;
  skip_space(in);
  if (peek(in) == '}') {
    in->at++;
    return true;
  }
  for (;;) {
    skip_space(in);
    char *name = NULL;
    size_t length = 0;
    if (!read_string(in, members != NULL ? &name : NULL, &length)) {
      return false;
    }
    struct json_member *member = name != NULL ? wanted(members, count, name, length) : NULL;
    free(name);
    skip_space(in);
    if (peek(in) != ':') {
      return refuse(in, in->at, "something else where \":\" must be");
    }
    in->at++;
    skip_space(in);
    if (!(member != NULL ? read_member(in, member, depth) : read_value(in, depth))) {
      return false;
    }
    skip_space(in);
    int c = peek(in);
    if (c != ',' && c != '}') {
      return refuse(in, in->at, "something else where \",\" or \"}\" must be");
    }
    in->at++;
    if (c == '}') {
      return true;
    }
  }
}

static bool read_value(struct reader *in, int depth) {
  if (depth >= MAX_DEPTH) {
    return refuse(in, in->at, "more than 64 levels of nesting");
  }
  skip_space(in);
  switch (peek(in)) {
    case '{':
      return read_object(in, NULL, 0, depth + 1);
    case '[':
      return read_array(in, depth + 1);
    case '"':
      return read_string(in, NULL, NULL);
    case 't':
      return read_word(in, "true");
    case 'f':
      return read_word(in, "false");
    case 'n':
      return read_word(in, "null");
    case '-':
    case '0': case '1': case '2': case '3': case '4':
    case '5': case '6': case '7': case '8': case '9':
      return read_number(in);
    default:
      return refuse(in, in->at, "something else where a value must be");
  }
}

int json_read_object(const char *text, size_t length, struct json_member *members, size_t count,
                     struct json_error *error) {
  struct reader in = {(const unsigned char *)text, length, 0, error};
  for (size_t i = 0; i < count; i++) {
    members[i].kind = JSON_ABSENT;
    members[i].value = NULL;
    members[i].length = 0;
  }
  skip_space(&in);
  if (peek(&in) != '{') {
    refuse(&in, in.at, "something else where \"{\" must be");
    return -1;
  }
  if (!read_object(&in, members, count, 1)) {
    return -1;
  }
  skip_space(&in);
  if (in.at != in.length) {
    refuse(&in, in.at, "more text after the end of the object");
    return -1;
  }
  return 0;
}
