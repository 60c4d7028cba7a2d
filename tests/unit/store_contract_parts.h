// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_TESTS_STORE_CONTRACT_PARTS_H
#define TASKHOLD_TESTS_STORE_CONTRACT_PARTS_H

/* The groups of the contract suite. Each returns how many tests failed. */
int store_contract_accounts(void);
int store_contract_batch(void);
int store_contract_changes(void);
int store_contract_history(void);
int store_contract_operator(void);
int store_contract_sessions(void);
int store_contract_items(void);
int store_contract_keys(void);
int store_contract_lists(void);
int store_contract_loops(void);
int store_contract_moves(void);
int store_contract_tokens(void);
int store_contract_trash(void);
int store_contract_trees(void);
int store_contract_usage(void);

/* A fresh store for each test; its state is a struct contract_state. */
int contract_setup(void **state);
int contract_teardown(void **state);

/* A loop on the store of the test. */
struct loop;
void contract_open_loop(void **state, struct loop *loop);

/* The same with a user, ann. */
struct uuid contract_open_with_user(void **state, struct loop *loop);

#define CONTRACT_QUEUE_MOST 600

#define CONTRACT_TEST(function)                                                                    \
    cmocka_unit_test_setup_teardown(function, contract_setup, contract_teardown)

#endif
