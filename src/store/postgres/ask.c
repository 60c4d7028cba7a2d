// SPDX-License-Identifier: MIT
#include "store/postgres/ask.h"

#include <errno.h>
#include <poll.h>

#include "base/clock.h"

/* Waits for bytes and takes them. */
static bool take_input(PGconn *connection, int64_t until_ms, int wake)
{
    struct pollfd ready[] = {{PQsocket(connection), POLLIN, 0}, {wake, POLLIN, 0}};
    /* Past the time too, what has come is looked at: a process that was stopped (SIGSTOP, a laptop
     * that slept) did not wait. */
    const int64_t left = until_ms - clock_mono_ms();
    const int found = poll(ready, 2, left > 0 ? (int)left : 0);
    if (found < 0)
        return errno == EINTR && left > 0;
    if (ready[1].revents || (found == 0 && left <= 0))
        return false;
    return found == 0 || PQconsumeInput(connection) == 1;
}

PGresult *ask_result(PGconn *connection, int64_t until_ms, int wake, bool *in_time)
{
    while (PQisBusy(connection)) {
        if (!take_input(connection, until_ms, wake)) {
            *in_time = false;
            return NULL;
        }
    }
    return PQgetResult(connection);
}

PGresult *ask(PGconn *connection, const char *statement, const struct params *params,
              unsigned timeout_ms, int wake)
{
    static const struct params none = {0};
    const struct params *p = params ? params : &none;
    const int64_t until_ms = clock_mono_ms() + timeout_ms;
    bool in_time = true;
    PGresult *last = NULL;
    if (PQsendQueryParams(connection, statement, p->count, NULL, p->values, p->lengths,
                          params_formats, 0) != 1)
        return NULL;
    for (;;) {
        PGresult *result = ask_result(connection, until_ms, wake, &in_time);
        if (!result)
            break;
        PQclear(last);
        last = result;
    }
    if (!in_time || PQstatus(connection) != CONNECTION_OK) {
        PQclear(last);
        last = NULL;
    }
    return last;
}
