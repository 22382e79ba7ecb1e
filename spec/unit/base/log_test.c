/* SPDX-License-Identifier: Apache-2.0 */
/* log_test.c -- levels, forged lines, reopening. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

struct place {
    char dir[64];
    char path[96];
    char moved[96];
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    snprintf(place->dir, sizeof(place->dir), "/tmp/sluice-log-XXXXXX");
    if (mkdtemp(place->dir) == NULL)
        return -1;
    snprintf(place->path, sizeof(place->path), "%s/a.log", place->dir);
    snprintf(place->moved, sizeof(place->moved), "%s/b.log", place->dir);
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;
    unlink(place->path);
    unlink(place->moved);
    rmdir(place->dir);
    free(place);
    return 0;
}

static void read_file(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t n = fread(out, 1, size - 1, file);
    out[n] = '\0';
    fclose(file);
}

static void lines_below_the_level_are_not_written(void **state)
{
    struct place *place = *state;
    char text[1024];
    struct log *log = log_create(place->path, LOG_LEVEL_WARN);
    log_write(log, LOG_LEVEL_NOTICE, "quiet");
    log_write(log, LOG_LEVEL_ERROR, "loud");
    log_level_set(log, LOG_LEVEL_DEBUG);
    log_write(log, LOG_LEVEL_DEBUG, "now too");
    read_file(place->path, text, sizeof(text));
    assert_null(strstr(text, "quiet"));
    assert_non_null(strstr(text, "[error] "));
    assert_non_null(strstr(text, "now too\n"));
    log_destroy(log);
}

static void a_newline_in_the_text_cannot_forge_a_line(void **state)
{
    struct place *place = *state;
    char text[1024];
    struct log *log = log_create(place->path, LOG_LEVEL_DEBUG);
    log_write(log, LOG_LEVEL_ERROR, "a\nb\x1b[31m");
    read_file(place->path, text, sizeof(text));
    assert_non_null(strstr(text, "a\\x0ab\\x1b[31m\n"));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    log_destroy(log);
}

static void a_long_line_is_cut_not_lost(void **state)
{
    struct place *place = *state;
    static char text[2 * LOG_LINE_BYTES], long_text[2 * LOG_LINE_BYTES];
    memset(long_text, 'x', sizeof(long_text) - 1);
    struct log *log = log_create(place->path, LOG_LEVEL_DEBUG);
    log_write(log, LOG_LEVEL_ERROR, "%s", long_text);
    read_file(place->path, text, sizeof(text));
    assert_int_equal(strlen(text), LOG_LINE_BYTES - 1);
    assert_int_equal(text[strlen(text) - 1], '\n');
    log_destroy(log);
}

static void reopening_follows_a_rename(void **state)
{
    struct place *place = *state;
    char text[1024];
    struct log *log = log_create(place->path, LOG_LEVEL_DEBUG);
    log_raw(log, SLICE("one\n"));
    assert_int_equal(rename(place->path, place->moved), 0);
    log_raw(log, SLICE("two\n"));
    assert_true(log_reopen(log));
    log_raw(log, SLICE("three\n"));
    read_file(place->moved, text, sizeof(text));
    assert_string_equal(text, "one\ntwo\n");
    read_file(place->path, text, sizeof(text));
    assert_string_equal(text, "three\n");
    log_destroy(log);
}

static void off_writes_nothing_and_a_bad_path_is_an_error(void **state)
{
    (void)state;
    struct log *log = log_create("off", LOG_LEVEL_DEBUG);
    assert_non_null(log);
    assert_false(log_is_on(log));
    log_write(log, LOG_LEVEL_EMERG, "nowhere");
    log_destroy(log);
    assert_null(log_create("/nonexistent-folder/x.log", LOG_LEVEL_DEBUG));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_below_the_level_are_not_written, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(a_newline_in_the_text_cannot_forge_a_line, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(a_long_line_is_cut_not_lost, make_place, remove_place),
        cmocka_unit_test_setup_teardown(reopening_follows_a_rename, make_place, remove_place),
        cmocka_unit_test(off_writes_nothing_and_a_bad_path_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
