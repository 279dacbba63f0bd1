/* One form for each mail address, so that an author, an entry of a list and what a mail
 * server stamped compare equal however each was written. Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { ADDRESS_MAX = 320 }; /* bytes: a local part of 64, "@", a domain of 255 */

/* Writes the address: the local part in small ASCII letters, without quotes where it needs
 * none (RFC 5321 section 4.1.2), the domain as domain_canonical writes it. False, with
 * `out` empty, when there is no local part or no domain that may be, or it does not fit. */
bool address_canonical(const char *text, char out[ADDRESS_MAX + 1]);
