// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_HOLDER_H
#define TASKHOLD_CLI_HOLDER_H

#include <stddef.h>
#include <stdint.h>

/* Writes ` (held by pid N, NAME)` about the process that listens on a TCP port of this machine, or
 * nothing when there is none that this user may see. Reads /proc; slow, for when a start has
 * failed. Returns `out`. */
const char *holder_of_port(uint16_t port, char *out, size_t size);

#endif
