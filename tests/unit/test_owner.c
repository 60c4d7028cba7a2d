// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owner.h"

#define BOX_MAGIC 0x5a0c9e31u

struct part {
    int number;
};

struct box {
    unsigned magic; /* BOX_MAGIC */
    char name[3];
    struct part first;
    struct part second;
};

static void finds_the_owner(void **state)
{
    struct box box = {.second.number = 7};
    void *any = &box;

    (void)state;
    OWNER_SET(&box, BOX_MAGIC);
    assert_ptr_equal(OWNER_OF(&box.first, struct box, first, BOX_MAGIC), &box);
    assert_ptr_equal(OWNER_OF(&box.second, struct box, second, BOX_MAGIC), &box);
    assert_ptr_equal(OWNER_CAST(any, struct box, BOX_MAGIC), &box);
    assert_true(OWNER_IS(&box, BOX_MAGIC));
    OWNER_END(&box);
    assert_false(OWNER_IS(&box, BOX_MAGIC));
    assert_false(OWNER_IS((struct box *)NULL, BOX_MAGIC));
}

/* The signal that ends a child which casts; 0: it does not end so. */
static int signal_of_cast(struct part *part)
{
    const pid_t child = fork();
    int status = 0;

    assert_true(child >= 0);
    if (child == 0) {
        const struct rlimit none = {0, 0};
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)signal(SIGABRT, SIG_DFL);
        (void)close(STDERR_FILENO);
        _exit(OWNER_OF(part, struct box, first, BOX_MAGIC) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void stops_at_what_is_none(void **state)
{
    struct box box = {0};

    (void)state;
    OWNER_SET(&box, BOX_MAGIC);
    assert_int_equal(signal_of_cast(&box.first), 0);
    assert_int_equal(signal_of_cast(NULL), SIGABRT);
    OWNER_SET(&box, BOX_MAGIC + 1);
    assert_int_equal(signal_of_cast(&box.first), SIGABRT);
    OWNER_END(&box);
    assert_int_equal(signal_of_cast(&box.first), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_owner),
        cmocka_unit_test(stops_at_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
