// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_TESTS_SANITIZERS_H
#define TASKHOLD_TESTS_SANITIZERS_H

#ifdef __has_feature
#define UNDER_TSAN __has_feature(thread_sanitizer)
#else
#define UNDER_TSAN 0
#endif

#endif
