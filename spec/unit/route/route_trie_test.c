/* SPDX-License-Identifier: Apache-2.0 */
/* route_trie_test.c -- tries of prefixes, compared with trying every key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/arena.h"
#include "route/route_trie.h"

struct opened {
    struct arena arena;
    struct route_trie trie;
};

static void open_trie(struct opened *opened, uint32_t trie_count, struct route_trie_key *keys,
                      size_t count)
{
    arena_init(&opened->arena, NULL);
    assert_true(route_trie_init(&opened->trie, &opened->arena, trie_count, keys, count));
}

static void an_empty_trie_finds_nothing(void **state)
{
    (void)state;
    struct opened opened;
    open_trie(&opened, 2, NULL, 0);
    assert_null(route_trie_find(&opened.trie, 0, SLICE("/")));
    assert_null(route_trie_find(&opened.trie, 1, SLICE("")));
    arena_clear(&opened.arena);
}

static void a_key_is_found_in_its_own_trie_only(void **state)
{
    (void)state;
    struct route_trie_key keys[] = {{1, SLICE("/a"), {.rank = 3}}, {0, SLICE("/b"), {.rank = 4}}};
    struct opened opened;
    open_trie(&opened, 2, keys, 2);
    assert_null(route_trie_find(&opened.trie, 0, SLICE("/a")));
    assert_int_equal(route_trie_find(&opened.trie, 1, SLICE("/ab"))->places[0].rank, 3);
    arena_clear(&opened.arena);
}

static void all_byte_values_are_told_apart(void **state)
{
    (void)state;
    char bytes[256];
    struct route_trie_key keys[256];
    for (size_t i = 0; i < 256; i++) {
        bytes[i] = (char)i;
        keys[i] = (struct route_trie_key){0, slice_make(&bytes[i], 1), {.rank = (uint32_t)i}};
    }
    struct opened opened;
    open_trie(&opened, 1, keys, 256);
    for (size_t i = 0; i < 256; i++) {
        char byte = (char)i;
        assert_int_equal(route_trie_find(&opened.trie, 0, slice_make(&byte, 1))->places[0].rank, i);
    }
    arena_clear(&opened.arena);
}

/* Keys that are each a prefix of the next one make the deepest trie. */
static void a_deep_trie_needs_no_stack(void **state)
{
    (void)state;
    enum { DEPTH = 20000 };
    char *text = malloc(DEPTH);
    struct route_trie_key *keys = calloc(DEPTH, sizeof(*keys));
    assert_non_null(text);
    assert_non_null(keys);
    memset(text, 'a', DEPTH);
    for (uint32_t i = 0; i < DEPTH; i++)
        keys[i] = (struct route_trie_key){0, slice_make(text, i + 1), {.rank = i}};
    struct opened opened;
    open_trie(&opened, 1, keys, DEPTH);
    const struct route_trie_node *node = route_trie_find(&opened.trie, 0, slice_make(text, DEPTH));
    for (uint32_t i = DEPTH; i > 0; i--, node = node->up) {
        assert_int_equal(node->places[0].rank, i - 1);
        assert_int_equal(node->best, 0);
    }
    assert_null(node);
    arena_clear(&opened.arena);
    free(keys);
    free(text);
}

static uint32_t next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

static struct slice random_text(uint64_t *seed, char *out, uint32_t most)
{
    uint32_t len = next_random(seed) % (most + 1);
    for (uint32_t i = 0; i < len; i++)
        out[i] = (char)('a' + next_random(seed) % 3);
    return slice_make(out, len);
}

enum { KEYS = 40, LENGTH = 6 };

/* Ranks of all keys that `text` begins with, as bits; each node's best must be the lowest. */
static uint64_t walk(const struct route_trie_node *node)
{
    uint64_t ranks = 0;
    uint32_t best = UINT32_MAX;
    const struct route_trie_node *chain[LENGTH + 2];
    size_t depth = 0;
    for (; node != NULL; node = node->up)
        chain[depth++] = node;
    while (depth-- > 0) {
        node = chain[depth];
        assert_true(node->place_count > 0);
        for (uint32_t i = 0; i < node->place_count; i++) {
            ranks |= UINT64_C(1) << node->places[i].rank;
            assert_true(i == 0 || node->places[i - 1].rank < node->places[i].rank);
        }
        best = node->places[0].rank < best ? node->places[0].rank : best;
        assert_int_equal(node->best, best);
    }
    return ranks;
}

static void a_walk_finds_every_prefix_and_nothing_else(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int round = 0; round < 300; round++) {
        char bytes[KEYS][LENGTH], text[LENGTH + 2];
        struct route_trie_key keys[KEYS], sorted[KEYS];
        for (uint32_t i = 0; i < KEYS; i++)
            keys[i] = (struct route_trie_key){
                next_random(&seed) % 2, random_text(&seed, bytes[i], LENGTH), {.rank = i}};
        memcpy(sorted, keys, sizeof(keys));
        struct opened opened;
        open_trie(&opened, 2, sorted, KEYS);
        for (int i = 0; i < 50; i++) {
            struct slice asked = random_text(&seed, text, sizeof(text));
            for (uint32_t root = 0; root < 2; root++) {
                uint64_t expected = 0;
                for (uint32_t k = 0; k < KEYS; k++)
                    if (keys[k].trie == root && slice_starts_with(asked, keys[k].text))
                        expected |= UINT64_C(1) << k;
                assert_true(walk(route_trie_find(&opened.trie, root, asked)) == expected);
            }
        }
        arena_clear(&opened.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_trie_finds_nothing),
        cmocka_unit_test(a_key_is_found_in_its_own_trie_only),
        cmocka_unit_test(all_byte_values_are_told_apart),
        cmocka_unit_test(a_deep_trie_needs_no_stack),
        cmocka_unit_test(a_walk_finds_every_prefix_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
