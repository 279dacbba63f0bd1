/* Whether bytes that are given as a message can be one: programs send forms, JSON and
 * compressed files in place of mail, and folders have files besides. Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

/* What is certainly something else has a name of its own; all the rest is MAIL, also a
 * text without any header field. */
enum message_kind {
	MESSAGE_MAIL,
	MESSAGE_EMPTY, /* nothing but blanks and line ends */
	MESSAGE_COMPRESSED, /* as compression_of_bytes */
	MESSAGE_ARCHIVE, /* zip */
	MESSAGE_DATABASE, /* SQLite */
	MESSAGE_DOCUMENT, /* PDF */
	MESSAGE_INDEX, /* a list that Dovecot or Courier keep of a Maildir, Mozilla's .msf */
	MESSAGE_FORM, /* multipart/form-data or application/x-www-form-urlencoded */
	MESSAGE_JSON,
	MESSAGE_MBX, /* a folder of UW IMAP's (and Panda's) */
	MESSAGE_BABYL, /* a folder of Emacs' Rmail */
	MESSAGE_DBOX, /* mail of Dovecot's sdbox or mdbox */
	MESSAGE_BINARY, /* NUL bytes or many control characters on top in place of a field */
};

/* Looks at the first KiB; at all of it, when that may be a form, JSON or empty. */
enum message_kind message_kind_of(const char *data, size_t length);

/* What it is, for a sentence: "a form", "compressed data"; of a folder's format, what can be
 * done. */
const char *message_kind_text(enum message_kind kind);
