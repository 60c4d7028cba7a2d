// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BENCH_COMMON_H
#define TASKHOLD_BENCH_COMMON_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Says which system call failed and why, and ends. */
static inline _Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

static inline int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

#endif
