/* SPDX-License-Identifier: MIT */
/* The main() of a Check program that prints TAP. */
#ifndef TESTS_SUITE_H
#define TESTS_SUITE_H

#include <check.h>
#include <stdlib.h>

static inline int suite_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_set_fork_status(runner, CK_NOFORK);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* A test that has setup run before it and teardown after it; a case of its own. */
static inline void suite_add(
	Suite *suite, const char *name, const TTest *test, SFun setup, SFun teardown)
{
	TCase *test_case = tcase_create(name);

	tcase_add_checked_fixture(test_case, setup, teardown);
	tcase_add_test(test_case, test);
	suite_add_tcase(suite, test_case);
}

/* One case per test keeps CK_RUN_CASE=name able to run each alone. */
#define suite_test(suite, name)                                                                    \
	do {                                                                                       \
		TCase *suite_case = tcase_create(#name);                                           \
		tcase_add_test(suite_case, name);                                                  \
		suite_add_tcase(suite, suite_case);                                                \
	} while (0)

#endif
