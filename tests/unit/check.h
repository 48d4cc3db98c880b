/* cmocka with the headers that it wants before it. */
#ifndef OSTLER_TESTS_CHECK_H
#define OSTLER_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#undef fail /* ours fills a struct fail; cmocka's spelling here is fail_msg */

#endif
