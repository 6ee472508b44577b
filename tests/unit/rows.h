/* A test that runs once for each row of a table; `_i` is the row. */

#ifndef ROWS_H
#define ROWS_H

#include <check.h>

#define tcase_add_rows(tests, test, table)                                     \
    tcase_add_loop_test(tests, test, 0,                                        \
                        (int)(sizeof(table) / sizeof((table)[0])))

#endif
