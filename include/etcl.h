/* The few words that every layer shares: spans of bytes, status codes and
 * log levels. APR types only; no layer's header is included from here. */

#ifndef ETCL_H
#define ETCL_H

#include <apr.h>
#include <apr_errno.h>
#include <apr_pools.h>

#include <string.h>

#define ETCL_VERSION "0.1.0"

/* Bytes that somebody else owns. Not terminated; `ptr` may be NULL only when
 * `len` is 0. How long a borrow lives is said where a span is handed over. */
typedef struct {
    const char *ptr;
    apr_size_t len;
} etcl_span_t;

#define ETCL_SPAN(literal) ((etcl_span_t){ (literal), sizeof(literal) - 1 })

static inline etcl_span_t etcl_span(const char *text)
{
    return (etcl_span_t){ text, text ? strlen(text) : 0 };
}

static inline int etcl_span_is(etcl_span_t span, const char *text)
{
    return span.len == strlen(text) && !memcmp(span.ptr, text, span.len);
}

/* Our own status codes, beside APR's. */
#define ETCL_STATUS (APR_OS_START_USERERR + 7000)
#define ETCL_EPROTO (ETCL_STATUS + 1)  /* the peer broke the protocol */
#define ETCL_ELIMIT (ETCL_STATUS + 2)  /* above a stated maximum */
#define ETCL_EDENIED (ETCL_STATUS + 3) /* wrong secret or wrong peer */
#define ETCL_EGONE (ETCL_STATUS + 4)   /* the client went away */
#define ETCL_ESHORT (ETCL_STATUS + 5)  /* a body broke off before its end */
#define ETCL_ESTALL (ETCL_STATUS + 6) /* the client sent nothing for too long */
#define ETCL_EFULL (ETCL_STATUS + 7)  /* the queue is full */
#define ETCL_ENONE (ETCL_STATUS + 8)  /* no worker is ready, none starting */
#define ETCL_EREFUSED (ETCL_STATUS + 9) /* not begun: ask another worker */
#define ETCL_EINVAL (ETCL_STATUS + 10)  /* bad value; a message says which */

/* Levels of a log line: the numbers of syslog(3), as httpd uses them. */
typedef enum {
    ETCL_LOG_CRIT = 2,
    ETCL_LOG_ERR = 3,
    ETCL_LOG_WARNING = 4,
    ETCL_LOG_NOTICE = 5,
    ETCL_LOG_INFO = 6,
    ETCL_LOG_DEBUG = 7
} etcl_level_t;

#endif
