/* The options of WSGIDaemonProcess: one table from which the struct, the
 * parser, the comparison of two definitions, and the hand-over to the daemon
 * program are made (etcl_group.c). The manual is checked against it.
 *
 * X(field, option, kind, unset, low, high)
 *
 *   kind   TEXT    any text                      const char *
 *          PATH    absolute path                 const char *
 *          FOLDERS absolute paths with colons    const char *
 *          PAGE    a path or URL: etcl_page.h    const char *
 *          LIST    NAME=value, each time one     const char *: etcl_envfile.h
 *          INT     decimal, low..high            apr_int64_t
 *          SECONDS decimal, low..high            apr_int64_t
 *          BYTES   decimal, 0 or low..high       apr_int64_t
 *          SIZE    likewise, with K, M or G      apr_int64_t
 *          OCTAL   octal, low..high              apr_int64_t
 *          FLAG    On or Off                     apr_int64_t
 *          RELOAD  rolling or wait: 0, 1         apr_int64_t
 *          FLOAT   decimal fraction above 0      double
 *   unset  the value when the option is not stated */

#ifndef ETCL_GROUP_OPTIONS_H
#define ETCL_GROUP_OPTIONS_H

#define ETCL_INT_MAX 2147483647
#define ETCL_SIZE_MAX 0x7fffffffffffffff

#define ETCL_GROUP_OPTIONS(X)                                                  \
    X(user, "user", TEXT, NULL, 0, 0)                                          \
    X(group, "group", TEXT, NULL, 0, 0)                                        \
    X(supplementary_groups, "supplementary-groups", TEXT, NULL, 0, 0)          \
    X(umask, "umask", OCTAL, -1, 0, 0777)                                      \
    X(home, "home", PATH, NULL, 0, 0)                                          \
    X(chroot, "chroot", PATH, NULL, 0, 0)                                      \
    X(display_name, "display-name", TEXT, NULL, 0, 0)                          \
    X(lang, "lang", TEXT, NULL, 0, 0)                                          \
    X(locale, "locale", TEXT, NULL, 0, 0)                                      \
    X(env, "env", LIST, NULL, 0, 0)                                            \
    X(environment_file, "environment-file", PATH, NULL, 0, 0)                  \
    X(python_home, "python-home", TEXT, NULL, 0, 0)                            \
    X(python_path, "python-path", TEXT, NULL, 0, 0)                            \
    X(python_eggs, "python-eggs", TEXT, NULL, 0, 0)                            \
    X(switch_interval, "switch-interval", FLOAT, 0, 0, 0)                      \
    X(script_user, "script-user", TEXT, NULL, 0, 0)                            \
    X(script_group, "script-group", TEXT, NULL, 0, 0)                          \
    X(socket_user, "socket-user", TEXT, NULL, 0, 0)                            \
    X(processes, "processes", INT, 1, 1, 512)                                  \
    X(threads, "threads", INT, 15, 0, 65533)                                   \
    X(preload, "preload", FLAG, 0, 0, 1)                                       \
    X(warm_up, "warm-up", PAGE, NULL, 0, 0)                                    \
    X(stack_size, "stack-size", BYTES, 0, 16384, ETCL_INT_MAX)                 \
    X(cpu_priority, "cpu-priority", INT, 0, -20, 20)                           \
    X(cpu_time_limit, "cpu-time-limit", SECONDS, 0, 0, ETCL_INT_MAX)           \
    X(memory_limit, "memory-limit", BYTES, 0, 1, ETCL_SIZE_MAX)                \
    X(virtual_memory_limit, "virtual-memory-limit", BYTES, 0, 1,               \
      ETCL_SIZE_MAX)                                                           \
    X(rss_limit, "rss-limit", SIZE, 0, 1, ETCL_SIZE_MAX)                       \
    X(maximum_requests, "maximum-requests", INT, 0, 0, ETCL_INT_MAX)           \
    X(restart_interval, "restart-interval", SECONDS, 0, 0, ETCL_INT_MAX)       \
    X(reload, "reload", RELOAD, 0, 0, 1)                                       \
    X(reload_watch, "reload-watch", FOLDERS, NULL, 0, 0)                       \
    X(startup_timeout, "startup-timeout", SECONDS, 0, 0, ETCL_INT_MAX)         \
    X(deadlock_timeout, "deadlock-timeout", SECONDS, 300, 0, ETCL_INT_MAX)     \
    X(inactivity_timeout, "inactivity-timeout", SECONDS, 0, 0, ETCL_INT_MAX)   \
    X(request_timeout, "request-timeout", SECONDS, 0, 0, ETCL_INT_MAX)         \
    X(interrupt_timeout, "interrupt-timeout", SECONDS, 0, 0, ETCL_INT_MAX)     \
    X(graceful_timeout, "graceful-timeout", SECONDS, 90, 0, ETCL_INT_MAX)      \
    X(eviction_timeout, "eviction-timeout", SECONDS, 0, 0, ETCL_INT_MAX)       \
    X(shutdown_timeout, "shutdown-timeout", SECONDS, 5, 0, ETCL_INT_MAX)       \
    X(connect_timeout, "connect-timeout", SECONDS, 15, 0, ETCL_INT_MAX)        \
    X(socket_timeout, "socket-timeout", SECONDS, 0, 0, ETCL_INT_MAX)           \
    X(queue_timeout, "queue-timeout", SECONDS, 0, 0, ETCL_INT_MAX)             \
    X(response_socket_timeout, "response-socket-timeout", SECONDS, 0, 0,       \
      ETCL_INT_MAX)                                                            \
    X(listen_backlog, "listen-backlog", INT, 100, 1, 65535)                    \
    X(request_buffering, "request-buffering", FLAG, 1, 0, 1)                   \
    X(send_buffer_size, "send-buffer-size", BYTES, 0, 512, ETCL_INT_MAX)       \
    X(receive_buffer_size, "receive-buffer-size", BYTES, 0, 512, ETCL_INT_MAX) \
    X(header_buffer_size, "header-buffer-size", BYTES, 0, 8192, ETCL_INT_MAX)  \
    X(response_buffer_size, "response-buffer-size", BYTES, 0, 65536,           \
      ETCL_INT_MAX)                                                            \
    X(response_flush_delay, "response-flush-delay", INT, 5, 0, ETCL_INT_MAX)   \
    X(server_metrics, "server-metrics", FLAG, 0, 0, 1)

#endif
