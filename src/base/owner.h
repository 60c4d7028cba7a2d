// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_OWNER_H
#define TASKHOLD_BASE_OWNER_H

#include <assert.h>
#include <stddef.h>

/* Checked casts. A struct that embeds an operation, or that a callback gets as `void *`, begins
 * with
 *
 *     unsigned magic; // LOGIN_MAGIC
 *
 * and whoever makes it calls OWNER_SET(login, LOGIN_MAGIC). The casts below then stop the process
 * at a pointer to something else, or to something that has ended, before it is used.
 *
 * A magic number is any random one, defined as LOGIN_MAGIC beside its struct, as `0x` and eight
 * digits; script/lint sees to it that no two are equal. */

#define OWNER_SET(owner, number) ((void)((owner)->magic = (number)))

/* Before its memory is given back. */
#define OWNER_END(owner) ((void)((owner)->magic = 0))

/* The struct of type `type` whose `member` is at `pointer`. Does not compile when the pointer is of
 * another type than the member. */
#define OWNER_OF(pointer, type, member, number)                                                    \
    ({                                                                                             \
        __typeof__(((type *)0)->member) *owner_member = (pointer);                                 \
        assert(owner_member);                                                                      \
        void *owner_begin = (char *)owner_member - offsetof(type, member);                         \
        OWNER_CAST(owner_begin, type, number);                                                     \
    })

/* What a `void *` points to: a struct of type `type`. */
#define OWNER_CAST(pointer, type, number)                                                          \
    ({                                                                                             \
        __typeof__(type) *owner_found = (pointer);                                                 \
        assert(OWNER_IS(owner_found, number));                                                     \
        owner_found;                                                                               \
    })

/* Whether a struct is (still) what it says. For asserts. */
#define OWNER_IS(owner, number) ((owner) != NULL && (owner)->magic == (number))

#endif
