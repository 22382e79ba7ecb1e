/* SPDX-License-Identifier: Apache-2.0 */
/* chain_test.c -- which configuration of a plugin runs, by scope (reference/admin-api.md section
 * 8). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plugin/chain.h"

static struct plugin_type first = {.name = (char *)(uintptr_t) "first", .phases = 1, .index = 0};
static struct plugin_type second = {.name = (char *)(uintptr_t) "second", .phases = 4, .index = 1};
static struct plugin_type *types[] = {&first, &second};
static const struct plugin_set set = {types, 2};

static struct slice id(bool is_set, const char *text)
{
    return is_set ? slice_of(text) : (struct slice){NULL, 0};
}

/* Scope letters: r route "R", s service "S", c consumer "C"; capitals: another one. */
static struct plugin_config scoped(const struct plugin_type *type, const char *scope)
{
    struct plugin_config config = {.type = type};
    config.route_id = id(strchr(scope, 'r') != NULL, "R");
    config.service_id = id(strchr(scope, 's') != NULL, "S");
    config.consumer_id = id(strchr(scope, 'c') != NULL, "C");
    if (strchr(scope, 'X') != NULL)
        config.route_id = SLICE("another route");
    return config;
}

static void the_most_specific_scope_wins(void **state)
{
    (void)state;
    static const char *const order[] = {"rsc", "rc", "sc", "rs", "c", "r", "s", ""};
    struct plugin_config configs[8];
    const struct plugin_config *list[8];
    for (size_t from = 0; from < 8; from++) {
        size_t count = 0;
        for (size_t i = 8; i-- > from;) { /* given from general to specific */
            configs[count] = scoped(&first, order[i]);
            list[count] = &configs[count];
            count++;
        }
        struct arena arena;
        struct chain chain;
        arena_init(&arena, NULL);
        assert_true(chain_build(&chain, &arena, &set, list, count, SLICE("R"), SLICE("S")));
        assert_int_equal(chain.count, 1);
        assert_ptr_equal(chain_select(&chain.steps[0], SLICE("C")), list[count - 1]);
        arena_clear(&arena);
    }
}

static void a_consumers_row_runs_only_for_that_consumer(void **state)
{
    (void)state;
    struct plugin_config own = scoped(&first, "c"), general = scoped(&first, "");
    const struct plugin_config *list[] = {&general, &own};
    struct arena arena;
    struct chain chain;
    arena_init(&arena, NULL);
    assert_true(chain_build(&chain, &arena, &set, list, 2, SLICE("R"), SLICE("S")));
    assert_ptr_equal(chain_select(&chain.steps[0], SLICE("C")), &own);
    assert_ptr_equal(chain_select(&chain.steps[0], SLICE("D")), &general);
    assert_ptr_equal(chain_select(&chain.steps[0], (struct slice){NULL, 0}), &general);
    arena_clear(&arena);
}

static void rows_of_other_places_are_left_out(void **state)
{
    (void)state;
    struct plugin_config other = scoped(&first, "X"), here = scoped(&second, "s");
    const struct plugin_config *list[] = {&other, &here};
    struct arena arena;
    struct chain chain;
    arena_init(&arena, NULL);
    assert_true(chain_build(&chain, &arena, &set, list, 2, SLICE("R"), SLICE("S")));
    assert_int_equal(chain.count, 1);
    assert_ptr_equal(chain.steps[0].type, &second);
    assert_int_equal(chain.phases, 4);
    assert_true(chain_build(&chain, &arena, &set, list, 2, (struct slice){NULL, 0},
                            (struct slice){NULL, 0}));
    assert_int_equal(chain.count, 0);
    arena_clear(&arena);
}

static void a_plugin_may_ignore_a_dimension(void **state)
{
    (void)state;
    struct plugin_type deaf = {.phases = 1, .flags = PLUGIN_NO_CONSUMER, .index = 0};
    struct plugin_config own = scoped(&deaf, "c"), general = scoped(&deaf, "");
    const struct plugin_config *list[] = {&own, &general};
    struct plugin_type *only[] = {&deaf};
    const struct plugin_set one = {only, 1};
    struct arena arena;
    struct chain chain;
    arena_init(&arena, NULL);
    assert_true(chain_build(&chain, &arena, &one, list, 2, SLICE("R"), SLICE("S")));
    assert_ptr_equal(chain_select(&chain.steps[0], SLICE("C")), &general);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_specific_scope_wins),
        cmocka_unit_test(a_consumers_row_runs_only_for_that_consumer),
        cmocka_unit_test(rows_of_other_places_are_left_out),
        cmocka_unit_test(a_plugin_may_ignore_a_dimension),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
