/* Decides when to look at the trees, and what counts as one change. What is
 * found by looking is true; notices only say when it is worth a look. */

#include "etcl_sources.h"
#include "etcl_clock.h"
#include "etcl_journal.h"
#include "etcl_tree.h"

#include <apr_strings.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

#define EVENTS                                                                 \
    (IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MODIFY |          \
     IN_MOVE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)

/* Looking takes no more than a part of one processor. */
#define GAP_US 10000
#define GAP_PARTS 20

#define READS_MAX 64 /* in one go: notices may come faster than they are read */

struct etcl_sources_t {
    const char *roots;
    const char *group;
    int notify_fd;        /* -1: the kernel does not help */
    etcl_tree_t trees[3]; /* which is which changes */
    etcl_tree_t *loaded;
    etcl_tree_t *seen; /* at the last look */
    etcl_tree_t *next;
    apr_int64_t next_us;
    apr_int64_t gap_us;     /* the next look is not before that much time */
    apr_int64_t looked_us;  /* when the last look ended */
    apr_int64_t changed_us; /* since when something changes; 0: all rests */
    int told_blocked;
    int told_beyond;
    char path[PATH_MAX]; /* that was told */
};

static void swap(etcl_tree_t **a, etcl_tree_t **b)
{
    etcl_tree_t *c = *a;

    *a = *b;
    *b = c;
}

/* Said once each: what is in the way stays there. */
static void tell_gaps(etcl_sources_t *sources)
{
    const etcl_tree_t *tree = sources->seen;

    if (tree->blocked && !sources->told_blocked) {
        sources->told_blocked = 1;
        etcl_journal_say(ETCL_LOG_WARNING,
                         "ETCL0289: group %s cannot watch the folder %s of "
                         "its reload-watch=: %s",
                         sources->group, tree->blocked,
                         strerror(tree->blocked_errno));
    }
    if (tree->beyond && !sources->told_beyond) {
        sources->told_beyond = 1;
        etcl_journal_say(ETCL_LOG_WARNING,
                         "ETCL0290: group %s: below its reload-watch= are "
                         "more than %d folders or %d Python files; %s and "
                         "others are not watched: name folders with the "
                         "application's own code only",
                         sources->group, ETCL_TREE_FOLDERS_MAX,
                         ETCL_TREE_FILES_MAX, tree->beyond);
    }
}

/* A folder that is watched already stays so. Where the kernel has no room
 * for more, looking has to do. */
static void ask_notices(etcl_sources_t *sources)
{
    const apr_array_header_t *folders = sources->seen->folders;
    int i;

    for (i = 0; sources->notify_fd >= 0 && i < folders->nelts; i++) {
        if (inotify_add_watch(sources->notify_fd,
                              APR_ARRAY_IDX(folders, i, const char *),
                              EVENTS) < 0 &&
            errno != ENOENT && errno != ENOTDIR) {
            close(sources->notify_fd);
            sources->notify_fd = -1;
        }
    }
}

static void look(etcl_sources_t *sources)
{
    apr_int64_t begin_us = etcl_clock_us();

    etcl_tree_scan(sources->next, sources->roots);
    swap(&sources->next, &sources->seen);
    ask_notices(sources);
    sources->looked_us = etcl_clock_us();
    sources->gap_us = GAP_US + GAP_PARTS * (sources->looked_us - begin_us);
    tell_gaps(sources);
}

static int make_trees(etcl_sources_t *sources)
{
    int i, made = 0;

    for (i = 0; i < 3; i++) {
        made += etcl_tree_create(&sources->trees[i]) == APR_SUCCESS;
    }
    sources->loaded = &sources->trees[0];
    sources->seen = &sources->trees[1];
    sources->next = &sources->trees[2];
    return made == 3;
}

/* The watches are there before what is there counts as known: what changes
 * in between is seen by the second look. */
etcl_sources_t *etcl_sources_create(const char *roots, const char *group)
{
    etcl_sources_t *sources = calloc(1, sizeof(*sources));

    if (!sources) {
        return NULL;
    }
    sources->roots = roots;
    sources->group = group;
    sources->notify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (!make_trees(sources)) {
        etcl_sources_destroy(sources);
        return NULL;
    }
    look(sources);
    etcl_sources_accept(sources);
    return sources;
}

void etcl_sources_destroy(etcl_sources_t *sources)
{
    int i;

    for (i = 0; sources && i < 3; i++) {
        etcl_tree_destroy(&sources->trees[i]);
    }
    if (sources && sources->notify_fd >= 0) {
        close(sources->notify_fd);
    }
    free(sources);
}

static int matters(const struct inotify_event *event)
{
    if (!event->len) {
        return 1;
    }
    return event->mask & IN_ISDIR ? !etcl_tree_is_hidden(event->name)
                                  : etcl_tree_is_source(event->name);
}

/* Whether any notice has come that is about sources or folders; a log file
 * that grows beside them is not. */
static int take_notices(etcl_sources_t *sources)
{
    _Alignas(struct inotify_event) char buf[8192];
    const struct inotify_event *event;
    ssize_t got, at;
    int left = READS_MAX, count = 0;

    if (sources->notify_fd < 0) {
        return 0;
    }
    while (left-- && (got = read(sources->notify_fd, buf, sizeof(buf))) > 0) {
        for (at = 0; at < got; at += (ssize_t)(sizeof(*event) + event->len)) {
            event = (const void *)(buf + at);
            count += matters(event);
        }
    }
    return count > 0;
}

/* The next look, in `us`, but not sooner than looking may cost. */
static void look_in(etcl_sources_t *sources, apr_int64_t now_us, apr_int64_t us)
{
    apr_int64_t least_us = sources->looked_us + sources->gap_us;

    sources->next_us = now_us + us < least_us ? least_us : now_us + us;
}

static void calm_down(etcl_sources_t *sources)
{
    sources->changed_us = 0;
    look_in(sources, sources->looked_us,
            sources->notify_fd >= 0 ? ETCL_SOURCES_SURE_US
                                    : ETCL_SOURCES_LOOK_US);
}

void etcl_sources_accept(etcl_sources_t *sources)
{
    look(sources);
    swap(&sources->seen, &sources->loaded);
    calm_down(sources);
}

/* Something changes: look when it has rested. */
static void wait_for_rest(etcl_sources_t *sources, apr_int64_t now_us)
{
    apr_int64_t most_us;

    if (!sources->changed_us) {
        sources->changed_us = now_us;
    }
    most_us = sources->changed_us + ETCL_SOURCES_MOST_US - now_us;
    look_in(sources, now_us,
            most_us < ETCL_SOURCES_REST_US ? most_us : ETCL_SOURCES_REST_US);
}

/* Without notices, only a second look says that the first saw all. */
static int may_move(const etcl_sources_t *sources, apr_int64_t now_us)
{
    if (!sources->changed_us) {
        return 1;
    }
    return sources->notify_fd < 0 &&
           now_us - sources->changed_us < ETCL_SOURCES_MOST_US &&
           etcl_tree_differs(sources->next, sources->seen) != NULL;
}

const char *etcl_sources_poll(etcl_sources_t *sources, apr_int64_t now_us)
{
    const char *changed;

    if (take_notices(sources)) {
        wait_for_rest(sources, now_us);
    }
    if (now_us < sources->next_us) {
        return NULL;
    }
    look(sources);
    changed = etcl_tree_differs(sources->loaded, sources->seen);
    if (!changed) {
        calm_down(sources);
        return NULL;
    }
    if (may_move(sources, now_us)) {
        wait_for_rest(sources, now_us);
        return NULL;
    }
    apr_cpystrn(sources->path, changed, sizeof(sources->path));
    swap(&sources->seen, &sources->loaded);
    calm_down(sources);
    return sources->path;
}

int etcl_sources_is_moving(const etcl_sources_t *sources)
{
    return sources->changed_us != 0;
}

apr_int64_t etcl_sources_next_us(const etcl_sources_t *sources)
{
    return sources->next_us;
}

int etcl_sources_fd(const etcl_sources_t *sources)
{
    return sources->notify_fd;
}
