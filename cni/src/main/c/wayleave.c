/*
 * The CNI plugin that runtimes execute. It hands the invocation to the agent and prints what comes
 * back; it makes no interface, owns no address and knows no policy, so that it starts in a millisecond.
 * What it does by itself:
 *
 *   - answers VERSION,
 *   - opens CNI_NETNS here, where the path means what the runtime meant, and passes the descriptor,
 *   - when no agent answers: refuses ADD, CHECK, STATUS and GC in the asked cniVersion, and spools DEL.
 *
 * A DEL names the generation of the attachment that it means, read before anything else, so that it
 * cannot hit an attachment that is made later under the same container id and interface name.
 *
 * Settings, first match wins: WAYLEAVE_SOCKET, "agentSocket", /run/wayleave/agent.sock;
 * WAYLEAVE_SPOOL, "spoolDir", /var/lib/wayleave/spool; WAYLEAVE_TIMEOUT, "timeoutSeconds", 60.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent.h"
#include "answer.h"
#include "deadline.h"
#include "frame.h"
#include "json.h"
#include "spool.h"

#define MAX_CONFIG (1u << 20)
#define MAX_ENVIRONMENT (1u << 20)
#define MAX_TIMEOUT_SECONDS 600
/* With "@", a 15 character interface name, a generation and the suffix, still a file name (255). */
#define MAX_CONTAINER_ID 160
#define MAX_IFNAME 15

extern char **environ;

enum command { ADD, DEL, CHECK, STATUS, GC, VERSION };

enum field { CNI_VERSION, AGENT_SOCKET, SPOOL_DIR, TIMEOUT_SECONDS, FIELD_COUNT };

struct config {
  char *text;
  size_t length;
  struct json_member fields[FIELD_COUNT];
};

/* ---- environment ------------------------------------------------------------------------------- */

/* A variable that must be there; an empty one counts as missing. */
static const char *required(const char *name) {
  const char *value = getenv(name);
  if (value == NULL || value[0] == '\0') {
    fail(CNI_INVALID_ENVIRONMENT, "a required environment variable is missing", "%s is not set",
         name);
  }
  return value;
}

static enum command read_command(void) {
  static const char *const names[] = {"ADD", "DEL", "CHECK", "STATUS", "GC", "VERSION"};
  const char *command = required("CNI_COMMAND");
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    if (strcmp(command, names[i]) == 0) {
      return (enum command)i;
    }
  }
  fail(CNI_INVALID_ENVIRONMENT, "an environment variable has a value that is not allowed",
       "CNI_COMMAND: \"%s\" is not allowed; allowed: ADD, DEL, CHECK, STATUS, GC, VERSION",
       command);
}

static int is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* CNI spec 1.1.0, section 2, "Parameters": CNI_CONTAINERID. */
static const char *read_container_id(void) {
  const char *id = required("CNI_CONTAINERID");
  size_t length = strlen(id);
  int good = is_alphanumeric(id[0]) && length <= MAX_CONTAINER_ID;
  for (size_t i = 1; good && i < length; i++) {
    good = is_alphanumeric(id[i]) || strchr("_.-", id[i]) != NULL;
  }
  if (!good) {
    fail(CNI_INVALID_ENVIRONMENT, "an environment variable has a value that is not allowed",
         "CNI_CONTAINERID: \"%s\" is not allowed; allowed: a letter or digit, then letters, digits, "
         "\"_\", \".\" and \"-\", at most %d in all",
         id, MAX_CONTAINER_ID);
  }
  return id;
}

/* What the kernel takes as an interface name (dev_valid_name), and only visible ASCII of it. */
static const char *read_ifname(void) {
  const char *name = required("CNI_IFNAME");
  size_t length = strlen(name);
  int good = length <= MAX_IFNAME && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
  for (size_t i = 0; good && i < length; i++) {
    good = name[i] > ' ' && name[i] < 0x7f && name[i] != '/' && name[i] != ':';
  }
  if (!good) {
    fail(CNI_INVALID_ENVIRONMENT, "an environment variable has a value that is not allowed",
         "CNI_IFNAME: \"%s\" is not allowed; allowed: 1 to %d visible ASCII characters without "
         "\"/\" and \":\", and neither \".\" nor \"..\"",
         name, MAX_IFNAME);
  }
  return name;
}

/* ---- configuration ----------------------------------------------------------------------------- */

/* Whole seconds of 1 to 600, or -1. */
static int parse_seconds(const char *text) {
  int seconds = 0;
  for (const char *c = text; *c != '\0'; c++) {
    if (*c < '0' || *c > '9' || (seconds = seconds * 10 + (*c - '0')) > MAX_TIMEOUT_SECONDS) {
      return -1;
    }
  }
  return seconds > 0 ? seconds : -1;
}

/* WAYLEAVE_TIMEOUT, or -1 when it is not set. */
static int timeout_of_environment(void) {
  const char *text = getenv("WAYLEAVE_TIMEOUT");
  if (text == NULL || text[0] == '\0') {
    return -1;
  }
  int seconds = parse_seconds(text);
  if (seconds < 0) {
    fail(CNI_INVALID_ENVIRONMENT, "an environment variable has a value that is not allowed",
         "WAYLEAVE_TIMEOUT: \"%s\" is not allowed; allowed: 1 to %d seconds", text,
         MAX_TIMEOUT_SECONDS);
  }
  return seconds;
}

static int choose_timeout(const struct config *config) {
  int seconds = timeout_of_environment();
  if (seconds > 0) {
    return seconds;
  }
  const struct json_member *field = &config->fields[TIMEOUT_SECONDS];
  if (field->kind == JSON_ABSENT) {
    return 60;
  }
  seconds = field->kind == JSON_NUMBER ? parse_seconds(field->value) : -1;
  if (seconds < 0) {
    fail(CNI_INVALID_CONFIG, "the network configuration is not valid",
         "timeoutSeconds: \"%s\" is not allowed; allowed: a number of 1 to %d",
         field->value != NULL ? field->value : "another type", MAX_TIMEOUT_SECONDS);
  }
  return seconds;
}

/* The variable, else the field, else the default: an absolute path of less than `limit` bytes. */
static const char *choose_path(const char *variable, const struct json_member *field,
                               const char *otherwise, size_t limit) {
  const char *path = getenv(variable);
  if (path != NULL && path[0] != '\0') {
    if (path[0] != '/' || strlen(path) >= limit) {
      fail(CNI_INVALID_ENVIRONMENT, "an environment variable has a value that is not allowed",
           "%s: \"%s\" is not allowed; allowed: an absolute path of less than %zu bytes", variable,
           path, limit);
    }
    return path;
  }
  if (field->kind == JSON_ABSENT) {
    return otherwise;
  }
  if (field->kind != JSON_STRING || field->value[0] != '/' || field->length >= limit ||
      strlen(field->value) != field->length) {
    fail(CNI_INVALID_CONFIG, "the network configuration is not valid",
         "%s: \"%s\" is not allowed; allowed: an absolute path of less than %zu bytes", field->name,
         field->value != NULL ? field->value : "another type", limit);
  }
  return field->value;
}

static void read_stdin(struct config *config, long long deadline) {
  config->text = malloc(MAX_CONFIG + 1);
  if (config->text == NULL) {
    fail(CNI_IO_FAILURE, "no memory left", "for the network configuration");
  }
  config->length = 0;
  /* By hand, at a terminal, nobody wants to type a configuration. */
  while (!isatty(STDIN_FILENO)) {
    if (wait_until(STDIN_FILENO, POLLIN, deadline) == 0) {
      fail(CNI_IO_FAILURE, "input or output failed",
           "read stdin: the network configuration does not end within the deadline");
    }
    ssize_t some =
        read(STDIN_FILENO, config->text + config->length, MAX_CONFIG + 1 - config->length);
    if (some == 0) {
      return;
    }
    if (some < 0 && errno != EINTR) {
      fail(CNI_IO_FAILURE, "input or output failed", "read stdin: %s (%s)", strerror(errno),
           strerrorname_np(errno));
    }
    config->length += some > 0 ? (size_t)some : 0;
    if (config->length > MAX_CONFIG) {
      fail(CNI_INVALID_CONFIG, "the network configuration is not valid",
           "stdin: more than %u bytes are not allowed", MAX_CONFIG);
    }
  }
}

/*
 * Whether the text is a JSON object; when it is, errors are from now on in the version that it asks for.
 */
static int parse_config(struct config *config, struct json_error *error) {
  config->fields[CNI_VERSION].name = "cniVersion";
  config->fields[AGENT_SOCKET].name = "agentSocket";
  config->fields[SPOOL_DIR].name = "spoolDir";
  config->fields[TIMEOUT_SECONDS].name = "timeoutSeconds";
  if (json_read_object(config->text, config->length, config->fields, FIELD_COUNT, error) != 0) {
    return 0;
  }
  const struct json_member *version = &config->fields[CNI_VERSION];
  if (version->kind == JSON_STRING && is_supported_version(version->value)) {
    answer_in_version(version->value);
  }
  return 1;
}

static void check_version(const struct config *config, enum command command) {
  const struct json_member *version = &config->fields[CNI_VERSION];
  if (version->kind != JSON_ABSENT && version->kind != JSON_STRING) {
    fail(CNI_DECODING_FAILURE, "the network configuration cannot be read",
         "cniVersion: a string in quotes must be there");
  }
  /* A configuration without a version means 0.1.0 (CNI spec 0.2.0 and before). */
  const char *asked = version->kind == JSON_STRING ? version->value : "0.1.0";
  if (!is_supported_version(asked)) {
    fail(CNI_INCOMPATIBLE_VERSION, "incompatible CNI version",
         "cniVersion: \"%s\" is not allowed; allowed: 0.3.1, 0.4.0, 1.0.0, 1.1.0", asked);
  }
  if (command == CHECK && strcmp(asked, "0.3.1") == 0) {
    fail(CNI_INCOMPATIBLE_VERSION, "incompatible CNI version",
         "CHECK: cniVersion \"%s\" is not allowed; allowed: 0.4.0 or later", asked);
  }
  if ((command == STATUS || command == GC) && strcmp(asked, "1.1.0") != 0) {
    fail(CNI_INCOMPATIBLE_VERSION, "incompatible CNI version",
         "%s: cniVersion \"%s\" is not allowed; allowed: 1.1.0", command == STATUS ? "STATUS" : "GC",
         asked);
  }
}

/* ---- request ----------------------------------------------------------------------------------- */

/* Whether no earlier entry has the same name, which with its "=" is that long. */
static int is_first_of_name(char **entry, size_t name_length) {
  for (char **earlier = environ; earlier < entry; earlier++) {
    if (strncmp(*earlier, *entry, name_length) == 0) {
      return 0;
    }
  }
  return 1;
}

/* Adds CNI_* and WAYLEAVE_*; of a name that occurs twice the first, as getenv(3) takes it. */
static void add_environment(struct frame *frame) {
  size_t total = 0;
  for (char **entry = environ; *entry != NULL; entry++) {
    char *equals = strchr(*entry, '=');
    if (equals == NULL ||
        (strncmp(*entry, "CNI_", 4) != 0 && strncmp(*entry, "WAYLEAVE_", 9) != 0) ||
        !is_first_of_name(entry, (size_t)(equals - *entry) + 1)) {
      continue;
    }
    total += strlen(*entry);
    if (total > MAX_ENVIRONMENT) {
      fail(CNI_INVALID_ENVIRONMENT, "an environment variable has a value that is not allowed",
           "%.*s: all CNI_* and WAYLEAVE_* together are more than %u bytes", (int)(equals - *entry),
           *entry, MAX_ENVIRONMENT);
    }
    frame_add(frame, *entry, (size_t)(equals - *entry), equals + 1, strlen(equals + 1));
  }
}

/* The network namespace, or -1 when a DEL must do without it. */
static int open_netns(enum command command, struct frame *frame) {
  if (command != ADD && command != CHECK && command != DEL) {
    return -1;
  }
  const char *path = command == DEL ? getenv("CNI_NETNS") : required("CNI_NETNS");
  if (path == NULL || path[0] == '\0') {
    return -1;
  }
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd >= 0) {
    return fd;
  }
  if (command != DEL) {
    fail(CNI_INVALID_ENVIRONMENT, "an environment variable has a value that is not allowed",
         "CNI_NETNS: open %s: %s (%s)", path, strerror(errno), strerrorname_np(errno));
  }
  frame_add_text(frame, "netnsError", strerrorname_np(errno));
  return -1;
}

/* Ends the process: what a command other than DEL says when no agent answers. */
static _Noreturn void no_agent(enum command command, const char *socket_path, const char *why) {
  fail(command == STATUS ? CNI_NOT_AVAILABLE : CNI_TRY_AGAIN_LATER,
       "the Wayleave agent does not answer", "%s: %s", socket_path, why);
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  struct config config;
  struct json_error error;
  int timeout = timeout_of_environment();
  read_stdin(&config, deadline_in(timeout > 0 ? timeout : 60));
  /* An unreadable text is reported after the environment: what names the command comes first. */
  int readable = parse_config(&config, &error);
  enum command command = read_command();
  if (command == VERSION && config.length == 0) {
    answer_version(NULL);
  }
  const char *container_id = "";
  const char *ifname = "";
  if (command == ADD || command == DEL || command == CHECK) {
    container_id = read_container_id();
    ifname = read_ifname();
  }
  if (!readable) {
    fail(CNI_DECODING_FAILURE, "the network configuration cannot be read", "stdin, byte %zu: %s",
         error.offset, error.reason);
  }
  if (command == VERSION) {
    const struct json_member *version = &config.fields[CNI_VERSION];
    answer_version(version->kind == JSON_STRING ? version->value : NULL);
  }
  check_version(&config, command);
  const char *socket_path =
      choose_path("WAYLEAVE_SOCKET", &config.fields[AGENT_SOCKET], "/run/wayleave/agent.sock",
                  sizeof((struct sockaddr_un *)0)->sun_path);
  const char *spool = choose_path("WAYLEAVE_SPOOL", &config.fields[SPOOL_DIR],
                                  "/var/lib/wayleave/spool", PATH_MAX / 2);
  long long deadline = deadline_in(choose_timeout(&config));

  struct frame frame;
  frame_start(&frame);
  add_environment(&frame);
  frame_add(&frame, "config", 6, config.text, config.length);
  frame_add_text(&frame, "spoolDir", spool);
  char generation[GENERATION_MAX + 1] = "";
  if (command == DEL) {
    read_generation(spool, container_id, ifname, generation);
    if (generation[0] != '\0') {
      frame_add_text(&frame, "generation", generation);
    }
  }
  int netns = open_netns(command, &frame);
  frame_finish(&frame);

  struct reply reply;
  char why[256];
  if (ask_agent(socket_path, &frame, netns, deadline, &reply, why, sizeof why) != 0) {
    if (command != DEL) {
      no_agent(command, socket_path, why);
    }
    spool_del(spool, container_id, ifname, generation, &frame);
    return 0;
  }
  print_and_exit(reply.output, reply.length, reply.status);
}
