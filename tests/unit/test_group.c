/* The options of a group: what each allows, what the refusal says, and when
 * two definitions are one. */

#include "hostile.h"
#include "rows.h"
#include "etcl_group.h"

static apr_pool_t *pool;
static etcl_group_t group;

static void set_up(void)
{
    apr_pool_create(&pool, NULL);
    etcl_group_init(&group, "etcl");
}

static void tear_down(void)
{
    apr_pool_destroy(pool);
}

static apr_status_t set(const char *option, const char *value)
{
    const char *why = "";
    apr_status_t rv = etcl_group_set(&group, option, value, pool, &why);

    ck_assert_int_eq(why == NULL, rv == APR_SUCCESS);
    return rv;
}

START_TEST(a_fresh_group_has_the_values_of_the_table)
{
    ck_assert_str_eq(group.name, "etcl");
    ck_assert_int_eq(group.options.processes, 1);
    ck_assert_int_eq(group.options.threads, 15);
    ck_assert_int_eq(group.options.umask, -1);
    ck_assert_int_eq(group.options.deadlock_timeout, 300);
    ck_assert_int_eq(group.options.listen_backlog, 100);
    ck_assert_ptr_null(group.options.home);
    ck_assert_uint_eq(group.options.stated, 0);
    ck_assert_int_eq(group.uid, -1);
    ck_assert_int_eq(group.gid, -1);
    ck_assert_int_eq(group.peer_uid, -1);
}
END_TEST

/* At both bounds and one step outside of each; BYTES have 0 beside them. */
static const struct {
    const char *option;
    const char *value;
    apr_status_t rv;
} bounds[] = { { "processes", "1", APR_SUCCESS },
               { "processes", "512", APR_SUCCESS },
               { "processes", "0", ETCL_EINVAL },
               { "processes", "513", ETCL_EINVAL },
               { "threads", "0", APR_SUCCESS },
               { "threads", "65533", APR_SUCCESS },
               { "threads", "-1", ETCL_EINVAL },
               { "threads", "65534", ETCL_EINVAL },
               { "cpu-priority", "-20", APR_SUCCESS },
               { "cpu-priority", "20", APR_SUCCESS },
               { "cpu-priority", "-21", ETCL_EINVAL },
               { "cpu-priority", "21", ETCL_EINVAL },
               { "listen-backlog", "1", APR_SUCCESS },
               { "listen-backlog", "65535", APR_SUCCESS },
               { "listen-backlog", "0", ETCL_EINVAL },
               { "listen-backlog", "65536", ETCL_EINVAL },
               { "maximum-requests", "0", APR_SUCCESS },
               { "maximum-requests", "2147483648", ETCL_EINVAL },
               { "response-flush-delay", "0", APR_SUCCESS },
               { "response-flush-delay", "-1", ETCL_EINVAL },
               { "stack-size", "0", APR_SUCCESS },
               { "stack-size", "16383", ETCL_EINVAL },
               { "stack-size", "16384", APR_SUCCESS },
               { "stack-size", "2147483648", ETCL_EINVAL },
               { "memory-limit", "0", APR_SUCCESS },
               { "memory-limit", "9223372036854775807", APR_SUCCESS },
               { "memory-limit", "9223372036854775808", ETCL_EINVAL },
               { "memory-limit", "-1", ETCL_EINVAL },
               { "virtual-memory-limit", "1", APR_SUCCESS },
               { "send-buffer-size", "511", ETCL_EINVAL },
               { "send-buffer-size", "512", APR_SUCCESS },
               { "receive-buffer-size", "511", ETCL_EINVAL },
               { "receive-buffer-size", "0", APR_SUCCESS },
               { "header-buffer-size", "8191", ETCL_EINVAL },
               { "header-buffer-size", "8192", APR_SUCCESS },
               { "response-buffer-size", "65535", ETCL_EINVAL },
               { "response-buffer-size", "65536", APR_SUCCESS },
               { "umask", "0", APR_SUCCESS },
               { "umask", "0022", APR_SUCCESS },
               { "umask", "777", APR_SUCCESS },
               { "umask", "1000", ETCL_EINVAL },
               { "umask", "8", ETCL_EINVAL },
               { "umask", "-1", ETCL_EINVAL },
               { "umask", "", ETCL_EINVAL },
               { "umask", "777777777777777777777777", ETCL_EINVAL },
               { "server-metrics", "On", APR_SUCCESS },
               { "server-metrics", "off", APR_SUCCESS },
               { "server-metrics", "1", ETCL_EINVAL },
               { "switch-interval", "0.005", APR_SUCCESS },
               { "switch-interval", "0", ETCL_EINVAL },
               { "switch-interval", "-1", ETCL_EINVAL },
               { "switch-interval", "fast", ETCL_EINVAL },
               { "rss-limit", "0", APR_SUCCESS },
               { "rss-limit", "512M", APR_SUCCESS },
               { "rss-limit", "0K", APR_SUCCESS },
               { "rss-limit", "-1", ETCL_EINVAL },
               { "rss-limit", "1T", ETCL_EINVAL },
               { "memory-limit", "1K", ETCL_EINVAL },
               { "reload", "wait", APR_SUCCESS },
               { "reload", "rolling", APR_SUCCESS },
               { "reload", "Wait", ETCL_EINVAL },
               { "reload", "", ETCL_EINVAL },
               { "reload", "1", ETCL_EINVAL },
               { "reload-watch", "/srv", APR_SUCCESS },
               { "reload-watch", "/srv/a:/srv/b", APR_SUCCESS },
               { "reload-watch", "", ETCL_EINVAL },
               { "reload-watch", ":/srv", ETCL_EINVAL },
               { "reload-watch", "/srv:", ETCL_EINVAL },
               { "reload-watch", "/srv::/tmp", ETCL_EINVAL },
               { "reload-watch", "/srv:tmp", ETCL_EINVAL },
               { "warm-up", "/", APR_SUCCESS },
               { "warm-up", "https://shop.example/login/?a=b", APR_SUCCESS },
               { "warm-up", "login", ETCL_EINVAL },
               { "warm-up", "", ETCL_EINVAL },
               { "home", "/srv", APR_SUCCESS },
               { "home", "srv", ETCL_EINVAL },
               { "home", "", ETCL_EINVAL },
               { "chroot", "./x", ETCL_EINVAL },
               { "lang", "en_US.UTF-8", APR_SUCCESS },
               { "user", "", APR_SUCCESS },
               { "display-name", "%{GROUP}", APR_SUCCESS },
               { "threads", "", ETCL_EINVAL },
               { "threads", "abc", ETCL_EINVAL },
               { "threads", "5x", ETCL_EINVAL },
               { "threads", " 5", ETCL_EINVAL },
               { "request-timeout", "1.5", ETCL_EINVAL },
               { "", "5", APR_NOTFOUND },
               { "Threads", "5", APR_NOTFOUND },
               { "thread-queue", "5", APR_NOTFOUND } };

START_TEST(an_option_takes_what_the_table_allows)
{
    etcl_group_options_t before = group.options;

    ck_assert_int_eq(set(bounds[_i].option, bounds[_i].value), bounds[_i].rv);
    ck_assert_int_eq(etcl_group_states(&group, bounds[_i].option),
                     bounds[_i].rv == APR_SUCCESS);
    if (bounds[_i].rv != APR_SUCCESS) {
        ck_assert_mem_eq(&before, &group.options, sizeof(before));
    }
}
END_TEST

static const char *const timeouts[] = {
    "cpu-time-limit",    "restart-interval",       "startup-timeout",
    "deadlock-timeout",  "inactivity-timeout",     "request-timeout",
    "interrupt-timeout", "graceful-timeout",       "eviction-timeout",
    "shutdown-timeout",  "connect-timeout",        "socket-timeout",
    "queue-timeout",     "response-socket-timeout"
};

START_TEST(a_time_limit_is_0_to_2147483647_seconds)
{
    ck_assert_int_eq(set(timeouts[_i], "0"), APR_SUCCESS);
    ck_assert_int_eq(set(timeouts[_i], "2147483647"), APR_SUCCESS);
    ck_assert_int_eq(set(timeouts[_i], "2147483648"), ETCL_EINVAL);
    ck_assert_int_eq(set(timeouts[_i], "-1"), ETCL_EINVAL);
    ck_assert_int_eq(set(timeouts[_i], "5s"), ETCL_EINVAL);
}
END_TEST

START_TEST(values_arrive_in_their_fields)
{
    set("processes", "4");
    set("umask", "027");
    set("switch-interval", "0.25");
    set("server-metrics", "On");
    set("python-path", "/a:/b");
    set("memory-limit", "5000000000");
    ck_assert_int_eq(group.options.processes, 4);
    ck_assert_int_eq(group.options.umask, 027);
    ck_assert_double_eq(group.options.switch_interval, 0.25);
    ck_assert_int_eq(group.options.server_metrics, 1);
    ck_assert_str_eq(group.options.python_path, "/a:/b");
    ck_assert_int_eq(group.options.memory_limit, 5000000000);
    ck_assert_int_eq(etcl_group_states(&group, "processes"), 1);
    ck_assert_int_eq(etcl_group_states(&group, "memory-limit"), 1);
    ck_assert_int_eq(etcl_group_states(&group, "threads"), 0);
    ck_assert_int_eq(etcl_group_states(&group, "no-such"), 0);
}
END_TEST

static const struct {
    const char *option;
    const char *value;
    const char *why;
} refusals[] = {
    { "threads", "abc", "threads=abc: must be a whole number from 0 to 65533" },
    { "queue-timeout", "-1",
      "queue-timeout=-1: must be a whole number of seconds from 0 to "
      "2147483647" },
    { "stack-size", "1",
      "stack-size=1: must be 0, or a whole number of bytes from 16384 to "
      "2147483647" },
    { "umask", "9", "umask=9: must be an octal number from 0 to 777" },
    { "home", "x", "home=x: must be an absolute path" },
    { "server-metrics", "x", "server-metrics=x: must be On or Off" },
    { "reload", "x", "reload=x: must be rolling or wait" },
    { "reload-watch", "x",
      "reload-watch=x: must be absolute paths with colons between them" },
    { "rss-limit", "x",
      "rss-limit=x: must be 0, or a whole number of bytes, or of K, M or G "
      "(1024 bytes, and so on), such as 512M" },
    { "switch-interval", "0",
      "switch-interval=0: must be a number above 0 such as 0.005" },
    { "thread", "5",
      "thread=5: there is no such option; the nearest is threads" },
    { "procesess", "5",
      "procesess=5: there is no such option; the nearest is processes" },
    { "homee", "/x", "homee=/x: there is no such option; the nearest is home" },
    { "umsk", "2", "umsk=2: there is no such option; the nearest is umask" },
    { "the-listen-backlog", "5",
      "the-listen-backlog=5: there is no such option; the nearest is "
      "listen-backlog" },
    { "python_path", "/x",
      "python_path=/x: there is no such option; the nearest is python-path" }
};

START_TEST(a_refusal_says_what_would_have_been_right)
{
    const char *why = NULL;

    etcl_group_set(&group, refusals[_i].option, refusals[_i].value, pool, &why);
    ck_assert_str_eq(why, refusals[_i].why);
}
END_TEST

static const struct {
    const char *a[2];
    const char *b[2];
    const char *differs;
} pairs[] = {
    { { NULL }, { NULL }, NULL },
    { { "threads", "5" }, { "threads", "5" }, NULL },
    { { "threads", "5" }, { "threads", "6" }, "threads" },
    { { "threads", "15" }, { NULL }, "threads" },
    { { NULL }, { "home", "/a" }, "home" },
    { { "home", "/a" }, { "home", "/b" }, "home" },
    { { "umask", "022" }, { "umask", "22" }, NULL },
    { { "switch-interval", "0.5" }, { "switch-interval", ".5" }, NULL },
    { { "switch-interval", "0.5" },
      { "switch-interval", "0.6" },
      "switch-interval" }
};

START_TEST(definitions_are_one_when_they_state_the_same)
{
    char copy[16] = "";
    etcl_group_t other;
    const char *why, *differs;

    etcl_group_init(&other, "etcl");
    if (pairs[_i].a[0]) {
        set(pairs[_i].a[0], pairs[_i].a[1]);
    }
    if (pairs[_i].b[0]) {
        strcpy(copy, pairs[_i].b[1]);
        etcl_group_set(&other, pairs[_i].b[0], copy, pool, &why);
    }
    differs = etcl_group_differs(&group, &other);
    if (pairs[_i].differs) {
        ck_assert_str_eq(differs, pairs[_i].differs);
    } else {
        ck_assert_ptr_null(differs);
    }
    ck_assert_ptr_eq(etcl_group_differs(&other, &group), differs);
}
END_TEST

START_TEST(what_the_parent_resolved_makes_no_difference)
{
    etcl_group_t other = group;

    other.uid = 33;
    other.runtime = "/x";
    ck_assert_ptr_null(etcl_group_differs(&group, &other));
}
END_TEST

Suite *suite_group(void)
{
    Suite *suite = suite_create("group");
    TCase *tests = tcase_create("group");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_fresh_group_has_the_values_of_the_table);
    tcase_add_rows(tests, an_option_takes_what_the_table_allows, bounds);
    tcase_add_rows(tests, a_time_limit_is_0_to_2147483647_seconds, timeouts);
    tcase_add_test(tests, values_arrive_in_their_fields);
    tcase_add_rows(tests, a_refusal_says_what_would_have_been_right, refusals);
    tcase_add_rows(tests, definitions_are_one_when_they_state_the_same, pairs);
    tcase_add_test(tests, what_the_parent_resolved_makes_no_difference);
    suite_add_tcase(suite, tests);
    return suite;
}
