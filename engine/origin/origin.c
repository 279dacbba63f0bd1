/* Walks the fields from the top to the border of our own mail servers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/origin/origin.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "engine/base/domain.h"
#include "engine/origin/authentication.h"

static bool is_field_named(const struct tokenizer_field *field, const char *name)
{
	return strcmp(field->name, name) == 0;
}

static bool is_listed(const char *word, const char *const *list)
{
	for (; list && *list; list++) {
		if (strcasecmp(word, *list) == 0)
			return true;
	}
	return false;
}

bool origin_is_within(const char *domain, const char *other)
{
	size_t length = strlen(domain), other_length = strlen(other);

	if (!strchr(other, '.') || length < other_length ||
		strcmp(domain + length - other_length, other) != 0)
		return false;
	return length == other_length || domain[length - other_length - 1] == '.';
}

/* --- Author and list ----------------------------------------------------- */

static void add_author(void *context, const char *text)
{
	struct origin *origin = context;
	char address[ADDRESS_MAX + 1];

	if (origin->author_count < ORIGIN_MAX_AUTHORS && address_canonical(text, address))
		strcpy(origin->list_of_authors[origin->author_count++], address);
}

static void read_authors(struct origin *origin, const struct tokenizer_field *fields, size_t count)
{
	char mailbox[ADDRESS_MAX + 1];
	size_t from = 0;

	for (size_t i = 0; i < count; i++) {
		if (!is_field_named(&fields[i], "from"))
			continue;
		origin->sole = tokenizer_mailbox(fields[i].value, mailbox, sizeof(mailbox)) &&
			!fields[i].cut && from == 0;
		from++;
		if (origin->sole) {
			add_author(origin, mailbox);
			origin->authors++;
		} else {
			origin->authors += tokenizer_addresses(fields[i].value, add_author, origin);
		}
	}
	origin->sole = origin->sole && origin->author_count == 1;
	origin->author = origin->list_of_authors[0];
	const char *at = strrchr(origin->author, '@');
	origin->domain = at ? at + 1 : "";
}

/* RFC 2919: the identifier in angle brackets, or all of the value. */
static void read_list(struct origin *origin, const struct tokenizer_field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!is_field_named(&fields[i], "list-id"))
			continue;
		const char *start = strrchr(fields[i].value, '<');
		start = start ? start + 1 : fields[i].value;
		size_t length = strcspn(start, ">");
		if (length > ORIGIN_MAX_DOMAIN)
			return;
		for (size_t j = 0; j < length; j++)
			origin->list[j] = (char)tolower((unsigned char)start[j]);
		return;
	}
}

/* --- The sending host ----------------------------------------------------- */

/* An address literal such as "[192.0.2.1]" or "[IPv6:2001:db8::1]"; returns the
 * character after it, or NULL. */
static const char *read_address_literal(const char *text, const char *end, struct network *client)
{
	char address[64];
	const char *close = memchr(text, ']', (size_t)(end - text));

	if (*text != '[' || !close)
		return NULL;
	text++;
	if (close - text > 5 && strncasecmp(text, "IPv6:", 5) == 0)
		text += 5;
	if ((size_t)(close - text) >= sizeof(address) || memchr(text, '/', (size_t)(close - text)))
		return NULL;
	memcpy(address, text, (size_t)(close - text));
	address[close - text] = '\0';
	return network_parse(client, address) ? close + 1 : NULL;
}

/* What the client said of itself may be a literal, too: "helo=[10.0.0.1]". */
static bool follows_helo(const char *start, const char *at)
{
	while (at > start && (at[-1] == ' ' || at[-1] == '='))
		at--;
	return at - start >= 4 &&
		(strncasecmp(at - 4, "helo", 4) == 0 || strncasecmp(at - 4, "ehlo", 4) == 0);
}

/* The literal that the server saw: within the parentheses after the name that
 * the client gave (RFC 5321 section 4.4, TCP-info), or where that name stands. */
static bool read_client(const char *line, struct network *client)
{
	const char *end, *open;

	if (strncasecmp(line, "from ", 5) != 0)
		return false;
	line += 5;
	end = strstr(line - 1, " by "); /* "from by" names nobody */
	end = !end ? line + strlen(line) : end < line ? line : end;
	open = memchr(line, '(', (size_t)(end - line));
	for (const char *at = open; at && at < end; at++) {
		if (*at == '[' && !follows_helo(line, at) && read_address_literal(at, end, client))
			return true;
	}
	return *line == '[' && read_address_literal(line, end, client);
}

static bool is_own_host(const struct origin_trust *trust, const struct network *client)
{
	for (size_t i = 0; i < trust->network_count; i++) {
		if (network_contains(&trust->networks[i], client))
			return true;
	}
	return false;
}

/* Finds the border: returns the index of its field. Where only our own networks
 * are named it is the lowest line: what stands below may be any client's. 0 when
 * there is no line at all. */
static size_t find_border(struct origin *origin, const struct origin_trust *trust,
	const struct tokenizer_field *fields, size_t count)
{
	size_t lowest = 0;

	for (size_t i = 0; i < count; i++) {
		if (!is_field_named(&fields[i], "received"))
			continue;
		origin->received++;
		lowest = i;
		if (!read_client(fields[i].value, &origin->client)) {
			/* A hand-over to the mail store names no client. */
			if (strstr(fields[i].value, " with LMTP"))
				continue;
			return i;
		}
		if (is_own_host(trust, &origin->client))
			continue;
		origin->has_client = true;
		return i;
	}
	return lowest;
}

/* --- Authentication ------------------------------------------------------- */

/* How much one result is worth beside another of the same check. */
static int rank_stamp(const char *result)
{
	return strcmp(result, "pass") == 0 ? 2 : *result ? 1 : 0;
}

static void keep_text(struct origin_check *check, const struct result *result)
{
	if (rank_stamp(result->value) <= rank_stamp(check->result))
		return;
	snprintf(check->result, sizeof(check->result), "%s", result->value);
	snprintf(check->domain, sizeof(check->domain), "%s", result->domain);
}

struct judgement {
	struct origin *origin;
	const struct tokenizer_field *fields;
	size_t count;
};

static bool passes(const struct result *result, const char *method)
{
	return strcmp(result->method, method) == 0 && strcmp(result->value, "pass") == 0;
}

static void keep_signature(struct origin *origin, const struct result *result)
{
	struct origin_signature *kept = &origin->signatures[origin->signature_count];

	if (!passes(result, "dkim") || origin->signature_count == ORIGIN_MAX_SIGNATURES)
		return;
	origin->signature_count++;
	strcpy(kept->domain, result->domain);
	strcpy(kept->selector, result->selector);
	strcpy(kept->value, result->signature);
}

/* Domains are compared in one form; what has none stays as it is. */
static void on_result(void *context, const struct result *stamped)
{
	struct origin *origin = ((struct judgement *)context)->origin;
	struct result result = *stamped;
	char domain[DOMAIN_MAX + 1];

	if (domain_canonical(result.domain, strlen(result.domain), domain))
		strcpy(result.domain, domain);
	bool within = origin_is_within(origin->domain, result.domain);
	keep_signature(origin, &result);
	if (strcmp(result.method, "spf") == 0)
		keep_text(&origin->spf, &result);
	else if (strcmp(result.method, "dkim") == 0)
		keep_text(&origin->dkim, &result);
	else if (strcmp(result.method, "dmarc") == 0)
		keep_text(&origin->dmarc, &result);
	if (strcmp(result.method, "dmarc") == 0 && strcmp(result.value, "fail") == 0)
		origin->refuted = true;
	if ((passes(&result, "dkim") || passes(&result, "spf")) && within)
		origin->authenticated = true;
	if (passes(&result, "dmarc") &&
		(!*result.domain || strcmp(result.domain, origin->domain) == 0))
		origin->authenticated = true;
}

/* "d=" of the only signature: what a bare "pass" must be about. */
static void only_signer(const struct judgement *judgement, char *domain, size_t size)
{
	size_t signatures = 0;

	*domain = '\0';
	for (size_t i = 0; i < judgement->count; i++) {
		if (!is_field_named(&judgement->fields[i], "dkim-signature"))
			continue;
		if (signatures++ == 0)
			results_tag(judgement->fields[i].value, "d", domain, size);
	}
	if (signatures != 1)
		*domain = '\0';
}

/* One field of our own server. False when it only claims to be that. */
static bool read_stamp(struct judgement *judgement, const struct origin_trust *trust,
	const struct tokenizer_field *field)
{
	struct result result = {.method = "dkim"};

	if (field->cut)
		return false;
	if (is_field_named(field, "authentication-results"))
		return results_read(field->value, trust->authserv_ids, on_result, judgement);
	if (is_field_named(field, "received-spf"))
		return results_read_spf(field->value, trust->authserv_ids, on_result, judgement);
	results_read_bare(field->value, &result);
	if (!*result.domain)
		only_signer(judgement, result.domain, sizeof(result.domain));
	on_result(judgement, &result);
	return true;
}

static void read_stamps(struct origin *origin, const struct origin_trust *trust,
	const struct tokenizer_field *fields, size_t count, size_t border)
{
	struct judgement judgement = {.origin = origin, .fields = fields, .count = count};
	size_t end = border;

	if (trust->below_received) {
		for (end = border + 1; end < count && !is_field_named(&fields[end], "received");)
			end++;
	}
	for (size_t i = 0; i < count; i++) {
		if (!is_listed(fields[i].name, trust->header_names))
			continue;
		if (i < end && read_stamp(&judgement, trust, &fields[i]))
			origin->stamped = true;
		else if (i >= end && results_claims(fields[i].value, trust->authserv_ids))
			origin->forged = true;
	}
}

void origin_read(struct origin *origin, const struct origin_trust *trust,
	const struct tokenizer_field *fields, size_t count)
{
	*origin = (struct origin){0};
	read_authors(origin, fields, count);
	read_list(origin, fields, count);
	size_t border = find_border(origin, trust, fields, count);
	origin->provable = trust->authserv_ids && *trust->authserv_ids;
	if (origin->provable && origin->received > 0)
		read_stamps(origin, trust, fields, count, border);
	/* Two authors: which one would be proven? */
	if (!origin->sole || origin->refuted)
		origin->authenticated = false;
}

bool origin_is_believed(const struct origin *origin)
{
	return origin->sole && !origin->refuted && (origin->authenticated || !origin->provable);
}
