// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_CONFINE_H
#define TASKHOLD_CLI_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/settings.h"

/* The sandbox of a server that is about to serve: what it needs, and nothing else. As SANDBOX
 * says.
 *
 * Both calls return whether the server may go on; false: it must not (SANDBOX=require), and `why`
 * says why. With SANDBOX=on what the kernel refuses is logged and shown in the metrics. */

/* Files and ports. After everything is bound and opened. `file`: the database; NULL: a server. */
bool confine_files(const struct settings *settings, const char *file, char *why, size_t why_size)
    __attribute__((warn_unused_result));

/* System calls. When every socket listens. */
bool confine_calls(const struct settings *settings, const char *file, char *why, size_t why_size)
    __attribute__((warn_unused_result));

#endif
