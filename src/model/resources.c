// SPDX-License-Identifier: MIT
#include "model/task.h"

const struct resource *const resources[] = {
    &task_resource,
};

const unsigned resource_count = sizeof resources / sizeof resources[0];
