// SPDX-License-Identifier: MIT
#include "model/task.h"
#include "model/task_list.h"

const struct resource *const resources[] = {
    &list_resource,
    &task_resource,
};

const unsigned resource_count = sizeof resources / sizeof resources[0];
