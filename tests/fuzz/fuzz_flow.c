/* Score, report and why in one flow: a message teaches, is judged and explained, and
 * leaves as what clients get. The report is ASCII, the JSON is JSON, and a reply is as
 * long as it says. The first byte chooses who and what.
 * SPDX-License-Identifier: Apache-2.0 */
#include <glib.h>
#include <stdint.h>

#include "engine/protocol/spamd.h"
#include "tests/fuzz/use_service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	TEACHES = 1,
	AS_SPAM = 2,
	OF_BOB = 4,
	FOR_ALL = 8,
	WHOLE = 16, /* PROCESS, else HEADERS */
	HIDES_OWN = 32,
	FOR_NOBODY = 64, /* alone */
	UNSIGNED = 128, /* at a site that has not said how its servers sign */
	MAX_SIZE = 65536,
};

/* The last two share a domain with another, and one of them is nobody. */
static const char *const USERS[] = {
	"ann@example.org", "bob", "<Eve+x@Example.ORG>", "\"@\"@example.org"};
enum { NOBODY = 3 };

/* With more reports each flow takes longer, and the less of them a finding needs the better. */
enum { PRESSES_MAX = 300 };

struct site {
	struct store *store;
	struct service *service;
	struct worker *worker;
	int presses;
};

static void lay_down(struct service *service, const struct store_entry *entry)
{
	struct failure failure = {0};
	struct change *change;

	REQUIRE(change_entries(service, entry, 1, AS_USER, &change, &failure) == STATUS_OK);
	use_change(service, change);
}

static void lay_all_down(struct service *service)
{
	static const struct store_entry entries[] = {
		{"bob", ENTRY_LIST, "news@shop.example", "allow", 5},
		{"@example.org", ENTRY_LIST, "bad.example", "block", 5},
		{"ann@example.org", ENTRY_LIST, "o'neil@good.example", "allow", 5},
		{"", ENTRY_LIST, "192.0.2.66", "block", 5},
		{"", ENTRY_TRUST, "bank.example", "trusted", 5},
	};

	for (size_t i = 0; i < G_N_ELEMENTS(entries); i++)
		lay_down(service, &entries[i]);
}

/* Nobody and too many can not be asked for. */
static void check_count(struct service *service)
{
	const char *users[QUERY_MAX_USERS + 2];
	struct failure failure = {0};
	struct query *query;

	for (size_t i = 0; i < G_N_ELEMENTS(users); i++)
		users[i] = "bob";
	REQUIRE(query_begin(service, users, 0, true, &query, &failure) == STATUS_INVALID);
	REQUIRE(query_begin(service, users, G_N_ELEMENTS(users), true, &query, &failure) ==
		STATUS_INVALID);
	REQUIRE(!query && *failure.detail);
}

static void start(struct site *site, const char *authserv_id)
{
	const char *const ids[] = {authserv_id, NULL};
	static const char *const fields[] = {
		"Authentication-Results", "Received-SPF", "X-HE-DKIM-Result", NULL};
	static const char *const networks[] = {"127.0.0.0/8", "10.0.0.0/8", NULL};
	struct service_settings settings = service_defaults();
	struct failure failure = {0};

	settings.authserv_ids = ids;
	settings.authentication_headers = fields;
	settings.own_networks = networks;
	settings.spam_action = ACTION_REJECT;
	REQUIRE(store_open(&site->store, "memory:", STORE_WRITE, &failure) == STATUS_OK);
	REQUIRE(service_open(&site->service, site->store, &settings, &failure) == STATUS_OK);
	REQUIRE(worker_open(site->service, &site->worker, &failure) == STATUS_OK);
	lay_all_down(site->service);
	check_count(site->service);
}

static void end(struct site *site)
{
	worker_close(&site->worker);
	service_close(&site->service);
	store_close(&site->store);
	site->presses = 0;
}

static struct site *site_of(unsigned mode)
{
	static struct site signing, other;
	struct site *site = mode & UNSIGNED ? &other : &signing;

	if (site->presses >= PRESSES_MAX)
		end(site);
	if (!site->service)
		start(site, mode & UNSIGNED ? NULL : "mx.example.org");
	return site;
}

static void teach(struct site *site, unsigned mode, const char *message, size_t length)
{
	struct press_info info = {.user = USERS[mode & OF_BOB ? 1 : 0],
		.time = 1000,
		.consent = CONSENT_GRANTED,
		.event = {.kind = EVENT_TOLD, .label = mode & AS_SPAM ? LABEL_SPAM : LABEL_HAM}};

	site->presses++;
	use_press(site->service, site->worker, &info, message, length);
}

static void check_length(const struct buffer *reply)
{
	static const char field[] = "Content-length: ";
	const char *blank = memmem(reply->data, reply->length, "\r\n\r\n", 4);
	const char *said = memmem(reply->data, reply->length, field, strlen(field));

	REQUIRE(blank && said && said < blank);
	REQUIRE(strtoul(said + strlen(field), NULL, 10) ==
		(size_t)(reply->data + reply->length - blank - 4));
}

static void reply(unsigned mode, const struct verdict *verdict, const char *message, size_t length)
{
	char *report = render_explanation(verdict);
	struct spamd_request request = {.command = mode & WHOLE ? SPAMD_PROCESS : SPAMD_HEADERS,
		.version = 15,
		.user = "bob",
		.message = message,
		.length = length};
	struct spamd_verdict shown = {.spam = verdict->spam,
		.score = verdict->score,
		.threshold = verdict->threshold,
		.reject = 10,
		.action = render_rspamd_action(verdict),
		.symbols = render_symbols(verdict),
		.report = report};
	struct buffer output = BUFFER_INIT(length + (1 << 20));

	spamd_reply_verdict(&output, &request, &shown);
	REQUIRE(!output.failed);
	check_length(&output);
	buffer_clear(&output);
	request.command = SPAMD_REPORT;
	spamd_reply_verdict(&output, &request, &shown);
	check_length(&output);
	buffer_free(&output);
	free(report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1 || size > MAX_SIZE)
		return 0;
	unsigned mode = data[0];
	struct site *site = site_of(mode);
	const char *message = (const char *)data + 1;
	const char *const *users = mode & FOR_NOBODY ? USERS + NOBODY : USERS;
	size_t count = mode & FOR_ALL && !(mode & FOR_NOBODY) ? G_N_ELEMENTS(USERS) : 1;

	if (mode & TEACHES)
		teach(site, mode, message, size - 1);
	struct query *query = use_query(
		site->service, site->worker, users, count, mode & HIDES_OWN, message, size - 1);
	reply(mode, query_verdict(query, query_joint(query)), message, size - 1);
	query_end(site->service, &query);
	return 0;
}
