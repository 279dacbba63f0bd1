/* Parses IPv4 and IPv6 networks, and tells whether an address is in one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/origin/network.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

enum { MAPPED_BITS = 96, ALL_BITS = 128 };

/* "0" to `limit`, as digits alone. */
static bool read_bits(const char *text, unsigned limit, unsigned *bits)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 3 || text[digits])
		return false;
	*bits = (unsigned)strtoul(text, NULL, 10);
	return *bits <= limit;
}

struct network network_around(const struct network *address, unsigned bits)
{
	struct network around = {.bits = bits};

	memcpy(around.bytes, address->bytes, bits / 8);
	if (bits % 8)
		around.bytes[bits / 8] =
			(unsigned char)(address->bytes[bits / 8] & (0xFF00 >> bits % 8));
	return around;
}

bool network_parse(struct network *network, const char *text)
{
	char address[INET6_ADDRSTRLEN];
	size_t length = strcspn(text, "/");
	struct network whole = {.bits = ALL_BITS};
	unsigned offset = MAPPED_BITS, bits = ALL_BITS - MAPPED_BITS;

	if (length >= sizeof(address))
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	memcpy(whole.bytes, MAPPED, sizeof(MAPPED));
	if (inet_pton(AF_INET, address, whole.bytes + sizeof(MAPPED)) != 1) {
		offset = 0;
		bits = ALL_BITS;
		if (inet_pton(AF_INET6, address, whole.bytes) != 1)
			return false;
	}
	if (text[length] == '/' && !read_bits(text + length + 1, ALL_BITS - offset, &bits))
		return false;
	*network = network_around(&whole, offset + bits);
	return true;
}

void network_format(const struct network *network, char text[NETWORK_TEXT])
{
	bool four =
		network->bits >= MAPPED_BITS && memcmp(network->bytes, MAPPED, sizeof(MAPPED)) == 0;
	size_t skipped = four ? sizeof(MAPPED) : 0;

	inet_ntop(four ? AF_INET : AF_INET6, network->bytes + skipped, text, NETWORK_TEXT);
	if (network->bits < ALL_BITS)
		sprintf(text + strlen(text), "/%u", network->bits - (unsigned)skipped * 8);
}

bool network_contains(const struct network *network, const struct network *address)
{
	struct network around = network_around(address, network->bits);

	return address->bits >= network->bits && memcmp(around.bytes, network->bytes, 16) == 0;
}
