/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The parts of a multipart entity (RFC 2046 section 5.1), as long as nothing about its
 * boundaries is doubtful. What is doubtful is for GMime to judge. */
#pragma once

#include <stddef.h>

enum { MULTIPART_MAX_BOUNDARY = 200 };

struct multipart_part {
	const char *start; /* its header section */
	size_t length; /* up to the next boundary's line */
	size_t cut; /* bytes at the end that belong to the boundary */
};

/* Splits the content of a multipart entity; the parts point into it. Returns how many
 * there are; 0 when there is none or more than `room`, when the closing boundary is
 * missing, when "--boundary" stands within a line or goes on as another word, or when
 * the boundary is empty or longer than MULTIPART_MAX_BOUNDARY. */
size_t multipart_split(const char *content, size_t length, const char *boundary,
	struct multipart_part *parts, size_t room);
