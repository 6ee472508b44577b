/* The main program of tests under libcheck, the unit tests and the bridge's
 * alike: APR up, all suites, one status. CK_RUN_SUITE, CK_RUN_CASE and
 * CK_FORK=no are libcheck's own. */

#include "suites.h"

#include <apr_general.h>
#include <stdlib.h>

int main(void)
{
    SRunner *runner = srunner_create(NULL);
    const suite_maker_t *make;
    int failed;

    apr_initialize();
    for (make = suites; *make; make++) {
        srunner_add_suite(runner, (*make)());
    }
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    apr_terminate();
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
