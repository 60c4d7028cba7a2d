// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/machine.h"
#include "base/slice.h"
#include "cli/doctor.h"
#include "cli/holder.h"
#include "http/listener.h"
#include "store/sqlite/file.h"

#define YEAR_MS          (INT64_C(31556952) * 1000)
#define CLOCK_LEAST_MS   (56 * YEAR_MS)  /* the program is not older than 2026 */
#define CLOCK_MOST_MS    (130 * YEAR_MS) /* 2100 */
#define DESCRIPTORS_GOOD 1024

static void check_clock(struct doctor *d)
{
    char text[CLOCK_RFC3339_LEN];
    const int64_t now = clock_wall_ms();
    const int64_t mono = clock_mono_us();

    clock_format_rfc3339(now, text);
    if (now < CLOCK_LEAST_MS - YEAR_MS || now > CLOCK_MOST_MS) {
        doctor_say(d, DOCTOR_ERROR, "clock",
                   "it says %.*s: set it, tokens expire by it (timedatectl)", CLOCK_RFC3339_LEN,
                   text);
    } else if (clock_mono_us() < mono) {
        doctor_say(d, DOCTOR_ERROR, "clock", "the monotonic clock goes back: mend the machine");
    } else {
        doctor_say(d, DOCTOR_OK, "clock", "%.*s, and the monotonic clock moves on",
                   CLOCK_RFC3339_LEN, text);
    }
}

static void check_descriptors(struct doctor *d)
{
    struct rlimit limit = {0};

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= DESCRIPTORS_GOOD) {
        doctor_say(d, DOCTOR_OK, "descriptors", "%llu may be open",
                   (unsigned long long)limit.rlim_cur);
    } else {
        doctor_say(d, DOCTOR_WARNING, "descriptors",
                   "%llu may be open, each connection takes one: raise it (ulimit -n, or "
                   "LimitNOFILE= of systemd)",
                   (unsigned long long)limit.rlim_cur);
    }
}

static void check_threads(struct doctor *d)
{
    struct machine machine;
    struct machine_use use;

    machine_read("", &machine);
    machine_plan(&machine, (unsigned)d->settings.threads, &use);
    if (machine.memory > 0 && use.hashers * MACHINE_HASHER_BYTES > machine.memory / 2) {
        doctor_say(d, DOCTOR_WARNING, "threads",
                   "one password hash takes 19 MiB of the %llu MiB that may be used (%s): give the "
                   "server 64 MiB or more",
                   (unsigned long long)(machine.memory >> 20), machine.memory_by);
        return;
    }
    doctor_say(d, DOCTOR_OK, "threads", "event loops: %u, %s; password hashers: %u, %s", use.loops,
               use.loops_why, use.hashers, use.hashers_why);
}

static void check_address(struct doctor *d)
{
    uint16_t port = (uint16_t)d->settings.port;
    const char *host = d->settings.host;
    const char *why = "";
    char holder[128];
    struct listener listener;

    const int server = d->path ? file_holder(d->path) : 0;

    if (server > 0) {
        doctor_say(d, DOCTOR_OK, "address",
                   "a server has the database, so it listens already (pid %d)", server);
    } else if (server < 0) {
        doctor_say(d, DOCTOR_OK, "address", "a server has the database, so it listens already");
    } else if (listener_bind(host, &port, &listener, 1, &why)) {
        listener_close(&listener);
        doctor_say(d, DOCTOR_OK, "address", "%s port %lld is free", host,
                   (long long)d->settings.port);
    } else if (d->shared) {
        doctor_say(d, DOCTOR_WARNING, "address",
                   "cannot listen on %s port %lld%s: %s; is that this node's own server?", host,
                   (long long)d->settings.port, holder_of_port(port, holder, sizeof holder), why);
    } else {
        doctor_say(d, DOCTOR_ERROR, "address",
                   "cannot listen on %s port %lld%s: %s; set HOST or PORT, or end who has it", host,
                   (long long)d->settings.port, holder_of_port(port, holder, sizeof holder), why);
    }
}

void doctor_system(struct doctor *d)
{
    check_clock(d);
    check_descriptors(d);
    check_threads(d);
    check_address(d);
}
