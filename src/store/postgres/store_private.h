// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_STORE_PRIVATE_H
#define TASKHOLD_STORE_POSTGRES_STORE_PRIVATE_H

#include <stdatomic.h>

#include "store/postgres/connector.h"
#include "store/postgres/keeper.h"
#include "store/store.h"

/* What the sessions of one store share. */
struct store {
    struct connect_options connect;
    struct store_options options; /* every default filled in */
    char *url;
    struct uuid epoch;
    atomic_uint host;          /* see connect_options */
    unsigned connections_most; /* that the sessions may have together */
    struct connector *connector;
    struct keeper *keeper;
    atomic_size_t waiting; /* operations that write and are not answered, of all sessions */
};

#endif
