#ifndef TASKHOLD_API_DOCUMENTS_H
#define TASKHOLD_API_DOCUMENTS_H

#include "api/context.h"

/* Makes the entity tags of the embedded files: a hash of their bytes. */
void documents_init(struct api *api);

#endif
