/* Workers whose end no signal tells of. */

#include "etcl_crew.h"
#include "etcl_journal.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static etcl_handover_t handover;
static etcl_policy_t policy;
static etcl_crew_t crew;
static int log_fd;

/* One worker that serves in slot 0. */
static void set_up(void)
{
    etcl_group_init(&handover.group, "crew");
    handover.group.options.processes = 1;
    handover.roster = etcl_roster_init(malloc(etcl_roster_size(2)), 2);
    etcl_policy_init(&policy, 2, &handover.group.options);
    etcl_crew_init(&crew, &handover, &policy);
    etcl_policy_forked(&policy, 0, 1);
    etcl_policy_ready(&policy, 0, 0, 1);
    log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    etcl_journal_open(log_fd, ETCL_LOG_DEBUG);
}

static void tear_down(void)
{
    free(handover.roster);
    close(log_fd);
}

static pid_t start(void)
{
    pid_t pid = fork();

    if (!pid) {
        _exit(0);
    }
    ck_assert_int_gt(pid, 0);
    return pid;
}

START_TEST(one_that_has_ended_elsewhere_frees_its_slot)
{
    pid_t pid = start();

    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    crew.member[0].pid = pid;
    etcl_crew_look(&crew, 1);
    ck_assert_int_eq(policy.slot[0].state, ETCL_WORKER_NONE);
    ck_assert_int_eq(crew.member[0].pid, 0);
}
END_TEST

START_TEST(one_that_can_be_waited_for_is_left_to_that)
{
    siginfo_t info;

    crew.member[0].pid = start();
    ck_assert_int_eq(
        waitid(P_PID, (id_t)crew.member[0].pid, &info, WEXITED | WNOWAIT), 0);
    etcl_crew_look(&crew, 1);
    ck_assert_int_eq(policy.slot[0].state, ETCL_WORKER_READY);
    etcl_crew_reap(&crew);
    ck_assert_int_eq(policy.slot[0].state, ETCL_WORKER_NONE);
}
END_TEST

Suite *suite_crew(void)
{
    Suite *suite = suite_create("crew");
    TCase *tests = tcase_create("crew");

    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, one_that_has_ended_elsewhere_frees_its_slot);
    tcase_add_test(tests, one_that_can_be_waited_for_is_left_to_that);
    suite_add_tcase(suite, tests);
    return suite;
}
