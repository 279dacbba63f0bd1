/* IP addresses and networks (CIDR: RFC 4632, RFC 4291). An IPv4 address is kept
 * as the IPv6 one it maps to, so that there is one kind. Pure.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { NETWORK_TEXT = 64 }; /* bytes that network_format needs */

struct network {
	unsigned char bytes[16];
	unsigned bits; /* of them that count; an address has 128, an IPv4 one too */
};

/* Reads "192.0.2.1", "192.0.2.0/24", "2001:db8::/32"; bits beyond the prefix
 * are cleared. False for anything else. */
bool network_parse(struct network *network, const char *text);

/* The one way of writing it: "192.0.2.0/24", and without a slash for an address. */
void network_format(const struct network *network, char text[NETWORK_TEXT]);

/* The network of `bits` around the address. */
struct network network_around(const struct network *address, unsigned bits);

bool network_contains(const struct network *network, const struct network *address);
