// SPDX-License-Identifier: MIT
#include "failing.h"

/* Linked after the tests and before what they test. */
void failing_core_begins(void)
{
}
