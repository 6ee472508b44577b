/* What the processes of a group tell their supervisor. */

#ifndef ETCL_NEWS_H
#define ETCL_NEWS_H

#include "etcl_crew.h"
#include "etcl_reload.h"
#include "etcl_rss.h"

/* Whom it concerns; all of it is borrowed. */
typedef struct {
    etcl_crew_t *crew;
    etcl_reload_t *reload;
    etcl_rss_t *rss;
} etcl_news_t;

/** Take what the worker of a slot has said, a bounded amount. */
void etcl_news_worker(const etcl_news_t *news, int slot);

/** The same for a template. One that does not listen any more is of no use,
 *  and is killed. */
void etcl_news_template(const etcl_news_t *news, int place);

#endif
