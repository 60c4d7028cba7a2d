// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_EVENT_STREAM_H
#define TASKHOLD_API_EVENT_STREAM_H

#include "api/context.h"

/* One open stream of GET /v1/events: from the answer's head to its end. While it waits it is a
 * place in the changes and a few numbers; what it reads, it reads when there is word of a commit
 * and the client has room. */

/* Reads from `place` on, and answers `x` with the stream that begins with what there is; or with
 * why there is none: too many streams of the user, or the store cannot be read. `gone`: `place` is
 * none of this database, so the stream says that and ends. */
void event_stream_begin(struct http_exchange *x, const struct store_changes_place *place,
                        bool gone);

/* What stands in the head of such an answer besides its type. */
#define EVENT_STREAM_TYPE "text/event-stream"
void event_stream_fields(struct http_exchange *x);

#endif
