/* SPDX-License-Identifier: MIT */
/* Options are parsed where they may stand, and wrong ones explained. */
#include "cli/options.h"
#include "tests/unit/suite.h"

#include <string.h>

struct values {
	bool flag;
	const char *text;
	struct text_list list;
	long number;
	int choice;
};

static const char *const choices[] = {"red", "green", NULL};

static const struct option table[] = {
	{"flag", 'x', OPTION_FLAG, offsetof(struct values, flag), NULL, "", NULL, 0, 0},
	{"text", 'o', OPTION_TEXT, offsetof(struct values, text), "FILE", "", NULL, 0, 0},
	{"list", 0, OPTION_LIST, offsetof(struct values, list), "GLOB", "", NULL, 0, 0},
	{"number", 0, OPTION_NUMBER, offsetof(struct values, number), "N", "", NULL, 0, 64},
	{"choice", 0, OPTION_CHOICE, offsetof(struct values, choice), "C", "", choices, 0, 0},
	{0},
};

static struct values values;
static struct error error;
static char *argv[16];

static int fill(const char *const *words)
{
	int argc = 0;

	values = (struct values){0};
	error = (struct error){0};
	for (; words[argc]; argc++)
		argv[argc] = (char *)words[argc];
	return argc;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define leading(...) options_leading(table, &values, "run", fill(WORDS(__VA_ARGS__)), argv, &error)
#define anywhere(...)                                                                              \
	options_anywhere(table, &values, "run", fill(WORDS(__VA_ARGS__)), argv, &error)

START_TEST(ends_at_the_first_operand)
{
	ck_assert_int_eq(leading("--flag", "--text=a", "host", "--number=9", "-x"), 2);
	ck_assert(values.flag);
	ck_assert_str_eq(values.text, "a");
	ck_assert_int_eq(values.number, 0);
	ck_assert_int_eq(leading("--flag", "--", "p.so"), 1);
	ck_assert_int_eq(leading("-", "--flag"), 0);
	ck_assert_int_eq(leading("--flag"), 1);
}
END_TEST

START_TEST(takes_all_forms)
{
	ck_assert_int_eq(leading("-o", "a", "h"), 2);
	ck_assert_str_eq(values.text, "a");
	ck_assert_int_eq(leading("-xob", "h"), 1);
	ck_assert_str_eq(values.text, "b");
	ck_assert_int_eq(leading("--text", "--flag", "h"), 2);
	ck_assert_str_eq(values.text, "--flag");
	ck_assert_int_eq(leading("--list=a", "--list", "b=c", "h"), 3);
	ck_assert_uint_eq(values.list.count, 2);
	ck_assert_str_eq(values.list.text[1], "b=c");
	free(values.list.text);
	ck_assert_int_eq(leading("--choice=green", "--number", "64", "h"), 3);
	ck_assert_int_eq(values.choice, 1);
	ck_assert_int_eq(values.number, 64);
}
END_TEST

START_TEST(stand_anywhere)
{
	ck_assert_int_eq(anywhere("a", "--flag", "b", "--", "--text"), 3);
	ck_assert(values.flag);
	ck_assert_str_eq(argv[0], "a");
	ck_assert_str_eq(argv[1], "b");
	ck_assert_str_eq(argv[2], "--text");
}
END_TEST

START_TEST(explains_wrong_ones)
{
	ck_assert_int_eq(leading("--nope=1"), -1);
	ck_assert_str_eq(error.message, "unknown option '--nope'; see relib run --help");
	ck_assert_int_eq(error.status, STATUS_USAGE);
	ck_assert_int_eq(leading("-z"), -1);
	ck_assert_str_eq(error.message, "unknown option '-z'; see relib run --help");
	ck_assert_int_eq(leading("--fla"), -1);
	ck_assert_int_eq(leading("--flag=1"), -1);
	ck_assert_str_eq(error.message, "--flag takes no value");
	ck_assert_int_eq(leading("--text"), -1);
	ck_assert_str_eq(error.message, "--text needs FILE after it; see relib run --help");
	ck_assert_int_eq(leading("--text="), -1);
	ck_assert_str_eq(error.message, "--text: FILE must not be empty");
	ck_assert_int_eq(leading("--number=65"), -1);
	ck_assert_str_eq(error.message, "--number: '65' is not a number from 0 to 64");
	ck_assert_int_eq(leading("--number=1x"), -1);
	ck_assert_int_eq(leading("--number="), -1);
	ck_assert_int_eq(leading("--number=99999999999999999999"), -1);
	ck_assert_int_eq(leading("--choice=blue"), -1);
	ck_assert_str_eq(error.message, "--choice: 'blue' is none of red, green");
}
END_TEST

START_TEST(asks_for_help)
{
	ck_assert_int_eq(leading("--flag", "--help"), OPTIONS_HELP);
	ck_assert_int_eq(leading("-h"), OPTIONS_HELP);
	ck_assert_int_eq(anywhere("a", "--help"), OPTIONS_HELP);
	ck_assert_int_eq(leading("host", "--help"), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cli-options");

	suite_test(suite, ends_at_the_first_operand);
	suite_test(suite, takes_all_forms);
	suite_test(suite, stand_anywhere);
	suite_test(suite, explains_wrong_ones);
	suite_test(suite, asks_for_help);
	return suite_run(suite);
}
