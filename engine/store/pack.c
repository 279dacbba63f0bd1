/* Keys as differences in a variable number of bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/store/pack.h"

#include <endian.h>
#include <string.h>

enum { VERSION = 1, HEADER_BYTES = 4, LARGEST_PARAMETER = 57, SURE_BITS = 56 };

struct bits {
	unsigned char *out;
	size_t bytes;
	uint64_t held; /* bits not yet written, the first one lowest */
	unsigned count;
};

static void put_bits(struct bits *bits, uint64_t value, unsigned count)
{
	bits->held |= value << bits->count;
	bits->count += count;
	while (bits->count >= 8) {
		bits->out[bits->bytes++] = (unsigned char)bits->held;
		bits->held >>= 8;
		bits->count -= 8;
	}
}

/* The parameter that suits evenly spread keys: about log2 of the mean gap. The
 * unary parts together stay below 2 * count bits. */
static unsigned choose_parameter(uint64_t largest, size_t count)
{
	uint64_t gap = largest / (count ? count : 1);
	unsigned parameter = gap ? 63 - (unsigned)__builtin_clzll(gap) : 0;

	return parameter < LARGEST_PARAMETER ? parameter : LARGEST_PARAMETER;
}

static void put_difference(struct bits *bits, uint64_t difference, unsigned parameter)
{
	uint64_t high = difference >> parameter;

	for (; high > 0; high--)
		put_bits(bits, 1, 1);
	put_bits(bits, 0, 1);
	uint64_t low = difference & ((UINT64_C(1) << parameter) - 1);
	put_bits(bits, low & 0xFFFFFFF, parameter < 28 ? parameter : 28);
	if (parameter > 28)
		put_bits(bits, low >> 28, parameter - 28);
}

size_t pack_keys(const uint64_t *keys, size_t count, unsigned char *out)
{
	unsigned parameter = choose_parameter(count ? keys[count - 1] : 0, count);
	struct bits bits = {.out = out + HEADER_BYTES};
	uint64_t next = 0; /* the least that the next key can be */

	out[0] = VERSION;
	out[1] = (unsigned char)parameter;
	out[2] = (unsigned char)count;
	out[3] = (unsigned char)(count >> 8);
	for (size_t i = 0; i < count; i++) {
		put_difference(&bits, keys[i] - next, parameter);
		next = keys[i] + 1;
	}
	if (bits.count > 0)
		put_bits(&bits, 0, 8 - bits.count);
	return HEADER_BYTES + bits.bytes;
}

struct reader {
	const unsigned char *data;
	size_t bits; /* in all */
	size_t at;
};

/* The next 57 bits or more, the first one lowest; zeros after the end. */
static uint64_t peek(const struct reader *reader)
{
	size_t byte = reader->at / 8, left = (reader->bits + 7) / 8 - byte;
	uint64_t word = 0;

	if (left >= sizeof(word))
		memcpy(&word, reader->data + byte, sizeof(word));
	else
		memcpy(&word, reader->data + byte, left);
	return le64toh(word) >> reader->at % 8;
}

/* Ones up to a zero. What is missing at the end reads as a zero: the caller
 * notices that `at` is then past it. */
static uint64_t get_unary(struct reader *reader)
{
	uint64_t value = 0;
	unsigned ones;

	do {
		ones = (unsigned)__builtin_ctzll(~peek(reader) | UINT64_C(1) << SURE_BITS);
		value += ones;
		reader->at += ones;
	} while (ones == SURE_BITS);
	reader->at++;
	return value;
}

static uint64_t get_bits(struct reader *reader, unsigned count)
{
	uint64_t value = peek(reader) & ((UINT64_C(1) << count) - 1);

	reader->at += count;
	return value;
}

static enum status get_difference(struct reader *reader, unsigned parameter, uint64_t *difference)
{
	uint64_t high = get_unary(reader);

	if (reader->at + parameter > reader->bits || high > UINT64_MAX >> 1 >> parameter)
		return STATUS_CORRUPT;
	uint64_t low = get_bits(reader, parameter < 28 ? parameter : 28);
	if (parameter > 28)
		low |= get_bits(reader, parameter - 28) << 28;
	*difference = high << parameter | low;
	return STATUS_OK;
}

enum status pack_read(
	const unsigned char *data, size_t size, uint64_t *keys, size_t limit, size_t *count)
{
	if (size < HEADER_BYTES || data[0] != VERSION || data[1] > LARGEST_PARAMETER)
		return STATUS_CORRUPT;
	unsigned parameter = data[1];
	size_t number = data[2] | (size_t)data[3] << 8;
	struct reader reader = {.data = data + HEADER_BYTES, .bits = (size - HEADER_BYTES) * 8};
	uint64_t next = 0;

	if (number > limit)
		return STATUS_CORRUPT;
	for (size_t i = 0; i < number; i++) {
		uint64_t difference;
		if (get_difference(&reader, parameter, &difference) != STATUS_OK ||
			difference > INT64_MAX || next > INT64_MAX - difference)
			return STATUS_CORRUPT;
		keys[i] = next + difference;
		next = keys[i] + 1;
	}
	if ((reader.at + 7) / 8 != size - HEADER_BYTES || peek(&reader) != 0)
		return STATUS_CORRUPT;
	*count = number;
	return STATUS_OK;
}
