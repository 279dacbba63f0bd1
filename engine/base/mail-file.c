/* Reads a file of mail through a window of memory, and unpacks it when it is compressed.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/mail-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/account.h"
#include "engine/base/compression.h"
#include "engine/base/message-kind.h"

static const struct mail_file NO_FILE = {.data = "",
	.descriptor = -1,
	.content = {.limit = MAIL_FILE_MAX},
	.message = {.limit = SIZE_MAX}};

/* --- Contents -------------------------------------------------------------------------- */

static void show_window(struct mail_file *file)
{
	file->data = file->content.data ? file->content.data : "";
	file->length = file->content.length;
}

static enum status fail_size(const char *name, struct failure *failure)
{
	return failure_set(
		failure, STATUS_LIMIT, "%s has more than %d MiB", name, MAIL_FILE_MAX >> 20);
}

static enum status unpack_file(struct mail_file *file, enum compression compression,
	const char *name, struct failure *failure)
{
	struct buffer out = BUFFER_INIT(MAIL_FILE_MAX);
	struct failure why = {0};
	enum status status = decompress(compression, file->data, file->length, &out, &why);

	if (status != STATUS_OK) {
		buffer_free(&out);
		return failure_set(
			failure, status, "%s is no mail that can be read: %s", name, why.detail);
	}
	buffer_free(&file->content);
	file->content = out;
	show_window(file);
	return STATUS_OK;
}

/* What it holds, and whether that is mail. */
static enum status examine(struct mail_file *file, const char *name, struct failure *failure)
{
	enum compression compression = compression_of_bytes(file->data, file->length);
	enum status status = STATUS_OK;

	if (compression != COMPRESSION_NONE && !file->more)
		status = unpack_file(file, compression, name, failure);
	if (status != STATUS_OK || file->length == 0)
		return status;
	enum message_kind kind = message_kind_of(file->data, file->length);
	file->mbox = mbox_is_mbox(file->data, file->length);
	file->mmdf = mbox_open(file->data, file->length).mmdf;
	if (kind != MESSAGE_MAIL)
		return failure_set(failure, STATUS_INVALID, "%s is no mail but %s", name,
			message_kind_text(kind));
	return file->more && !file->mbox ? fail_size(name, failure) : STATUS_OK;
}

/* --- Opening --------------------------------------------------------------------------- */

/* Reads up to `room` bytes from a place of the file, in place of what was there. */
static enum status load_window(struct mail_file *file, uint64_t start, size_t room)
{
	ssize_t size;

	buffer_clear(&file->content);
	char *to = buffer_reserve(&file->content, room);
	if (!to)
		return STATUS_NOMEM;
	do {
		size_t got = file->content.length;

		size = pread(file->descriptor, to + got, room - got, (off_t)(start + got));
		if (size > 0)
			file->content.length += (size_t)size;
	} while ((size > 0 && file->content.length < room) || (size < 0 && errno == EINTR));
	file->start = start;
	file->more = file->content.length == MAIL_FILE_MAX;
	show_window(file);
	return size < 0 ? STATUS_IO : STATUS_OK;
}

static enum status read_regular(struct mail_file *file, const char *path, struct failure *failure)
{
	struct stat found;

	if (fstat(file->descriptor, &found) != 0)
		return failure_set(failure, STATUS_IO, "reading %s: %s", path, strerror(errno));
	if (!S_ISREG(found.st_mode))
		return failure_set(failure, STATUS_INVALID, "%s is not a regular file", path);
	if (found.st_size == 0)
		return STATUS_OK;
	size_t room = found.st_size < MAIL_FILE_MAX ? (size_t)found.st_size : MAIL_FILE_MAX;
	enum status status = load_window(file, 0, room);
	if (status != STATUS_OK)
		return failure_set(failure, status, "reading %s: %s", path,
			status == STATUS_IO ? strerror(errno) : status_text(status));
	return examine(file, path, failure);
}

static void close_descriptor(struct mail_file *file)
{
	if (file->descriptor >= 0)
		close(file->descriptor);
	file->descriptor = -1;
}

static enum status open_mail(struct mail_file *file, const char *path, struct failure *failure)
{
	struct stat found;

	/* A device may do something when it is opened, so that is asked for before. It may have
	 * become a pipe since: opening that must not block. */
	if (stat(path, &found) != 0)
		return failure_set(failure, STATUS_IO, "reading %s: %s", path, strerror(errno));
	if (!S_ISREG(found.st_mode))
		return failure_set(failure, STATUS_INVALID, "%s is not a regular file", path);
	file->descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (file->descriptor < 0)
		return failure_set(failure, STATUS_IO, "reading %s: %s", path, strerror(errno));
	enum status status = read_regular(file, path, failure);
	if (!file->more)
		close_descriptor(file);
	return status;
}

enum status mail_file_open(struct mail_file *file, const char *path, struct failure *failure)
{
	uid_t owner = account_pause();

	*file = NO_FILE;
	enum status status = open_mail(file, path, failure);
	account_resume(owner);
	return status;
}

enum status mail_file_read(
	struct mail_file *file, int descriptor, const char *name, struct failure *failure)
{
	*file = NO_FILE;
	for (;;) {
		char *room = buffer_reserve(&file->content, 65536);
		if (!room)
			return fail_size(name, failure);
		ssize_t size = read(descriptor, room, 65536);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return failure_set(
				failure, STATUS_IO, "reading %s: %s", name, strerror(errno));
		if (size == 0)
			break;
		file->content.length += (size_t)size;
	}
	show_window(file);
	return examine(file, name, failure);
}

void mail_file_close(struct mail_file *file)
{
	close_descriptor(file);
	buffer_free(&file->content);
	buffer_free(&file->message);
	*file = NO_FILE;
}

/* --- Messages -------------------------------------------------------------------------- */

struct mail_cursor mail_file_begin(const struct mail_file *file, enum mail_form form)
{
	bool several = form == MAIL_MBOX || (form == MAIL_DETECT && file->mbox);

	return (struct mail_cursor){
		.form = several ? MAIL_MBOX : MAIL_SINGLE, .mmdf = several && file->mmdf};
}

static bool next_of_single(
	const struct mail_file *file, struct mail_cursor *cursor, struct mail_place *place)
{
	bool first = cursor->at == 0;

	cursor->at = file->length;
	cursor->left_out += first && file->more;
	*place = (struct mail_place){.length = file->length};
	return first && !file->more && file->length > 0;
}

/* Whether the place is in memory, and all after it or MAIL_FILE_MAX bytes if `much`. */
static enum status reach(struct mail_file *file, uint64_t at, bool much)
{
	bool inside = at >= file->start && at - file->start <= file->length;
	bool enough = !much || !file->more || at == file->start;

	if (file->descriptor < 0)
		return inside ? STATUS_OK : STATUS_INVALID;
	return inside && enough ? STATUS_OK : load_window(file, at, MAIL_FILE_MAX);
}

/* A message that is too large for the memory: goes on at the last line that is there. */
static void leave_out(const struct mail_file *file, struct mail_cursor *cursor)
{
	const char *from = file->data + (cursor->at - file->start);
	const char *last = memrchr(from, '\n', (size_t)(file->data + file->length - from));

	cursor->left_out += !cursor->rest;
	cursor->rest = true;
	cursor->at = file->start +
		(last && last + 1 > from ? (size_t)(last + 1 - file->data) : file->length);
}

/* What is in memory from the cursor on; `much` as reach. */
static struct mbox mbox_at(struct mail_file *file, struct mail_cursor *cursor, bool much)
{
	struct mbox mbox = {.at = file->data, .end = file->data};

	cursor->status = reach(file, cursor->at, much);
	if (cursor->status == STATUS_OK) {
		size_t offset = (size_t)(cursor->at - file->start);

		mbox = mbox_open(file->data + offset, file->length - offset);
	}
	mbox.mmdf = cursor->mmdf;
	return mbox;
}

static bool next_of_mbox(
	struct mail_file *file, struct mail_cursor *cursor, struct mail_place *place)
{
	bool much = false;

	for (;;) {
		struct mbox mbox = mbox_at(file, cursor, much);
		bool rest = cursor->rest, found = false;
		const char *message = mbox.at;
		size_t length = 0;

		if (cursor->status != STATUS_OK)
			return false;
		if (rest)
			mbox_skip(&mbox);
		else
			found = mbox_next(&mbox, &message, &length);
		if (file->more && mbox.at == mbox.end) { /* there may be more of it */
			if (cursor->at == file->start)
				leave_out(file, cursor);
			much = true;
			continue;
		}
		cursor->at = file->start + (uint64_t)(mbox.at - file->data);
		cursor->rest = false;
		*place = (struct mail_place){
			.offset = file->start + (uint64_t)(message - file->data),
			.length = length,
			.mbox = !cursor->mmdf};
		if (!rest)
			return found;
	}
}

bool mail_file_next(struct mail_file *file, struct mail_cursor *cursor, struct mail_place *place)
{
	return cursor->form == MAIL_MBOX ? next_of_mbox(file, cursor, place)
					 : next_of_single(file, cursor, place);
}

static bool window_holds(const struct mail_file *file, const struct mail_place *place)
{
	return place->offset >= file->start && place->offset - file->start <= file->length &&
		place->length <= file->length - (size_t)(place->offset - file->start);
}

enum status mail_file_message(struct mail_file *file, const struct mail_place *place,
	const char **message, size_t *length)
{
	enum status status = STATUS_OK;

	if (!window_holds(file, place))
		status = reach(file, place->offset, true);
	if (status != STATUS_OK || !window_holds(file, place))
		return status != STATUS_OK ? status : STATUS_INVALID;
	*message = file->data + (place->offset - file->start);
	*length = place->length;
	if (!place->mbox || !mbox_is_quoted(*message, *length))
		return STATUS_OK;
	buffer_clear(&file->message);
	mbox_unquote(*message, *length, &file->message);
	*message = file->message.data;
	*length = file->message.length;
	return file->message.failed ? STATUS_NOMEM : STATUS_OK;
}
