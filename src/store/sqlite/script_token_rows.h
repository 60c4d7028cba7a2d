// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_SCRIPT_TOKEN_ROWS_H
#define TASKHOLD_STORE_SQLITE_SCRIPT_TOKEN_ROWS_H

#include "store/store.h"

/* Tokens of scripts. The reads are answered before they return. */
void script_token_rows_check(struct store_script_token_check *op);
void script_token_rows_list(struct store_script_token_list *op);

void script_token_rows_create(struct store_script_token_create *op);
void script_token_rows_end(struct store_script_token_end *op);
void script_token_rows_use(struct store_script_token_use *op);

#endif
