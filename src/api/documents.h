// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_DOCUMENTS_H
#define TASKHOLD_API_DOCUMENTS_H

#include "api/context.h"

/* Readies the embedded files: puts PUBLIC_URL into those that name paths, and makes their entity
 * tags, a hash of their bytes. False without memory. */
bool documents_init(struct api *api) __attribute__((warn_unused_result));
void documents_finish(struct api *api);

#endif
