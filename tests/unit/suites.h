/* The suites of one test program; the build writes the list from the names
 * in its test files. */

#ifndef SUITES_H
#define SUITES_H

#include <check.h>
#include <stddef.h>

typedef Suite *(*suite_maker_t)(void);

extern const suite_maker_t suites[]; /* ended by NULL */

#endif
