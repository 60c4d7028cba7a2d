#ifndef TASKHOLD_API_PAGE_H
#define TASKHOLD_API_PAGE_H

#include "http/message.h"

/* Small pages for people: plain HTML, nothing that runs, nothing from other servers. */

/* Begins a page; `title` becomes its heading too. Both functions send escaped text only. */
void page_begin(struct http_exchange *x, const char *title);

void page_add_paragraph(struct http_exchange *x, const char *text);

/* `path` and `text` are literals of ours. */
void page_add_link(struct http_exchange *x, const char *path, const char *text);

/* Ends the page and sends it with a Content-Security-Policy that allows nothing. */
void page_send(struct http_exchange *x);

#endif
