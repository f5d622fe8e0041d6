// Makes file operations of any program fail (LD_PRELOAD, or linked before the C library), as it is told:
//   FAILING_FSYNC=op:N[+]:ERRNO[:after][,...]   the Nth call of op fails; with + every later one too
//     op     fsync (and fdatasync), write (write, writev, pwrite, pwritev), link (linkat), rename (renameat2)
//     ERRNO  EIO EINTR ENOSPC EDQUOT EROFS EPERM EACCES EINVAL EEXIST ENOENT ESTALE;
//            SHORT: half of it is written; OK: nothing is done and success reported (not write)
//     after  the operation is done, and then reported as failed (not write)
//   FAILING_FSYNC_PATH=text   counts only files whose path has this text (of a link or rename: the new place)
// Example: FAILING_FSYNC=fsync:3:EIO FAILING_FSYNC_PATH=/backups LD_PRELOAD=libfailing_fsync.so PROGRAM
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { short_write = -1, rules_max = 8 };

struct rule {
  char operation[8];
  long nth;
  int also_later;
  int error_number;
  int after;
  atomic_long calls;
};

static struct rule rules[rules_max];
static atomic_int rule_count;
static char path_filter[256];

static int number_of(const char* name) {
  static const struct {
    const char* name;
    int number;
  } names[] = {{"EIO", EIO},       {"EINTR", EINTR},   {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT},
               {"EROFS", EROFS},   {"EPERM", EPERM},   {"EACCES", EACCES}, {"EINVAL", EINVAL},
               {"EEXIST", EEXIST}, {"ENOENT", ENOENT}, {"ESTALE", ESTALE}, {"SHORT", short_write},
               {"OK", 0}};
  for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
    if (strcmp(names[i].name, name) == 0) return names[i].number;
  fprintf(stderr, "failing_fsync: unknown error '%s'\n", name);
  abort();
}

// Replaces all rules and starts counting afresh; not while another thread does one of the operations. "" ends
// it.
void failing_fsync_arm(const char* plan, const char* path) {
  rule_count = 0;
  snprintf(path_filter, sizeof path_filter, "%s", path);
  char copy[256];
  snprintf(copy, sizeof copy, "%s", plan);
  int count = 0;
  char* rest = NULL;
  for (char* text = strtok_r(copy, ",", &rest); text != NULL; text = strtok_r(NULL, ",", &rest)) {
    char nth[16] = "", error[16] = "", after[8] = "";
    struct rule* rule = &rules[count];
    int fields = sscanf(text, "%7[a-z]:%15[0-9+]:%15[A-Z]:%7[a-z]", rule->operation, nth, error, after);
    if (fields < 3 || ++count == rules_max) {
      fprintf(stderr, "failing_fsync: cannot read '%s'\n", text);
      abort();
    }
    rule->nth = strtol(nth, NULL, 10);
    rule->also_later = strchr(nth, '+') != NULL;
    rule->error_number = number_of(error);
    rule->after = fields == 4;
    rule->calls = 0;
  }
  rule_count = count;
}

__attribute__((constructor)) static void arm_from_environment(void) {
  const char* plan = getenv("FAILING_FSYNC");
  const char* path = getenv("FAILING_FSYNC_PATH");
  if (plan != NULL) failing_fsync_arm(plan, path != NULL ? path : "");
}

static int is_watched(int fd) {
  char link[32], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  return strstr(path, path_filter) != NULL;
}

// The rule that this call meets, or none.
static const struct rule* met(const char* operation, int fd) {
  for (int i = 0; i < rule_count; ++i) {
    struct rule* rule = &rules[i];
    if (strcmp(rule->operation, operation) != 0 || !is_watched(fd)) continue;
    long call = ++rule->calls;
    if (call == rule->nth || (rule->also_later && call > rule->nth)) return rule;
  }
  return NULL;
}

static void* next_of(const char* function) {
  void* next = dlsym(RTLD_NEXT, function);
  if (next == NULL) abort();
  return next;
}

// Declares `real`, the next definition of `function`, looked up once.
#define REAL(type, function, ...)            \
  static type (*_Atomic found)(__VA_ARGS__); \
  type (*real)(__VA_ARGS__) = found;         \
  if (real == NULL) found = real = (type(*)(__VA_ARGS__))next_of(function)

// Does `call` as the rule wants it, and returns from the function around.
#define DO(operation, fd, call)                 \
  const struct rule* rule = met(operation, fd); \
  if (rule == NULL) return call;                \
  if (rule->after) (void)!(call);               \
  errno = rule->error_number;                   \
  return rule->error_number == 0 ? 0 : -1

int fsync(int fd) {
  REAL(int, "fsync", int);
  DO("fsync", fd, real(fd));
}

int fdatasync(int fd) {
  REAL(int, "fdatasync", int);
  DO("fsync", fd, real(fd));
}

static int is_short(const struct rule* rule) {
  return rule != NULL && rule->error_number == short_write;
}

ssize_t write(int fd, const void* bytes, size_t count) {
  REAL(ssize_t, "write", int, const void*, size_t);
  const struct rule* rule = met("write", fd);
  if (rule == NULL) return real(fd, bytes, count);
  if (is_short(rule)) return real(fd, bytes, (count + 1) / 2);
  errno = rule->error_number;
  return -1;
}

ssize_t pwrite(int fd, const void* bytes, size_t count, off_t offset) {
  REAL(ssize_t, "pwrite", int, const void*, size_t, off_t);
  const struct rule* rule = met("write", fd);
  if (rule == NULL) return real(fd, bytes, count, offset);
  if (is_short(rule)) return real(fd, bytes, (count + 1) / 2, offset);
  errno = rule->error_number;
  return -1;
}

ssize_t writev(int fd, const struct iovec* parts, int count) {
  REAL(ssize_t, "writev", int, const struct iovec*, int);
  const struct rule* rule = met("write", fd);
  if (rule == NULL) return real(fd, parts, count);
  if (!is_short(rule)) {
    errno = rule->error_number;
    return -1;
  }
  if (count > 1) return real(fd, parts, count / 2);
  struct iovec half = {parts[0].iov_base, (parts[0].iov_len + 1) / 2};
  return real(fd, &half, 1);
}

ssize_t pwritev(int fd, const struct iovec* parts, int count, off_t offset) {
  REAL(ssize_t, "pwritev", int, const struct iovec*, int, off_t);
  const struct rule* rule = met("write", fd);
  if (rule == NULL) return real(fd, parts, count, offset);
  if (is_short(rule)) return real(fd, parts, (count + 1) / 2, offset);
  errno = rule->error_number;
  return -1;
}

int linkat(int from_directory, const char* from, int to_directory, const char* to, int flags) {
  REAL(int, "linkat", int, const char*, int, const char*, int);
  DO("link", to_directory, real(from_directory, from, to_directory, to, flags));
}

int renameat2(int from_directory, const char* from, int to_directory, const char* to, unsigned flags) {
  REAL(int, "renameat2", int, const char*, int, const char*, unsigned);
  DO("rename", to_directory, real(from_directory, from, to_directory, to, flags));
}
