// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_AUTH_PASSWORD_H
#define TASKHOLD_AUTH_PASSWORD_H

#include "base/slice.h"

/* The policy for new passwords (hasher.h turns them into hashes). */

enum password_verdict {
    PASSWORD_OK,
    PASSWORD_TOO_SHORT,      /* fewer than `least` code points */
    PASSWORD_TOO_LONG,       /* above USER_PASSWORD_MOST bytes */
    PASSWORD_COMMON,         /* one of the most common that fit the policy */
    PASSWORD_CONTAINS_EMAIL, /* the local part, of 4 characters or more, ASCII case aside */
};

/* Says what is wrong first, in the order above. `least` in code points. `email` may be empty; its
 * local part is what stands before the last `@`. `password` is valid UTF-8. Any thread. */
enum password_verdict password_judge(struct slice password, struct slice email, unsigned least);

#endif
