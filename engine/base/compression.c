/* Unpacks gzip, zlib and zstd with zlib and libzstd, a piece at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/compression.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>
#define ZLIB_CONST
#include <zlib.h>
#include <zstd.h>

enum {
	PIECE = 65536, /* bytes of output that are made room for at a time */
	WINDOW_LOG = 23, /* of zstd: 8 MiB, as RFC 9659 has it for HTTP */
	GZIP_HEADER = 16, /* for inflateInit2: a gzip header, and no other */
};

/* --- Names ------------------------------------------------------------------ */

enum compression compression_of_bytes(const char *data, size_t length)
{
	static const struct {
		const char *bytes;
		size_t length;
		enum compression compression;
	} MAGIC[] = {
		{"\x1f\x8b\x08", 3, COMPRESSION_GZIP},
		{"\x28\xb5\x2f\xfd", 4, COMPRESSION_ZSTD},
		{"\xfd"
		 "7zXZ\0",
			6, COMPRESSION_OTHER},
		{"\x04\x22\x4d\x18", 4, COMPRESSION_OTHER}, /* lz4 */
		{"Dovecot-LZ4\r*\x9b\xc5", 15, COMPRESSION_OTHER},
	};
	static const char BZIP2_BLOCK[] = "1AY&SY"; /* behind "BZh" and a digit */

	for (size_t i = 0; i < sizeof(MAGIC) / sizeof(MAGIC[0]); i++) {
		if (length >= MAGIC[i].length && memcmp(data, MAGIC[i].bytes, MAGIC[i].length) == 0)
			return MAGIC[i].compression;
	}
	if (length >= 10 && memcmp(data, "BZh", 3) == 0 && memcmp(data + 4, BZIP2_BLOCK, 6) == 0)
		return COMPRESSION_OTHER;
	return COMPRESSION_NONE;
}

enum compression compression_named(const char *name)
{
	static const struct {
		const char *name;
		enum compression compression;
	} NAMES[] = {
		{"", COMPRESSION_NONE},
		{"identity", COMPRESSION_NONE},
		{"gzip", COMPRESSION_GZIP},
		{"x-gzip", COMPRESSION_GZIP},
		{"deflate", COMPRESSION_ZLIB},
		{"zstd", COMPRESSION_ZSTD},
	};

	for (size_t i = 0; i < sizeof(NAMES) / sizeof(NAMES[0]); i++) {
		if (strcasecmp(name, NAMES[i].name) == 0)
			return NAMES[i].compression;
	}
	return COMPRESSION_OTHER;
}

const char *compression_name(enum compression compression)
{
	static const char *const NAMES[] = {
		[COMPRESSION_NONE] = "none",
		[COMPRESSION_GZIP] = "gzip",
		[COMPRESSION_ZLIB] = "deflate",
		[COMPRESSION_ZSTD] = "zstd",
		[COMPRESSION_OTHER] = "another kind",
	};

	return NAMES[compression];
}

/* --- Decoders ---------------------------------------------------------------- */

/* Moves on by what fits into the room; false when the input is damaged. */
struct decoder {
	const char *input;
	size_t left; /* bytes of the input that were not taken yet */
	bool several; /* members or frames may follow one another */
	bool ended; /* with what was taken one of them is complete */
	bool (*step)(struct decoder *decoder, char *room, size_t size, size_t *made);
	z_stream zlib;
	ZSTD_DCtx *zstd;
};

static bool step_zlib(struct decoder *decoder, char *room, size_t size, size_t *made)
{
	z_stream *zlib = &decoder->zlib;
	uInt given = decoder->left < PIECE ? (uInt)decoder->left : PIECE;
	int result;

	if (decoder->ended)
		inflateReset(zlib);
	zlib->next_in = (const unsigned char *)decoder->input;
	zlib->avail_in = given;
	zlib->next_out = (unsigned char *)room;
	zlib->avail_out = (uInt)size;
	result = inflate(zlib, Z_NO_FLUSH);
	decoder->input += given - zlib->avail_in;
	decoder->left -= given - zlib->avail_in;
	decoder->ended = result == Z_STREAM_END;
	*made = size - zlib->avail_out;
	return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR;
}

static bool step_zstd(struct decoder *decoder, char *room, size_t size, size_t *made)
{
	ZSTD_inBuffer in = {decoder->input, decoder->left, 0};
	ZSTD_outBuffer out = {room, size, 0};
	size_t result = ZSTD_decompressStream(decoder->zstd, &out, &in);

	decoder->input += in.pos;
	decoder->left -= in.pos;
	decoder->ended = result == 0;
	*made = out.pos;
	return !ZSTD_isError(result);
}

static bool open_decoder(struct decoder *decoder, enum compression compression)
{
	int bits = compression == COMPRESSION_GZIP ? MAX_WBITS + GZIP_HEADER : MAX_WBITS;

	decoder->several = compression != COMPRESSION_ZLIB;
	if (compression != COMPRESSION_ZSTD) {
		decoder->step = step_zlib;
		return inflateInit2(&decoder->zlib, bits) == Z_OK;
	}
	decoder->step = step_zstd;
	decoder->zstd = ZSTD_createDCtx();
	return decoder->zstd &&
		!ZSTD_isError(
			ZSTD_DCtx_setParameter(decoder->zstd, ZSTD_d_windowLogMax, WINDOW_LOG));
}

static void close_decoder(struct decoder *decoder)
{
	inflateEnd(&decoder->zlib); /* does nothing when it was not opened */
	ZSTD_freeDCtx(decoder->zstd);
}

/* --- Work ---------------------------------------------------------------------- */

static enum status run_decoder(struct decoder *decoder, struct buffer *out, struct failure *failure)
{
	do {
		size_t left = out->limit - out->length;
		size_t size = left < PIECE ? left : PIECE;
		size_t before = decoder->left, made = 0;
		char beyond; /* where the first byte too many goes */
		char *room = size > 0 ? buffer_reserve(out, size) : &beyond;

		if (!room)
			return failure_set(failure, STATUS_NOMEM, "unpacking: out of memory");
		if (!decoder->step(decoder, room, size > 0 ? size : 1, &made))
			return failure_set(failure, STATUS_INVALID,
				"the compressed data is damaged, or other data follows it");
		if (size == 0 && made > 0)
			return failure_set(failure, STATUS_LIMIT,
				"unpacked it is larger than %zu bytes", out->limit);
		out->length += made;
		if (!decoder->ended && made == 0 && decoder->left == before)
			return failure_set(
				failure, STATUS_INVALID, "the compressed data is cut short");
		if (decoder->ended && !decoder->several && decoder->left > 0)
			return failure_set(
				failure, STATUS_INVALID, "something follows the compressed data");
	} while (!decoder->ended || decoder->left > 0);
	return STATUS_OK;
}

enum status decompress(enum compression compression, const char *data, size_t length,
	struct buffer *out, struct failure *failure)
{
	struct decoder decoder = {.input = data, .left = length};
	enum status status;

	if (compression == COMPRESSION_NONE || compression == COMPRESSION_OTHER)
		return failure_set(
			failure, STATUS_INVALID, "only gzip, deflate and zstd are unpacked");
	if (open_decoder(&decoder, compression))
		status = run_decoder(&decoder, out, failure);
	else
		status = failure_set(failure, STATUS_NOMEM, "unpacking: out of memory");
	close_decoder(&decoder);
	return status;
}
