// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#include "model/position.h"
#include "store_contract.h"
#include "store_contract_parts.h"
#include "store_fixture.h"

#define ITEMS 23

struct page {
    struct store_item_list op;
    struct fixture_item rows[STORE_LIMIT_MOST]; /* their texts have ended */
    unsigned count;
    unsigned room; /* rows that the page has room for; 0: any number */
    bool begun;
    bool skip;
};

static const struct item *row_of(const struct page *page, unsigned i)
{
    return (const struct item *)(const void *)page->rows[i].bytes;
}

static bool on_begin(struct store_item_list *op)
{
    struct page *page = (struct page *)op;
    assert_int_equal(page->count, 0);
    assert_true(op->revision > 0);
    page->begun = true;
    return !page->skip;
}

static bool on_each(struct store_item_list *op, const void *item)
{
    struct page *page = (struct page *)op;
    assert_true(page->count < op->limit);
    assert_true(page->room == 0 || page->count < page->room);
    memcpy(page->rows[page->count++].bytes, item, op->resource->size);
    return page->count < page->room || page->room == 0;
}

static const struct field *sort_by(const char *name)
{
    return resource_field(fixture_resource, slice_of(name));
}

static struct store_item_list list_of(struct uuid space, const struct field *sort, unsigned limit)
{
    return (struct store_item_list){.resource = fixture_resource,
                                    .space = space,
                                    .orders = {{.field = sort}},
                                    .order_count = 1,
                                    .limit = limit};
}

static void read_page(struct loop *loop, struct page *page)
{
    page->count = 0;
    page->begun = false;
    page->op.begin = on_begin;
    page->op.each = on_each;
    assert_int_equal(LOOP_CALL(loop, item_list, &page->op), ERROR_NONE);
    assert_true(page->begun);
}

/* What the database should hold; the values are those of a sample, but for times and revisions. */
struct row {
    struct uuid id;
    struct fixture_item item;
    char position[POSITION_MOST];
};

/* Texts that the server sets live only as long as what was read. */
static void keep_position(struct row *row)
{
    for (size_t i = 0; i < fixture_resource->count; i++) {
        struct slice *text =
            (struct slice *)(void *)(row->item.bytes + fixture_resource->fields[i].at);
        if (fixture_resource->fields[i].flags & FIELD_POSITION)
            text->ptr = memcpy(row->position, text->ptr, text->len);
    }
}

/* Items with many equal keys, so that the id has to decide. */
static void make_items(struct loop *loop, struct uuid space, struct row rows[ITEMS])
{
    for (unsigned i = 0; i < ITEMS; i++) {
        const struct item made = make_item(loop, space, i, TEST_NOW + i / 4);
        struct write write =
            patch_of(space, made.id, first_member(), i + 1, TEST_NOW + 100 + i % 5);
        assert_int_equal(write_run(loop, &write), ERROR_NONE);
        rows[i].id = made.id;
        memcpy(rows[i].item.bytes, write.op.item, fixture_resource->size);
        keep_position(&rows[i]);
        /* The other texts live only as long as what was read before the change. */
        struct fixture_item sample;
        sample_item(&sample, i);
        (void)resource_apply(fixture_resource, &rows[i].item, &sample,
                             fixture_settable() & ~first_member()->bit);
        sample_item(&sample, i + 1);
        (void)resource_apply(fixture_resource, &rows[i].item, &sample, first_member()->bit);
    }
}

/* Texts are in the order of their bytes. */
static int compare_values(const struct field_value *x, const struct field_value *y, bool number)
{
    if (number)
        return (x->number > y->number) - (x->number < y->number);
    const size_t len = x->bytes.len < y->bytes.len ? x->bytes.len : y->bytes.len;
    const int difference = len > 0 ? memcmp(x->bytes.ptr, y->bytes.ptr, len) : 0;
    return difference != 0 ? difference
                           : (x->bytes.len > y->bytes.len) - (x->bytes.len < y->bytes.len);
}

static const struct store_order *compared;

/* Null comes last in both directions. */
static int compare_rows(const void *left, const void *right)
{
    const struct row *a = left;
    const struct row *b = right;
    const struct field_value x = field_get(compared->field, &a->item);
    const struct field_value y = field_get(compared->field, &b->item);
    if (x.null != y.null)
        return x.null ? 1 : -1;
    int difference = x.null ? 0 : compare_values(&x, &y, field_is_number(compared->field->type));
    if (difference == 0)
        difference = memcmp(a->id.bytes, b->id.bytes, sizeof a->id.bytes);
    return compared->descending ? -difference : difference;
}

static bool fits(const struct row *row, const struct store_term *term)
{
    const struct field_value value = field_get(term->field, &row->item);
    if (term->field->type == FIELD_CHOICE || term->field->type == FIELD_BOOL)
        return !value.null && (term->choices >> value.number & 1) != 0;
    return field_value_eq(term->field, &value, &term->value);
}

/* What the pages must give: the rows that fit, in order. */
static unsigned expect(const struct row rows[ITEMS], const struct store_item_list *op,
                       struct row out[ITEMS])
{
    unsigned count = 0;
    for (unsigned i = 0; i < ITEMS; i++) {
        bool all = true;
        for (unsigned k = 0; k < op->term_count; k++)
            all = all && fits(&rows[i], &op->terms[k]);
        if (all)
            out[count++] = rows[i];
    }
    compared = &op->orders[0];
    qsort(out, count, sizeof *out, compare_rows);
    return count;
}

static void walk(struct loop *loop, const struct row rows[ITEMS], const struct store_item_list *op)
{
    static struct row expected[ITEMS];
    static struct page page;
    const unsigned count = expect(rows, op, expected);
    unsigned seen = 0;
    page = (struct page){.op = *op};
    do {
        read_page(loop, &page);
        if (op->with_total)
            assert_int_equal(page.op.total, count);
        assert_int_equal(page.count, count - seen < op->limit ? count - seen : op->limit);
        for (unsigned i = 0; i < page.count; i++)
            assert_memory_equal(&row_of(&page, i)->id, &expected[seen + i].id, sizeof(struct uuid));
        seen += page.count;
        assert_int_equal(page.op.more, seen < count);
        page.op.after = seen > 0;
        if (seen > 0)
            page.op.position = (struct store_position){
                .keys = {field_get(op->orders[0].field, &expected[seen - 1].item)},
                .id = expected[seen - 1].id};
    } while (page.op.more);
    assert_int_equal(seen, count);
    arena_reset(loop->arena);
}

/* By every member, both ways, in pages of several sizes. */
static void walk_all(struct loop *loop, const struct row rows[ITEMS], struct store_item_list op)
{
    for (size_t i = 0; i < fixture_resource->count; i++) {
        op.orders[0].field = &fixture_resource->fields[i];
        for (op.limit = 1; op.orders[0].field->flags & FIELD_SORTABLE && op.limit <= 100;
             op.limit *= 6) {
            op.orders[0].descending = true;
            op.with_total = op.limit > 1;
            walk(loop, rows, &op);
            op.orders[0].descending = false;
            walk(loop, rows, &op);
        }
    }
}

/* Each value that the samples have of a member, as a term. Returns how many. */
static unsigned terms_of(const struct row rows[ITEMS], const struct field *field,
                         struct store_term terms[ITEMS])
{
    unsigned count = 0;
    if (field->type == FIELD_CHOICE || field->type == FIELD_BOOL) {
        const unsigned choices = field->type == FIELD_BOOL ? 2 : field->choice_count;
        for (uint64_t mask = 1; mask < (UINT64_C(1) << choices) - 1 && count < ITEMS; mask++)
            terms[count++] = (struct store_term){.field = field, .choices = mask};
        return count;
    }
    for (unsigned i = 0; i < 3; i++)
        terms[count++] =
            (struct store_term){.field = field, .value = field_get(field, &rows[i].item)};
    return count;
}

static void test_every_order(void **state)
{
    struct loop loop;
    static struct row rows[ITEMS];
    struct store_term terms[ITEMS];
    struct uuid ann = contract_open_with_user(state, &loop);
    struct uuid bob = make_user(&loop, "bob");
    (void)make_item(&loop, bob, 0, TEST_NOW);
    make_items(&loop, ann, rows);
    struct store_item_list op = list_of(ann, NULL, 1);
    walk_all(&loop, rows, op);
    for (size_t i = 0; i < fixture_resource->count; i++) {
        const struct field *field = &fixture_resource->fields[i];
        const unsigned count = field->flags & FIELD_FILTERABLE ? terms_of(rows, field, terms) : 0;
        for (unsigned k = 0; k < count; k++) {
            op.term_count = 1;
            op.terms[0] = terms[k];
            walk_all(&loop, rows, op);
        }
    }
    loop_close(&loop);
}

/* Terms of several members hold together; more shapes than an engine keeps statements of. */
static void test_several_terms(void **state)
{
    struct loop loop;
    static struct row rows[ITEMS];
    struct store_term terms[ITEMS];
    struct uuid ann = contract_open_with_user(state, &loop);
    make_items(&loop, ann, rows);
    for (unsigned from = 0; from < fixture_resource->count; from++) {
        struct store_item_list op = list_of(ann, NULL, 1);
        for (size_t i = from; i < fixture_resource->count; i++) {
            const struct field *field = &fixture_resource->fields[i];
            if (!(field->flags & FIELD_FILTERABLE) || op.term_count == STORE_TERMS_MOST)
                continue;
            op.terms[op.term_count++] = terms[terms_of(rows, field, terms) - 1];
            walk_all(&loop, rows, op);
        }
    }
    loop_close(&loop);
}

/* Others write while the pages are walked: what did not change is seen exactly once. */
static void test_walk_while_others_write(void **state)
{
    struct loop loop;
    static struct row rows[ITEMS];
    static struct page page;
    struct uuid ann = contract_open_with_user(state, &loop);
    make_items(&loop, ann, rows);
    page = (struct page){.op = list_of(ann, sort_by("created_at"), 2)};
    page.op.orders[0].descending = true;
    struct uuid seen[100];
    unsigned count = 0;
    do {
        read_page(&loop, &page);
        for (unsigned i = 0; i < page.count; i++)
            seen[count++] = row_of(&page, i)->id;
        const struct item *last = row_of(&page, page.count - 1);
        page.op.after = true;
        page.op.position = (struct store_position){
            .keys = {field_get(page.op.orders[0].field, last)}, .id = last->id};
        (void)make_item(&loop, ann, 0, TEST_NOW + 1000 + count);
        /* The last row of the page goes: the position stays good. */
        struct write removal = write_of(STORE_DELETE, ann, last->id, TEST_NOW + 2000);
        assert_int_equal(write_run(&loop, &removal), ERROR_NONE);
    } while (page.op.more);
    assert_int_equal(count, ITEMS);
    for (unsigned i = 0; i < ITEMS; i++) {
        unsigned times = 0;
        for (unsigned k = 0; k < count; k++)
            times += uuid_eq(seen[k], rows[i].id);
        assert_int_equal(times, 1);
    }
    loop_close(&loop);
}

static void test_revision_and_skip(void **state)
{
    struct loop loop;
    static struct page page;
    struct uuid ann = contract_open_with_user(state, &loop);
    const struct item first = make_item(&loop, ann, 0, TEST_NOW);
    (void)make_item(&loop, ann, 1, TEST_NOW);
    page = (struct page){.op = list_of(ann, sort_by("created_at"), 10)};
    read_page(&loop, &page);
    assert_int_equal(page.op.revision, 2);
    assert_int_equal(page.count, 2);
    assert_false(page.op.more);
    struct write removal = write_of(STORE_DELETE, ann, first.id, TEST_NOW);
    assert_int_equal(write_run(&loop, &removal), ERROR_NONE);
    page.skip = true;
    read_page(&loop, &page);
    assert_int_equal(page.op.revision, 3);
    assert_int_equal(page.count, 0);
    assert_false(page.op.more);
    loop_close(&loop);
}

/* What a loop knew of a space, it asks anew once anybody was told of a change, of this space or
 * another; and a page that is read then has the rows of its revision. */
static void test_revision_after_others_wrote(void **state)
{
    const struct contract_state *contract = *state;
    struct loop loop;
    struct loop other;
    struct uuid ann = contract_open_with_user(state, &loop);
    loop_open(&other, contract->contract->engine, contract->store);
    struct uuid bob = make_user(&other, "bob");
    struct page page = {.op = list_of(ann, sort_by("created_at"), 100), .skip = true};
    for (unsigned i = 1; i <= 20; i++) {
        const struct item made = make_item(&other, ann, i, TEST_NOW + i);
        for (unsigned again = 0; again < 4; again++) {
            page.skip = again != 2;
            read_page(&loop, &page);
            assert_int_equal(page.op.revision, made.revision);
            assert_int_equal(page.count, page.skip ? 0 : i);
            if (again == 1)
                (void)make_item(&other, bob, i, TEST_NOW + i);
            arena_reset(loop.arena);
        }
        arena_reset(other.arena);
    }
    loop_close(&other);
    loop_close(&loop);
}

static void test_large_texts(void **state)
{
    struct loop loop;
    static char text[65536];
    static struct page page;
    struct uuid ann = contract_open_with_user(state, &loop);
    memset(text, 'x', sizeof text);
    text[0] = 'y';
    for (int i = 0; i < 3; i++) {
        const void *item = NULL;
        struct write write = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW + i);
        struct field_value value = {.bytes = {text, sizeof text - (size_t)i}};
        assert_true(field_set(long_text(), &write.values, &value));
        assert_int_equal(write_run(&loop, &write), ERROR_NONE);
        assert_int_equal(get_item(&loop, ann, write.op.id, &item), ERROR_NONE);
        assert_true(slice_eq(field_get(long_text(), item).bytes, value.bytes));
    }
    page = (struct page){.op = list_of(ann, sort_by("created_at"), 2)};
    read_page(&loop, &page);
    assert_int_equal(page.count, 2);
    assert_true(page.op.more);
    loop_close(&loop);
}

/* A page that is full before its limit ends there, and says truly whether there is more. */
static void test_a_page_that_is_full(void **state)
{
    struct loop loop;
    static struct row rows[ITEMS];
    static struct page page;
    struct uuid ann = contract_open_with_user(state, &loop);
    make_items(&loop, ann, rows);
    for (size_t i = 0; i < fixture_resource->count; i++) {
        if (!(fixture_resource->fields[i].flags & FIELD_SORTABLE))
            continue;
        page = (struct page){.op = list_of(ann, &fixture_resource->fields[i], 100), .room = 5};
        read_page(&loop, &page);
        assert_int_equal(page.count, 5);
        assert_true(page.op.more);
        page.room = ITEMS;
        read_page(&loop, &page);
        assert_int_equal(page.count, ITEMS);
        assert_false(page.op.more);
        page.room = page.op.limit = ITEMS - 1;
        read_page(&loop, &page);
        assert_int_equal(page.count, ITEMS - 1);
        assert_true(page.op.more);
    }
    loop_close(&loop);
}

#define MANY 700 /* items: more than a loop looks through */

/* A term that some of the samples fit; 0 and 1 differ in every member. */
static bool some_term(struct store_term *term)
{
    struct fixture_item sample;
    sample_item(&sample, 1);
    for (size_t i = 0; i < fixture_resource->count; i++) {
        const struct field *field = &fixture_resource->fields[i];
        if (!(field->flags & FIELD_FILTERABLE))
            continue;
        *term = (struct store_term){.field = field, .value = field_get(field, &sample)};
        term->choices = UINT64_C(1) << (field_is_number(field->type) ? term->value.number & 63 : 0);
        return true;
    }
    return false;
}

/* The same rows in every order when there are so many that another thread reads them; and a user
 * who asks again and again neither loses an answer nor keeps another one waiting for ever. */
static void test_many_items(void **state)
{
    enum { ASKED = 24 };
    struct loop loop;
    struct uuid ann = contract_open_with_user(state, &loop);
    struct uuid bob = make_user(&loop, "bob");
    for (unsigned i = 0; i < MANY; i++) {
        struct write write =
            write_of(STORE_CREATE, i % 2 ? ann : bob, uuid_make_v7(), TEST_NOW + i);
        sample_item(&write.values, i % 16 < 2);
        assert_int_equal(write_run(&loop, &write), ERROR_NONE);
        arena_reset(loop.arena);
    }
    struct page *pages = calloc(ASKED, sizeof *pages);
    assert_non_null(pages);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < ASKED; i++) {
            struct page *page = &pages[i];
            const struct field *sort = sort_by(i % 2 ? "updated_at" : "created_at");
            *page = (struct page){.op = list_of(i % 8 ? ann : bob, sort, 100)};
            page->op.term_count = i % 3 == 0 && some_term(&page->op.terms[0]);
            page->op.with_total = true;
            page->op.begin = on_begin;
            page->op.each = on_each;
            loop_begin(&loop, &page->op.op);
            loop.engine->item_list(&page->op);
        }
        loop_finish(&loop);
        for (unsigned i = 0; i < ASKED; i++) {
            const bool some = pages[i].op.term_count > 0;
            assert_int_equal(pages[i].op.op.result, ERROR_NONE);
            assert_int_equal(pages[i].op.total, some ? (MANY + 15) / 16 : MANY / 2);
            assert_int_equal(pages[i].count, some ? (MANY + 15) / 16 : 100);
            assert_int_equal(pages[i].op.more, !some);
        }
    }
    free(pages);
    loop_close(&loop);
}

/* Many clients of one user that ask for the same page are all answered, from the same rows; who
 * asks for another page in between gets that one. An engine behind a network refuses some sooner.
 */
static void test_many_ask_for_the_same(void **state)
{
    const struct contract_state *contract = *state;
    const unsigned asked = contract->contract->engine->shared ? 24 : 60;
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid ann = make_user(&loop, "ann");
    for (unsigned i = 0; i < MANY; i++) {
        (void)make_item(&loop, ann, i, TEST_NOW + i);
        arena_reset(loop.arena);
    }
    struct page *pages = calloc(asked, sizeof *pages);
    assert_non_null(pages);
    struct page *last = NULL; /* of each kind: the one before */
    for (unsigned i = 0; i < asked; i++) {
        pages[i] = (struct page){.op = list_of(ann, sort_by("updated_at"), i % 10 == 9 ? 5 : 10)};
        pages[i].op.orders[0].descending = i % 10 == 8;
        pages[i].op.each = on_each;
        loop_begin(&loop, &pages[i].op.op);
        loop.engine->item_list(&pages[i].op);
    }
    loop_finish(&loop);
    for (unsigned i = 0; i < asked; i++) {
        assert_int_equal(pages[i].op.op.result, ERROR_NONE);
        assert_int_equal(pages[i].count, pages[i].op.limit);
        assert_true(pages[i].op.more);
        const bool down = pages[i].op.orders[0].descending;
        const struct item *first = row_of(&pages[i], 0);
        assert_int_equal(first->updated_at, down ? TEST_NOW + MANY - 1 : TEST_NOW);
        if (i % 10 < 8) {
            assert_true(!last || uuid_eq(row_of(last, 9)->id, row_of(&pages[i], 9)->id));
            last = &pages[i];
        }
    }
    loop_close(&loop);
    free(pages);
}

/* More of one user than may wait are refused at once; the others are answered. A loop that ends
 * while lists are being read waits for none of them. */
static void test_one_user_asks_too_much(void **state)
{
    enum { ASKED = 200 };
    struct loop loop;
    struct uuid ann = contract_open_with_user(state, &loop);
    for (unsigned i = 0; i < MANY; i++) {
        (void)make_item(&loop, ann, i, TEST_NOW + i);
        arena_reset(loop.arena);
    }
    struct page *pages = calloc(ASKED, sizeof *pages);
    assert_non_null(pages);
    unsigned refused = 0;
    for (unsigned left = 0; left < 2; left++) {
        for (unsigned i = 0; i < ASKED; i++) {
            pages[i] = (struct page){.op = list_of(ann, sort_by("updated_at"), 1 + i / 2)};
            pages[i].op.orders[0].descending = i % 2; /* no two ask for the same */
            pages[i].op.each = on_each;
            loop_begin(&loop, &pages[i].op.op);
            loop.engine->item_list(&pages[i].op);
        }
        if (left == 1)
            break;
        loop_finish(&loop);
        for (unsigned i = 0; i < ASKED; i++) {
            refused += pages[i].op.op.result == ERROR_OVERLOADED;
            assert_int_equal(pages[i].count, pages[i].op.op.result == ERROR_NONE ? 1 + i / 2 : 0);
        }
        assert_in_range(refused, 1, ASKED - 16);
    }
    loop_close(&loop);
    free(pages);
}

int store_contract_lists(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(test_every_order),
        CONTRACT_TEST(test_several_terms),
        CONTRACT_TEST(test_walk_while_others_write),
        CONTRACT_TEST(test_revision_and_skip),
        CONTRACT_TEST(test_revision_after_others_wrote),
        CONTRACT_TEST(test_large_texts),
        CONTRACT_TEST(test_a_page_that_is_full),
        CONTRACT_TEST(test_many_items),
        CONTRACT_TEST(test_many_ask_for_the_same),
        CONTRACT_TEST(test_one_user_asks_too_much),
    };
    return cmocka_run_group_tests_name("store: lists", tests, NULL, NULL);
}
