// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_INTERRUPT_H
#define TASKHOLD_CLI_INTERRUPT_H

#include <signal.h>

/* From now on SIGINT, SIGTERM and SIGHUP do not end the process but set what this answers, so that
 * it tidies up first. A signal that the caller had ignored (nohup) stays ignored. `flags` are those
 * of sigaction: with SA_RESETHAND a second one ends the process at once. */
const volatile sig_atomic_t *cli_interrupt_watch(int flags);

#endif
