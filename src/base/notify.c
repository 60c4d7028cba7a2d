// SPDX-License-Identifier: MIT
#include "base/notify.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/slice.h"

static int manager = -1;

bool notify_open(void)
{
    assert(manager < 0);
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const size_t len = name ? strlen(name) : 0;

    if (len == 0) {
        return true;
    }
    if ((name[0] != '/' && name[0] != '@') || len >= sizeof address.sun_path) {
        return false;
    }
    memcpy(address.sun_path, name, len);
    if (name[0] == '@') {
        address.sun_path[0] = '\0';
    }
    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    /* An abstract name has no NUL at its end: its length tells where it ends (unix(7)). */
    if (manager < 0 || connect(manager, (const struct sockaddr *)&address,
                               (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) != 0) {
        if (manager >= 0) {
            close(manager);
            manager = -1;
        }
        return false;
    }
    return true;
}

void notify_send(const char *state)
{
    assert(state);
    const int before = errno;

    if (manager >= 0) {
        const ssize_t sent = send(manager, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)sent;
    }
    errno = before;
}

void notify_reloading(void)
{
    char text[64];

    (void)snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld",
                   (long long)clock_mono_us());
    notify_send(text);
}

static bool number_of(const char *name, uint64_t most, uint64_t *number)
{
    const char *text = getenv(name);
    return text && slice_to_u64(slice_of(text), most, number);
}

unsigned notify_watchdog_ms(void)
{
    uint64_t usec = 0;
    uint64_t pid = 0;

    if (manager < 0 || !number_of("WATCHDOG_USEC", (uint64_t)1000 * 1000 * 86400, &usec)) {
        return 0;
    }
    if (getenv("WATCHDOG_PID") &&
        (!number_of("WATCHDOG_PID", INT32_MAX, &pid) || pid != (uint64_t)getpid())) {
        return 0;
    }
    return (unsigned)(usec / 1000);
}
