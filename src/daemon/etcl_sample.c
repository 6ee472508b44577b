/* Small files of the kernel, read whole and looked at as text. What a number
 * means for a worker is etcl_obituary.c's and etcl_policy.c's to say. */

#include "etcl_sample.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define V1_MOUNT "/sys/fs/cgroup/memory"
#define V2_MOUNT "/sys/fs/cgroup"
#define FILE_MAX 16384 /* /proc/vmstat has about 4 KiB */

/* An empty span: it cannot be read. */
static etcl_span_t read_file(const char *path, char *into, size_t max)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t got = 1;

    while (fd >= 0 && got > 0 && len < max) {
        got = read(fd, into + len, max - len);
        len += got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0) {
        close(fd);
    }
    return (etcl_span_t){ into, len };
}

static etcl_span_t take_line(etcl_span_t *text)
{
    const char *end = memchr(text->ptr, '\n', text->len);
    etcl_span_t line = { text->ptr,
                         end ? (size_t)(end - text->ptr) : text->len };

    text->ptr += line.len + (end != NULL);
    text->len -= line.len + (end != NULL);
    return line;
}

/* Digits at the front of a span that ends with its line. */
static apr_int64_t number_of(etcl_span_t digits)
{
    char text[24];
    char *end;
    apr_int64_t value;

    if (!digits.len || digits.len >= sizeof(text)) {
        return -1;
    }
    memcpy(text, digits.ptr, digits.len);
    text[digits.len] = '\0';
    value = strtoll(text, &end, 10);
    return end == text || value < 0 ? -1 : value;
}

apr_int64_t etcl_sample_count(etcl_span_t text, const char *name)
{
    size_t len = strlen(name);
    etcl_span_t line;

    while (text.len) {
        line = take_line(&text);
        if (line.len > len + 1 && line.ptr[len] == ' ' &&
            !memcmp(line.ptr, name, len)) {
            return number_of(
                (etcl_span_t){ line.ptr + len + 1, line.len - len - 1 });
        }
    }
    return -1;
}

/* Of "ID:controllers:/path": the path, if the controllers are these. */
static etcl_span_t path_of(etcl_span_t line, const char *controllers)
{
    const char *first = memchr(line.ptr, ':', line.len), *second;
    const char *end = line.ptr + line.len;
    size_t len = strlen(controllers);

    second = first ? memchr(first + 1, ':', (size_t)(end - first - 1)) : NULL;
    if (!second || (size_t)(second - first - 1) != len ||
        memcmp(first + 1, controllers, len) != 0) {
        return (etcl_span_t){ NULL, 0 };
    }
    return (etcl_span_t){ second + 1, (size_t)(end - second - 1) };
}

static etcl_span_t find_path(etcl_span_t cgroups, const char *controllers)
{
    etcl_span_t line, path = { NULL, 0 };

    while (cgroups.len && !path.ptr) {
        line = take_line(&cgroups);
        path = path_of(line, controllers);
    }
    return path;
}

/* With version 2 alone, no line names the memory controller. */
int etcl_sample_path(etcl_span_t cgroups, char path[ETCL_SAMPLE_PATH_MAX])
{
    etcl_span_t own = find_path(cgroups, "memory");
    int is_v1 = own.ptr != NULL, len;

    if (!is_v1) {
        own = find_path(cgroups, "");
    }
    if (!own.ptr || own.len > ETCL_SAMPLE_PATH_MAX) {
        return 0;
    }
    if (own.len == 1) {
        own.len = 0;
    }
    len = snprintf(path, ETCL_SAMPLE_PATH_MAX, "%s%.*s/%s",
                   is_v1 ? V1_MOUNT : V2_MOUNT, (int)own.len, own.ptr,
                   is_v1 ? "memory.oom_control" : "memory.events");
    return len < ETCL_SAMPLE_PATH_MAX;
}

/* Where a container shows its own group as the root of the mount, the path
 * is not there, but the root is what is meant. */
static apr_int64_t count_in_group(char *buf)
{
    static const char *const roots[] = { V2_MOUNT "/memory.events",
                                         V1_MOUNT "/memory.oom_control" };
    char path[ETCL_SAMPLE_PATH_MAX];
    apr_int64_t count = -1;
    size_t i;

    if (etcl_sample_path(read_file("/proc/self/cgroup", buf, FILE_MAX), path)) {
        count = etcl_sample_count(read_file(path, buf, FILE_MAX), "oom_kill");
    }
    for (i = 0; count < 0 && i < sizeof(roots) / sizeof(*roots); i++) {
        count =
            etcl_sample_count(read_file(roots[i], buf, FILE_MAX), "oom_kill");
    }
    return count;
}

etcl_kills_t etcl_sample_kills(void)
{
    char buf[FILE_MAX];
    etcl_kills_t kills = { .group = count_in_group(buf) };

    kills.machine = etcl_sample_count(
        read_file("/proc/vmstat", buf, sizeof(buf)), "oom_kill");
    return kills;
}

etcl_killed_t etcl_sample_judge(const etcl_kills_t *before,
                                const etcl_kills_t *after)
{
    int group = before->group >= 0 && after->group >= 0;
    int machine = before->machine >= 0 && after->machine >= 0;

    if (group && after->group > before->group) {
        return ETCL_KILLED_HERE;
    }
    if (machine && after->machine > before->machine) {
        return ETCL_KILLED_SOMEBODY;
    }
    return group || machine ? ETCL_KILLED_NOBODY : ETCL_KILLED_UNKNOWN;
}

apr_int64_t etcl_sample_resident(pid_t pid)
{
    char path[32], text[128];
    long long size, resident;
    etcl_span_t read;

    snprintf(path, sizeof(path), "/proc/%ld/statm", (long)pid);
    read = read_file(path, text, sizeof(text) - 1);
    text[read.len] = '\0';
    if (sscanf(text, "%lld %lld", &size, &resident) != 2) {
        return -1;
    }
    return (apr_int64_t)resident * sysconf(_SC_PAGESIZE);
}

/* The name is the sender's own choice: it is escaped with the line. */
void etcl_sample_sender(pid_t pid, uid_t uid, char out[ETCL_SAMPLE_SENDER_MAX])
{
    char path[32], name[32];
    etcl_span_t comm;

    if (pid <= 0) {
        snprintf(out, ETCL_SAMPLE_SENDER_MAX, "no process that is seen here");
        return;
    }
    snprintf(path, sizeof(path), "/proc/%ld/comm", (long)pid);
    comm = read_file(path, name, sizeof(name));
    comm = take_line(&comm);
    snprintf(out, ETCL_SAMPLE_SENDER_MAX, "pid %ld (%.*s), uid %ld", (long)pid,
             comm.len ? (int)comm.len : 4, comm.len ? comm.ptr : "gone",
             (long)uid);
}
