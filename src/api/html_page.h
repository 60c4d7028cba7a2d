// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_HTML_PAGE_H
#define TASKHOLD_API_HTML_PAGE_H

#include "http/message.h"

/* Pages for people, and the policy under which a browser shows them. */

/* Begins a page that is made for this request; `title` becomes its heading too. Texts are escaped;
 * what stands between backticks becomes code. */
void html_page_begin(struct http_exchange *x, const char *title);

void html_page_add_paragraph(struct http_exchange *x, const char *text);

/* Ends the page and sends it. */
void html_page_send(struct http_exchange *x);

/* Adds the Content-Security-Policy of every page: files and answers of this server only, nothing
 * inline. */
void html_page_add_policy(struct http_exchange *x);

#endif
