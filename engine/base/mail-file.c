/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/mail-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/base/account.h"
#include "engine/base/compression.h"
#include "engine/base/message-kind.h"

static const struct mail_file NO_FILE = {
	.data = "", .unpacked = {.limit = MAIL_FILE_MAX}, .message = {.limit = SIZE_MAX}};

/* --- Contents -------------------------------------------------------------------------- */

static enum status unpack(struct mail_file *file, enum compression compression, const char *name,
	struct failure *failure)
{
	struct buffer out = BUFFER_INIT(MAIL_FILE_MAX);
	struct failure why = {0};
	enum status status = decompress(compression, file->data, file->length, &out, &why);

	if (status != STATUS_OK) {
		buffer_free(&out);
		return failure_set(
			failure, status, "%s is no mail that can be read: %s", name, why.detail);
	}
	buffer_free(&file->unpacked); /* what was read, if it was */
	file->unpacked = out;
	file->data = out.data ? out.data : "";
	file->length = out.length;
	return STATUS_OK;
}

static enum status examine(struct mail_file *file, const char *name, struct failure *failure)
{
	enum compression compression = compression_of_bytes(file->data, file->length);
	enum status status = STATUS_OK;

	if (compression != COMPRESSION_NONE)
		status = unpack(file, compression, name, failure);
	if (status != STATUS_OK || file->length == 0)
		return status;
	enum message_kind kind = message_kind_of(file->data, file->length);
	return kind == MESSAGE_MAIL ? STATUS_OK
				    : failure_set(failure, STATUS_INVALID, "%s is no mail but %s",
					      name, message_kind_text(kind));
}

/* --- Opening --------------------------------------------------------------------------- */

static enum status map(
	struct mail_file *file, int descriptor, const char *path, struct failure *failure)
{
	struct stat found;

	if (fstat(descriptor, &found) != 0)
		return failure_set(failure, STATUS_IO, "reading %s: %s", path, strerror(errno));
	if (!S_ISREG(found.st_mode))
		return failure_set(failure, STATUS_INVALID, "%s is not a regular file", path);
	if (found.st_size == 0)
		return STATUS_OK;
	void *start = mmap(NULL, (size_t)found.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
	if (start == MAP_FAILED)
		return failure_set(failure, STATUS_IO, "reading %s: %s", path, strerror(errno));
	file->map = start;
	file->mapped = (size_t)found.st_size;
	file->data = start;
	file->length = file->mapped;
	return STATUS_OK;
}

static enum status open_file(struct mail_file *file, const char *path, struct failure *failure)
{
	struct stat found;

	/* A device may do something when it is opened, so that is asked for before. It may have
	 * become a pipe since: opening that must not block. */
	if (stat(path, &found) != 0)
		return failure_set(failure, STATUS_IO, "reading %s: %s", path, strerror(errno));
	if (!S_ISREG(found.st_mode))
		return failure_set(failure, STATUS_INVALID, "%s is not a regular file", path);
	int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (descriptor < 0)
		return failure_set(failure, STATUS_IO, "reading %s: %s", path, strerror(errno));
	enum status status = map(file, descriptor, path, failure);
	close(descriptor);
	return status == STATUS_OK ? examine(file, path, failure) : status;
}

enum status mail_file_open(struct mail_file *file, const char *path, struct failure *failure)
{
	uid_t owner = account_pause();

	*file = NO_FILE;
	enum status status = open_file(file, path, failure);
	account_resume(owner);
	return status;
}

enum status mail_file_read(
	struct mail_file *file, int descriptor, const char *name, struct failure *failure)
{
	*file = NO_FILE;
	for (;;) {
		char *room = buffer_reserve(&file->unpacked, 65536);
		if (!room)
			return failure_set(failure, STATUS_LIMIT, "%s has more than %d MiB", name,
				MAIL_FILE_MAX >> 20);
		ssize_t size = read(descriptor, room, 65536);
		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return failure_set(
				failure, STATUS_IO, "reading %s: %s", name, strerror(errno));
		if (size == 0)
			break;
		file->unpacked.length += (size_t)size;
	}
	file->data = file->unpacked.data;
	file->length = file->unpacked.length;
	return examine(file, name, failure);
}

void mail_file_close(struct mail_file *file)
{
	if (file->map)
		munmap(file->map, file->mapped);
	buffer_free(&file->unpacked);
	buffer_free(&file->message);
	*file = NO_FILE;
}

/* --- Messages -------------------------------------------------------------------------- */

struct mail_cursor mail_file_begin(const struct mail_file *file, enum mail_form form)
{
	bool mbox = form == MAIL_MBOX ||
		(form == MAIL_DETECT && mbox_is_mbox(file->data, file->length));

	if (mbox)
		return (struct mail_cursor){
			.form = MAIL_MBOX, .rest = mbox_open(file->data, file->length)};
	return (struct mail_cursor){
		.form = MAIL_SINGLE, .rest = {.at = file->data, .end = file->data + file->length}};
}

bool mail_file_next(
	const struct mail_file *file, struct mail_cursor *cursor, struct mail_place *place)
{
	const char *message = cursor->rest.at;
	size_t length = (size_t)(cursor->rest.end - cursor->rest.at);
	bool found = length > 0;

	if (cursor->form == MAIL_MBOX)
		found = mbox_next(&cursor->rest, &message, &length);
	else
		cursor->rest.at = cursor->rest.end;
	*place = (struct mail_place){.offset = (size_t)(message - file->data),
		.length = length,
		.mbox = cursor->form == MAIL_MBOX};
	return found;
}

enum status mail_file_message(struct mail_file *file, const struct mail_place *place,
	const char **message, size_t *length)
{
	if (place->offset > file->length || place->length > file->length - place->offset)
		return STATUS_INVALID;
	*message = file->data + place->offset;
	*length = place->length;
	if (!place->mbox || !mbox_is_quoted(*message, *length))
		return STATUS_OK;
	buffer_clear(&file->message);
	mbox_unquote(*message, *length, &file->message);
	*message = file->message.data;
	*length = file->message.length;
	return file->message.failed ? STATUS_NOMEM : STATUS_OK;
}
