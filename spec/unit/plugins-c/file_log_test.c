/* SPDX-License-Identifier: Apache-2.0 */
/* file_log_test.c -- lines and descriptors, without a gateway. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins-c/file_log.c"

static void start(struct pdk *kong)
{
    memset(kong, 0, sizeof(*kong));
    assert_int_equal(init_worker(kong, &kong->state), PDK_OK);
}

static void a_line_is_the_record_and_a_line_end(void **state)
{
    (void)state;
    struct pdk kong;
    start(&kong);
    struct files *files = kong.state;
    assert_int_equal(make_line(files, PDK_STR("{}"), false), 3);
    assert_memory_equal(files->line, "{}\n", 3);
    assert_int_equal(make_line(files, PDK_STR("{}"), true), 4);
    assert_memory_equal(files->line, "\n{}\n", 4);
    exit_worker(&kong);
}

static void a_line_may_be_of_any_length(void **state)
{
    (void)state;
    struct pdk kong;
    char *record = malloc(300000);
    memset(record, 'x', 300000);
    start(&kong);
    struct files *files = kong.state;
    for (size_t len = 1; len < 300000; len = len * 2 + 1) {
        assert_int_equal(make_line(files, (struct pdk_str){record, len}, false), len + 1);
        assert_int_equal(files->line[len - 1], 'x');
        assert_int_equal(files->line[len], '\n');
    }
    free(record);
    exit_worker(&kong);
}

static void a_line_that_was_cut_off_is_ended_before_the_next_one(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    struct file file = {.fd = ends[1]};
    size_t len = 2 * 1024 * 1024;
    char *line = malloc(len);
    memset(line, 'x', len);
    assert_false(write_line(&file, line, len)); /* more than a pipe takes */
    assert_int_equal(errno, EAGAIN);
    assert_true(file.is_torn);
    assert_false(write_line(&file, line, len));
    assert_true(file.is_torn);
    while (read(ends[0], line, len) > 0)
        ;
    assert_true(write_line(&file, "\n{}\n", 4));
    assert_false(file.is_torn);
    free(line);
    close(ends[0]);
    close(ends[1]);
}

static void one_path_has_one_descriptor(void **state)
{
    (void)state;
    struct pdk kong;
    start(&kong);
    struct file *file = file_of(kong.state, "/dev/null", 1);
    assert_int_equal(file->fd, -1);
    assert_true(open_file(file));
    assert_ptr_equal(file_of(kong.state, "/dev/null", 2), file);
    assert_true(file_of(kong.state, "/dev/zero", 2) != file);
    exit_worker(&kong);
}

static void the_file_that_rested_longest_makes_room(void **state)
{
    (void)state;
    struct pdk kong;
    char path[32];
    start(&kong);
    struct files *files = kong.state;
    for (int i = 0; i < FILES_MAX; i++) {
        snprintf(path, sizeof(path), "/tmp/%d", i);
        assert_non_null(file_of(files, path, i));
    }
    struct file *first = file_of(files, "/tmp/0", FILES_MAX);
    struct file *added = file_of(files, "/tmp/added", FILES_MAX + 1);
    assert_int_equal(files->count, FILES_MAX);
    assert_ptr_equal(file_of(files, "/tmp/0", FILES_MAX + 2), first);
    assert_ptr_equal(added, &files->of[1]);
    assert_string_equal(added->path, "/tmp/added");
    exit_worker(&kong);
}

static int complaints;

static void count_complaint(const struct pdk *kong, struct pdk_request *req,
                            enum pdk_log_level level, struct pdk_str text)
{
    (void)kong;
    (void)req;
    assert_int_equal(level, PDK_ERR);
    assert_non_null(memmem(text.ptr, text.len, "'/a': full", 10));
    complaints++;
}

static void a_complaint_is_heard_once_a_minute(void **state)
{
    (void)state;
    static const struct pdk_log_api log = {.size = sizeof(log), .write = count_complaint};
    char path[] = "/a";
    struct pdk kong = {.log = &log};
    struct file file = {.path = path};
    for (int64_t now_ms = 1000; now_ms < 121000; now_ms += 1000)
        complain(&kong, NULL, &file, "write to", "full", now_ms);
    assert_int_equal(complaints, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_the_record_and_a_line_end),
        cmocka_unit_test(a_line_may_be_of_any_length),
        cmocka_unit_test(a_line_that_was_cut_off_is_ended_before_the_next_one),
        cmocka_unit_test(one_path_has_one_descriptor),
        cmocka_unit_test(the_file_that_rested_longest_makes_room),
        cmocka_unit_test(a_complaint_is_heard_once_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
