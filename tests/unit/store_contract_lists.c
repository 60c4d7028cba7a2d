// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#include "store_contract.h"
#include "store_contract_parts.h"
#include "store_fixture.h"

#define TASKS      23
#define TITLE_SIZE 16

/* A row as the tests keep it, and a page as it comes. */
struct row {
    struct uuid id;
    char title[TITLE_SIZE];
    enum task_status status;
    int64_t created_at;
    int64_t updated_at;
};

struct page {
    struct store_task_list op;
    struct row rows[100];
    unsigned count;
    unsigned room; /* rows that the page has room for; 0: any number */
    bool begun;
    bool skip;
};

static struct row row_of(const struct task *task)
{
    struct row row = {
        .id = task->id,
        .status = task->status,
        .created_at = task->created_at,
        .updated_at = task->updated_at,
    };
    assert_true(task->title.len < TITLE_SIZE);
    memcpy(row.title, task->title.ptr, task->title.len);
    return row;
}

static bool on_begin(struct store_task_list *op)
{
    struct page *page = (struct page *)op;
    assert_int_equal(page->count, 0);
    assert_true(op->revision > 0);
    page->begun = true;
    return !page->skip;
}

static bool on_each(struct store_task_list *op, const struct task *row)
{
    struct page *page = (struct page *)op;
    assert_true(page->count < op->limit);
    assert_true(page->room == 0 || page->count < page->room);
    page->rows[page->count++] = row_of(row);
    return page->count < page->room || page->room == 0;
}

static void read_page(struct loop *loop, struct page *page)
{
    page->count = 0;
    page->begun = false;
    page->op.begin = on_begin;
    page->op.each = on_each;
    assert_int_equal(LOOP_CALL(loop, task_list, &page->op), ERROR_NONE);
    assert_true(page->begun);
}

/* Tasks with many equal keys, so that the id has to decide. */
static void make_tasks(struct loop *loop, struct uuid user, struct row rows[TASKS])
{
    static const char *const titles[] = {"b", "a", "B", "\xc3\xa4", "aa", "", "\xf0\x9f\x98\x80"};
    for (int i = 0; i < TASKS; i++) {
        const char *title = titles[i % 7];
        struct task task = make_task(loop, user, title, TEST_NOW + i / 4);
        struct store_task_write op =
            task_write(STORE_TASK_PATCH, user, task.id, TEST_NOW + 100 + i % 5);
        op.change = (struct task_change){.set = TASK_STATUS, .status = (enum task_status)(i % 3)};
        assert_int_equal(LOOP_CALL(loop, task_write, &op), ERROR_NONE);
        rows[i] = row_of(&op.task);
    }
}

static enum store_sort compared_sort;

static int compare_ids(const struct row *a, const struct row *b)
{
    return memcmp(a->id.bytes, b->id.bytes, sizeof a->id.bytes);
}

static int compare_rows(const void *left, const void *right)
{
    const struct row *a = left;
    const struct row *b = right;
    int64_t difference = 0;
    switch (compared_sort) {
    case STORE_SORT_CREATED_AT: difference = a->created_at - b->created_at; break;
    case STORE_SORT_UPDATED_AT: difference = a->updated_at - b->updated_at; break;
    case STORE_SORT_STATUS: difference = (int64_t)a->status - (int64_t)b->status; break;
    default: difference = strcmp(a->title, b->title); break; /* bytes of UTF-8: by code point */
    }
    if (difference != 0)
        return difference < 0 ? -1 : 1;
    return compare_ids(a, b);
}

static struct store_position position_of(const struct row *row, enum store_sort sort)
{
    struct store_position position = {.id = row->id};
    switch (sort) {
    case STORE_SORT_CREATED_AT: position.number = row->created_at; break;
    case STORE_SORT_UPDATED_AT: position.number = row->updated_at; break;
    case STORE_SORT_STATUS: position.number = (int64_t)row->status; break;
    default: position.text = slice_of(row->title); break;
    }
    return position;
}

/* What the pages must give: the rows that fit, in order. */
static unsigned expect(const struct row rows[TASKS], struct row *out, unsigned statuses,
                       enum store_sort sort, bool descending)
{
    unsigned count = 0;
    for (unsigned i = 0; i < TASKS; i++) {
        if (statuses == 0 || (statuses >> rows[i].status & 1))
            out[count++] = rows[i];
    }
    compared_sort = sort;
    qsort(out, count, sizeof *out, compare_rows);
    for (unsigned i = 0; descending && i < count / 2; i++) {
        struct row swapped = out[i];
        out[i] = out[count - 1 - i];
        out[count - 1 - i] = swapped;
    }
    return count;
}

static void walk(struct loop *loop, struct uuid user, const struct row rows[TASKS],
                 unsigned statuses, enum store_sort sort, bool descending, unsigned limit)
{
    struct row expected[TASKS];
    unsigned count = expect(rows, expected, statuses, sort, descending);
    struct page page = {.op = {.user = user,
                               .statuses = statuses,
                               .sort = sort,
                               .descending = descending,
                               .limit = limit}};
    unsigned seen = 0;
    do {
        read_page(loop, &page);
        assert_int_equal(page.op.total, count);
        assert_int_equal(page.count, count - seen < limit ? count - seen : limit);
        for (unsigned i = 0; i < page.count; i++)
            assert_memory_equal(&page.rows[i].id, &expected[seen + i].id, sizeof(struct uuid));
        seen += page.count;
        assert_int_equal(page.op.more, seen < count);
        page.op.after = seen > 0;
        if (seen > 0)
            page.op.position = position_of(&expected[seen - 1], sort);
    } while (page.op.more);
    assert_int_equal(seen, count);
}

static void test_every_order(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid ann = make_user(&loop, "ann");
    struct uuid bob = make_user(&loop, "bob");
    struct row rows[TASKS];
    (void)make_task(&loop, bob, "his", TEST_NOW);
    make_tasks(&loop, ann, rows);
    for (unsigned statuses = 0; statuses < 8; statuses++) {
        for (unsigned sort = 0; sort < STORE_SORT_COUNT; sort++) {
            for (unsigned limit = 1; limit <= 100; limit = limit * 3 + 1) {
                walk(&loop, ann, rows, statuses, (enum store_sort)sort, true, limit);
                walk(&loop, ann, rows, statuses, (enum store_sort)sort, false, limit);
            }
        }
    }
    loop_close(&loop);
}

/* Others write while the pages are walked: what did not change is seen exactly once. */
static void test_walk_while_others_write(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid ann = make_user(&loop, "ann");
    struct row rows[TASKS];
    make_tasks(&loop, ann, rows);
    struct page page = {.op = {.user = ann, .descending = true, .limit = 2}};
    struct uuid seen[100];
    unsigned count = 0;
    do {
        read_page(&loop, &page);
        for (unsigned i = 0; i < page.count; i++)
            seen[count++] = page.rows[i].id;
        page.op.after = true;
        page.op.position = position_of(&page.rows[page.count - 1], STORE_SORT_CREATED_AT);
        (void)make_task(&loop, ann, "new", TEST_NOW + 1000 + count);
        /* The last row of the page goes: the position stays good. */
        struct store_task_write removal =
            task_write(STORE_TASK_DELETE, ann, page.op.position.id, TEST_NOW + 2000);
        assert_int_equal(LOOP_CALL(&loop, task_write, &removal), ERROR_NONE);
    } while (page.op.more);
    assert_int_equal(count, TASKS);
    for (unsigned i = 0; i < TASKS; i++) {
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
    contract_open_loop(state, &loop);
    struct uuid ann = make_user(&loop, "ann");
    struct task first = make_task(&loop, ann, "one", TEST_NOW);
    (void)make_task(&loop, ann, "two", TEST_NOW);
    struct page page = {.op = {.user = ann, .limit = 10}};
    read_page(&loop, &page);
    assert_int_equal(page.op.revision, 2);
    assert_int_equal(page.count, 2);
    assert_false(page.op.more);
    struct store_task_write removal = task_write(STORE_TASK_DELETE, ann, first.id, TEST_NOW);
    assert_int_equal(LOOP_CALL(&loop, task_write, &removal), ERROR_NONE);
    page.skip = true;
    read_page(&loop, &page);
    assert_int_equal(page.op.revision, 3);
    assert_int_equal(page.count, 0);
    assert_false(page.op.more);
    loop_close(&loop);
}

static void test_large_texts(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid ann = make_user(&loop, "ann");
    static char text[65536];
    memset(text, 'x', sizeof text);
    text[0] = 'y';
    for (int i = 0; i < 3; i++) {
        struct store_task_write op =
            task_write(STORE_TASK_CREATE, ann, uuid_make_v7(), TEST_NOW + i);
        op.change.description = (struct slice){text, sizeof text - (size_t)i};
        assert_int_equal(LOOP_CALL(&loop, task_write, &op), ERROR_NONE);
        struct task task;
        assert_int_equal(get_task(&loop, ann, op.id, &task), ERROR_NONE);
        assert_true(slice_eq(task.description, op.change.description));
    }
    struct page page = {.op = {.user = ann, .limit = 2}};
    read_page(&loop, &page);
    assert_int_equal(page.count, 2);
    assert_true(page.op.more);
    loop_close(&loop);
}

/* A page that is full before its limit ends there, and says truly whether there is more. */
static void test_a_page_that_is_full(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid ann = make_user(&loop, "ann");
    struct row rows[TASKS];
    make_tasks(&loop, ann, rows);
    for (unsigned sort = 0; sort < STORE_SORT_COUNT; sort++) {
        struct page page = {.op = {.user = ann, .sort = (enum store_sort)sort, .limit = 100},
                            .room = 5};
        read_page(&loop, &page);
        assert_int_equal(page.count, 5);
        assert_true(page.op.more);
        page.room = TASKS;
        read_page(&loop, &page);
        assert_int_equal(page.count, TASKS);
        assert_false(page.op.more);
        page.room = page.op.limit = TASKS - 1;
        read_page(&loop, &page);
        assert_int_equal(page.count, TASKS - 1);
        assert_true(page.op.more);
    }
    loop_close(&loop);
}

#define MANY 700 /* tasks: more than a loop looks through */

/* The same rows in every order when there are so many that another thread reads them; and a user
 * who asks again and again neither loses an answer nor keeps another one waiting for ever. */
static void test_many_tasks(void **state)
{
    enum { ASKED = 24 };
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid ann = make_user(&loop, "ann");
    struct uuid bob = make_user(&loop, "bob");
    for (unsigned i = 0; i < MANY; i++) {
        struct store_task_write op =
            task_write(STORE_TASK_CREATE, i % 2 ? ann : bob, uuid_make_v7(), TEST_NOW + i);
        op.change.title = SLICE("the same");
        op.change.status = i % 16 < 2 ? TASK_COMPLETED : TASK_PENDING;
        assert_int_equal(LOOP_CALL(&loop, task_write, &op), ERROR_NONE);
        arena_reset(loop.arena);
    }
    struct page *pages = calloc(ASKED, sizeof *pages);
    assert_non_null(pages);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < ASKED; i++) {
            struct page *page = &pages[i];
            *page = (struct page){.op = {.user = i % 8 ? ann : bob,
                                         .sort = (enum store_sort)(i % STORE_SORT_COUNT),
                                         .statuses = i % 3 ? 0 : 1u << TASK_COMPLETED,
                                         .limit = 100,
                                         .begin = on_begin,
                                         .each = on_each}};
            loop_begin(&loop, &page->op.op);
            loop.engine->task_list(&page->op);
        }
        loop_finish(&loop);
        for (unsigned i = 0; i < ASKED; i++) {
            assert_int_equal(pages[i].op.op.result, ERROR_NONE);
            assert_int_equal(pages[i].op.total, i % 3 ? MANY / 2 : (MANY + 15) / 16);
            assert_int_equal(pages[i].count, i % 3 ? 100 : (MANY + 15) / 16);
            assert_int_equal(pages[i].op.more, i % 3 != 0);
        }
    }
    free(pages);
    loop_close(&loop);
}

/* More of one user than may wait are refused at once; the others are answered. A loop that ends
 * while lists are being read waits for none of them. */
static void test_one_user_asks_too_much(void **state)
{
    enum { ASKED = 200 };
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid ann = make_user(&loop, "ann");
    for (unsigned i = 0; i < MANY; i++) {
        (void)make_task(&loop, ann, "one of many", TEST_NOW + i);
        arena_reset(loop.arena);
    }
    struct page *pages = calloc(ASKED, sizeof *pages);
    assert_non_null(pages);
    unsigned refused = 0;
    for (unsigned left = 0; left < 2; left++) {
        for (unsigned i = 0; i < ASKED; i++) {
            pages[i] = (struct page){
                .op = {.user = ann, .sort = STORE_SORT_TITLE, .limit = 10, .each = on_each}};
            loop_begin(&loop, &pages[i].op.op);
            loop.engine->task_list(&pages[i].op);
        }
        if (left == 1)
            break;
        loop_finish(&loop);
        for (unsigned i = 0; i < ASKED; i++) {
            refused += pages[i].op.op.result == ERROR_OVERLOADED;
            assert_int_equal(pages[i].count, pages[i].op.op.result == ERROR_NONE ? 10 : 0);
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
        CONTRACT_TEST(test_walk_while_others_write),
        CONTRACT_TEST(test_revision_and_skip),
        CONTRACT_TEST(test_large_texts),
        CONTRACT_TEST(test_a_page_that_is_full),
        CONTRACT_TEST(test_many_tasks),
        CONTRACT_TEST(test_one_user_asks_too_much),
    };
    return cmocka_run_group_tests_name("store: lists", tests, NULL, NULL);
}
