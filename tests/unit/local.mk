# Check programs, one per file under test.
noinst_HEADERS += %D%/fixture.h %D%/session-maker.h %D%/suite.h

if HAVE_CHECK
cli_unit_tests = \
	%D%/cli-folder \
	%D%/cli-leaks \
	%D%/cli-options \
	%D%/cli-resources \
	%D%/cli-session \
	%D%/cli-verdict \
	%D%/elf-cache \
	%D%/elf-dynamic \
	%D%/cli-unloading \
	%D%/elf-image \
	%D%/elf-symbolizer \
	%D%/elf-variable
check_PROGRAMS += $(cli_unit_tests)
TESTS += $(cli_unit_tests)

# A module that the tests load and look at; -rpath makes libtool build it shared.
check_LTLIBRARIES += %D%/fixture.la %D%/fixture-stripped.la
%C%_fixture_la_SOURCES = %D%/fixture.c
%C%_fixture_la_CFLAGS = $(AM_CFLAGS) -g
%C%_fixture_la_LDFLAGS = -module -avoid-version -shared -rpath /nowhere -Wl,--build-id=sha1
%C%_fixture_stripped_la_SOURCES = %D%/fixture.c
%C%_fixture_stripped_la_CFLAGS = $(AM_CFLAGS)
%C%_fixture_stripped_la_LDFLAGS = -module -avoid-version -shared -rpath /nowhere -Wl,-s

cli_unit_cppflags = $(AM_CPPFLAGS) -D_GNU_SOURCE
cli_unit_cflags = $(AM_CFLAGS) $(SAN_CFLAGS) $(CHECK_CFLAGS) $(JSON_CFLAGS)

%C%_cli_folder_SOURCES = %D%/cli-folder.c %D%/session-maker.c
%C%_cli_folder_CPPFLAGS = $(cli_unit_cppflags)
%C%_cli_folder_CFLAGS = $(cli_unit_cflags)
%C%_cli_folder_LDADD = cli/libcli.la $(CHECK_LIBS)

%C%_cli_leaks_SOURCES = %D%/cli-leaks.c %D%/session-maker.c
%C%_cli_leaks_CPPFLAGS = $(cli_unit_cppflags)
%C%_cli_leaks_CFLAGS = $(cli_unit_cflags)
%C%_cli_leaks_LDADD = cli/libcli.la $(JSON_LIBS) $(CHECK_LIBS)

%C%_cli_options_SOURCES = %D%/cli-options.c
%C%_cli_options_CPPFLAGS = $(cli_unit_cppflags)
%C%_cli_options_CFLAGS = $(cli_unit_cflags)
%C%_cli_options_LDADD = cli/libcli.la $(CHECK_LIBS)

%C%_cli_resources_SOURCES = %D%/cli-resources.c %D%/maker-resources.c %D%/session-maker.c
%C%_cli_resources_CPPFLAGS = $(cli_unit_cppflags)
%C%_cli_resources_CFLAGS = $(cli_unit_cflags)
%C%_cli_resources_LDADD = cli/libcli.la $(JSON_LIBS) $(CHECK_LIBS)

%C%_cli_session_SOURCES = %D%/cli-session.c %D%/maker-resources.c %D%/session-maker.c
%C%_cli_session_CPPFLAGS = $(cli_unit_cppflags)
%C%_cli_session_CFLAGS = $(cli_unit_cflags)
%C%_cli_session_LDADD = cli/libcli.la $(CHECK_LIBS)

%C%_cli_verdict_SOURCES = %D%/cli-verdict.c %D%/session-maker.c
%C%_cli_verdict_CPPFLAGS = $(cli_unit_cppflags)
%C%_cli_verdict_CFLAGS = $(cli_unit_cflags)
%C%_cli_verdict_LDADD = cli/libcli.la $(JSON_LIBS) $(CHECK_LIBS)

%C%_elf_cache_SOURCES = %D%/elf-cache.c
%C%_elf_cache_CPPFLAGS = $(cli_unit_cppflags)
%C%_elf_cache_CFLAGS = $(cli_unit_cflags)
%C%_elf_cache_LDADD = elf/libelfread.la $(CHECK_LIBS)

%C%_elf_dynamic_SOURCES = %D%/elf-dynamic.c
%C%_elf_dynamic_CPPFLAGS = $(cli_unit_cppflags)
%C%_elf_dynamic_CFLAGS = $(cli_unit_cflags)
%C%_elf_dynamic_LDADD = elf/libelfread.la $(CHECK_LIBS)

%C%_cli_unloading_SOURCES = %D%/cli-unloading.c %D%/session-maker.c
%C%_cli_unloading_CPPFLAGS = $(cli_unit_cppflags)
%C%_cli_unloading_CFLAGS = $(cli_unit_cflags)
%C%_cli_unloading_LDADD = cli/libcli.la $(JSON_LIBS) $(CHECK_LIBS)

%C%_elf_image_SOURCES = %D%/elf-image.c
%C%_elf_image_CPPFLAGS = $(cli_unit_cppflags)
%C%_elf_image_CFLAGS = $(cli_unit_cflags)
%C%_elf_image_LDADD = elf/libelfread.la $(CHECK_LIBS)

%C%_elf_symbolizer_SOURCES = %D%/elf-symbolizer.c
%C%_elf_symbolizer_CPPFLAGS = $(cli_unit_cppflags)
%C%_elf_symbolizer_CFLAGS = $(cli_unit_cflags)
%C%_elf_symbolizer_LDADD = elf/libelfread.la $(CHECK_LIBS) -ldl

%C%_elf_variable_SOURCES = %D%/elf-variable.c
%C%_elf_variable_CPPFLAGS = $(cli_unit_cppflags)
%C%_elf_variable_CFLAGS = $(cli_unit_cflags)
%C%_elf_variable_LDADD = elf/libelfread.la $(CHECK_LIBS) -ldl
endif

include tests/unit/world.mk
