/* Names of charsets that there are. GMime keeps each name that it was ever asked for, so
 * that a sender who invents names could fill our memory: it is to see no others.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Whether it may be one: a name from the lists of IANA and of mail programs, or a number
 * in one of their families ("windows-1257"). */
bool charset_is_possible(const char *name, size_t length);

/* Overwrites charsets in a field's value, those of encoded words (RFC 2047) and of
 * parameters (RFC 2231), for each of which GMime opens a conversion or two. UTF-8 needs
 * none. Each other one lowers *budget by one; while that is above zero impossible names
 * alone become as many letters x, which is no charset. Then words and parameters with a
 * charset are made ordinary text and ordinary parameters of another name. */
void charset_hide(char *value, size_t *budget);
