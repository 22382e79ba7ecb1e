/* SPDX-License-Identifier: Apache-2.0 */
/* options_paths_test.c -- where plugins and Lua modules are looked for. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "config/options_paths.h"
#include "config/options_value.h"

static void the_users_folders_come_first(void **state)
{
    (void)state;
    char **dirs = options_paths_plugins("/mine, /yours");
    size_t count = 0;
    assert_string_equal(dirs[0], "/mine");
    assert_string_equal(dirs[1], "/yours");
    while (dirs[count] != NULL)
        count++;
    assert_true(count >= 3);
    assert_non_null(strstr(dirs[count - 1], "/plugins"));
    options_value_list_free(dirs);
    dirs = options_paths_plugins(NULL);
    assert_non_null(dirs[0]);
    assert_int_equal(dirs[0][0], '/');
    options_value_list_free(dirs);
}

static void no_folder_is_searched_twice(void **state)
{
    (void)state;
    char **dirs = options_paths_plugins(NULL);
    for (size_t i = 0; dirs[i] != NULL; i++)
        for (size_t j = i + 1; dirs[j] != NULL; j++)
            assert_string_not_equal(dirs[i], dirs[j]);
    options_value_list_free(dirs);
}

static void the_lua_path_ends_with_the_pdk(void **state)
{
    (void)state;
    const struct {
        const char *user, *start;
    } cases[] = {{"./?.lua", "./?.lua;/"}, {"./?.lua;", "./?.lua;/"}, {"", "/"}, {NULL, "/"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *path = options_paths_lua(cases[i].user, "/pdk");
        assert_memory_equal(path, cases[i].start, strlen(cases[i].start));
        assert_non_null(strstr(path, "/plugins-lua/?.lua;"));
        assert_string_equal(path + strlen(path) - strlen(";/pdk/?.lua;/pdk/?/init.lua"),
                            ";/pdk/?.lua;/pdk/?/init.lua");
        free(path);
    }
    char *dir = options_paths_lua_dir();
    assert_int_equal(dir[0], '/');
    free(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_users_folders_come_first),
        cmocka_unit_test(no_folder_is_searched_twice),
        cmocka_unit_test(the_lua_path_ends_with_the_pdk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
