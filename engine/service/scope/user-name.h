/* One person is one user, however the address is written: the one function that turns a
 * name, as a protocol, a command or a database hands it over, into the user it means.
 * Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "engine/settings/service-settings.h"
#include "engine/store/store.h"

/* Writes the user that `text` means:
 * - without angle brackets and source route ("<@a,@b:bob@c>" is bob@c: RFC 5321
 *   section 4.1.1.3 and appendix C);
 * - the local part without quotes (RFC 5321 section 4.1.2), in small letters where
 *   names are folded, and in normalization form C (RFC 6532 section 3.1);
 * - without its extension, from the first delimiter on: as in Postfix not where the
 *   local part begins with a delimiter, nor of mailer-daemon, double-bounce, and, where
 *   "-" is a delimiter, of owner-LIST and LIST-request;
 * - the domain as domain_canonical writes it. A login has none.
 * "" is the site, and stays "". What is written is read as itself again.
 *
 * False, with `name` empty, when it means nobody: no local part, or one that begins with
 * "@", "<" or a quote; a quote in it or not closed; control characters; not UTF-8, or
 * what stands for that (U+FFFD); no domain after the "@", or none that may be; longer than STORE_MAX_USER.
 * `text` may be of any length: time grows in proportion to it. */
bool user_name(const struct user_naming *naming, const char *text, char name[STORE_MAX_USER + 1]);

/* Writes the domain's scope ("@example.org") of an address that means nobody: what the
 * domain has laid down holds for it all the same. False, with `scope` empty, when there is
 * none. */
bool user_domain(const char *text, char scope[STORE_MAX_USER + 1]);

/* What to tell somebody who named nobody. */
#define USER_NAME_REFUSED                                                                          \
	"that is nobody's name: a login, or an address with a local part, at most 255 bytes of "   \
	"UTF-8 without control characters"

/* The same for a scope: "@Example.ORG" is the domain's scope "@example.org". Anything
 * else is a user, or the site. */
bool user_scope(const struct user_naming *naming, const char *text, char scope[STORE_MAX_USER + 1]);
