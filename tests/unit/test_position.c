// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/position.h"

#define MOVES     100000
#define ONE_SIDED 64 /* no key of such moves is as long */

/* A key that owns its bytes. */
struct key {
    char bytes[POSITION_MOST];
    size_t len; /* 0: none */
};

static struct slice of(const struct key *key)
{
    return key->len > 0 ? (struct slice){key->bytes, key->len} : (struct slice){0};
}

static int compare(struct slice a, struct slice b)
{
    const size_t len = a.len < b.len ? a.len : b.len;
    const int order = memcmp(a.ptr, b.ptr, len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Checks all that a key has to be. False: there is none. */
static bool between(const struct key *before, const struct key *after, struct key *made)
{
    char room[POSITION_MOST];
    const struct slice key = position_between(of(before), of(after), room);
    if (!key.ptr)
        return false;
    assert_true(key.len > 0 && key.len <= POSITION_MOST);
    for (size_t i = 0; i < key.len; i++)
        assert_true(key.ptr[i] > ' ' && key.ptr[i] <= '~');
    assert_true(position_is_valid(key));
    assert_true(before->len == 0 || compare(of(before), key) < 0);
    assert_true(after->len == 0 || compare(key, of(after)) < 0);
    made->len = key.len;
    memcpy(made->bytes, key.ptr, key.len);
    return true;
}

static struct key nth(uint32_t index)
{
    struct key key;
    char room[POSITION_MOST];
    const struct slice text = position_nth(index, room);
    key.len = text.len;
    memcpy(key.bytes, text.ptr, text.len);
    return key;
}

static void numbers_are_in_order(void **state)
{
    (void)state;
    struct key before = nth(0);
    for (uint32_t i = 1; i < 300000; i++) {
        const struct key key = nth(i);
        assert_true(compare(of(&before), of(&key)) < 0);
        assert_true(position_is_valid(of(&key)));
        before = key;
    }
    assert_int_equal(nth(23).len, 1);
    assert_int_equal(nth(24).len, 2);
    assert_int_equal(nth(87).len, 2);
    assert_int_equal(nth(88).len, 3);
    assert_int_equal(nth(4183).len, 3);
    assert_int_equal(nth(4184).len, 4);
    assert_int_equal(nth(UINT32_MAX).len, 7);
}

static void one_sided_moves_stay_short(void **state)
{
    const struct key none = {.len = 0};
    struct key first = nth(0);
    struct key last = nth(0);
    struct key after = nth(6);  /* the one that came directly after number 5 */
    struct key before = nth(7); /* and directly before number 8 */
    struct key made;
    const struct key five = nth(5);
    const struct key eight = nth(8);
    (void)state;
    for (unsigned i = 0; i < MOVES; i++) {
        assert_true(between(&none, &first, &made));
        first = made;
        assert_true(between(&last, &none, &made));
        last = made;
        assert_true(between(&five, &after, &made));
        after = made;
        assert_true(between(&before, &eight, &made));
        before = made;
        assert_true(first.len < 6 && last.len < 6);
        assert_true(after.len < 8 && before.len < 8);
    }
    /* The same beside one that is itself inside. */
    struct key inner = after;
    struct key next = five;
    assert_true(between(&five, &after, &inner));
    next = after;
    for (unsigned i = 0; i < MOVES; i++) {
        assert_true(between(&inner, &next, &made));
        next = made;
        assert_true(made.len < ONE_SIDED);
    }
}

/* A small generator, so that a failure can be had again. */
static uint32_t draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (uint32_t)(*state >> 33);
}

#define SIBLINGS 60

static void spread(struct key *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        keys[i] = nth((uint32_t)i);
}

/* Moves the sibling at `from` to the place `to`; its neighbours there are those that the others
 * leave. False: all had to be given new keys. */
static bool move(struct key *keys, size_t count, size_t from, size_t to)
{
    const struct key none = {.len = 0};
    struct key made;
    memmove(&keys[from], &keys[from + 1], (count - from - 1) * sizeof keys[0]);
    const bool fits =
        between(to > 0 ? &keys[to - 1] : &none, to < count - 1 ? &keys[to] : &none, &made);
    memmove(&keys[to + 1], &keys[to], (count - 1 - to) * sizeof keys[0]);
    keys[to] = made;
    if (!fits)
        spread(keys, count);
    return fits;
}

static void any_moves_keep_the_order(void **state)
{
    static struct key keys[SIBLINGS];
    uint64_t seed = 11;
    unsigned spreads = 0;
    (void)state;
    spread(keys, SIBLINGS);
    for (unsigned i = 0; i < MOVES; i++) {
        spreads += !move(keys, SIBLINGS, draw(&seed) % SIBLINGS, draw(&seed) % SIBLINGS);
        for (size_t k = 1; i % 100 == 0 && k < SIBLINGS; k++)
            assert_true(compare(of(&keys[k - 1]), of(&keys[k])) < 0);
    }
    assert_true(spreads < MOVES / 1000);
}

/* Into the gap beside the one moved last, on either side in turn or by chance. */
static void the_smaller_gap_lasts_long(void **state)
{
    uint64_t seed = 12;
    (void)state;
    for (unsigned chance = 0; chance < 2; chance++) {
        struct key low = nth(0);
        struct key high = nth(1);
        unsigned spreads = 0;
        for (unsigned i = 0; i < MOVES; i++) {
            struct key made;
            if (!between(&low, &high, &made)) {
                spreads++;
                low = nth(0);
                high = nth(1);
            } else if (chance ? draw(&seed) % 2 : i % 2) {
                low = made;
            } else {
                high = made;
            }
        }
        assert_true(spreads > 0 && spreads < MOVES / 700);
    }
}

static void damage_has_no_place(void **state)
{
    static const char *const damaged[] = {"", " ", "z", "y000000", "V ", "Vz", "\xff", "-0000000"};
    char room[POSITION_MOST];
    char longest[POSITION_MOST + 1];
    (void)state;
    for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++)
        assert_false(position_is_valid(slice_of(damaged[i])));
    assert_false(position_is_valid((struct slice){0}));
    memset(longest, 'V', sizeof longest);
    assert_true(position_is_valid((struct slice){longest, POSITION_MOST}));
    assert_false(position_is_valid((struct slice){longest, POSITION_MOST + 1}));
    assert_null(
        position_between((struct slice){longest, POSITION_MOST + 1}, (struct slice){0}, room).ptr);
    /* Equal, the wrong way round, or not of this form. */
    assert_null(position_between(SLICE("V"), SLICE("V"), room).ptr);
    assert_null(position_between(SLICE("W"), SLICE("V"), room).ptr);
    assert_null(position_between(SLICE("VV"), SLICE("V"), room).ptr);
    assert_null(position_between(SLICE("z"), SLICE("zz"), room).ptr);
    assert_null(position_between(SLICE(" "), (struct slice){0}, room).ptr);
    assert_null(position_between((struct slice){0}, SLICE(" "), room).ptr);
    assert_null(position_between(SLICE("zzzzzzzzz"), (struct slice){0}, room).ptr);
    assert_null(position_between((struct slice){0}, SLICE("---------"), room).ptr);
    /* Any bytes: nothing is read out of bounds (ASan looks on), and what is answered is in order.
     */
    uint64_t seed = 13;
    for (unsigned i = 0; i < MOVES; i++) {
        struct key a = {.len = draw(&seed) % 12};
        struct key b = {.len = draw(&seed) % 12};
        for (size_t k = 0; k < 12; k++) {
            a.bytes[k] = (char)('-' + draw(&seed) % 80);
            b.bytes[k] = (char)(draw(&seed) % 3 ? a.bytes[k] : (char)('-' + draw(&seed) % 80));
        }
        struct key made;
        if (position_is_valid(of(&a)) && position_is_valid(of(&b)) && compare(of(&a), of(&b)) < 0)
            (void)between(&a, &b, &made);
        (void)position_between(of(&a), of(&b), room);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_in_order),     cmocka_unit_test(one_sided_moves_stay_short),
        cmocka_unit_test(any_moves_keep_the_order), cmocka_unit_test(the_smaller_gap_lasts_long),
        cmocka_unit_test(damage_has_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
