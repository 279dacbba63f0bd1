/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * Score, report and why in one flow: a message teaches, is judged and explained, and
 * leaves as what clients get. The report is ASCII, the JSON is JSON, and a reply is as
 * long as it says. The first byte chooses who and what. */
#include <glib.h>
#include <stdint.h>

#include "engine/protocol/spamd.h"
#include "tests/fuzz/use_service.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	TEACHES = 1,
	AS_SPAM = 2,
	OF_BOB = 4,
	FOR_BOTH = 8,
	WHOLE = 16, /* PROCESS, else HEADERS */
	MAX_SIZE = 65536,
};

static const char *const USERS[] = {"ann@example.org", "bob"};

static struct service *service;
static struct worker *worker;

static void lay_down(const char *scope, const char *name, const char *value)
{
	const struct store_entry entry = {scope, ENTRY_LIST, name, value, 5};
	struct failure failure = {0};
	struct change *change;

	REQUIRE(change_entries(service, &entry, 1, AS_USER, &change, &failure) == STATUS_OK);
	use_change(service, change);
}

static void start(void)
{
	static const char *const ids[] = {"mx.example.org", NULL};
	static const char *const fields[] = {
		"Authentication-Results", "Received-SPF", "X-HE-DKIM-Result", NULL};
	static const char *const networks[] = {"127.0.0.0/8", "10.0.0.0/8", NULL};
	struct service_settings settings = service_defaults();
	struct failure failure = {0};
	struct store *store;

	settings.authserv_ids = ids;
	settings.authentication_headers = fields;
	settings.own_networks = networks;
	settings.spam_action = ACTION_REJECT;
	REQUIRE(store_open(&store, "memory:", STORE_WRITE, &failure) == STATUS_OK);
	REQUIRE(service_open(&service, store, &settings, &failure) == STATUS_OK);
	REQUIRE(worker_open(service, &worker, &failure) == STATUS_OK);
	lay_down("bob", "news@shop.example", "allow");
	lay_down("@example.org", "bad.example", "block");
}

static void teach(unsigned mode, const char *message, size_t length)
{
	struct press_info info = {.user = USERS[mode & OF_BOB ? 1 : 0],
		.time = 1000,
		.consent = CONSENT_GRANTED,
		.event = {.kind = EVENT_TOLD, .label = mode & AS_SPAM ? LABEL_SPAM : LABEL_HAM}};

	use_press(service, worker, &info, message, length);
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
	char *report = render_report(verdict);
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
	if (!service)
		start();
	if (size < 1 || size > MAX_SIZE)
		return 0;
	unsigned mode = data[0];
	const char *message = (const char *)data + 1;

	if (mode & TEACHES)
		teach(mode, message, size - 1);
	struct query *query =
		use_query(service, worker, USERS, mode & FOR_BOTH ? 2 : 1, message, size - 1);
	reply(mode, query_verdict(query, query_joint(query)), message, size - 1);
	query_end(service, &query);
	return 0;
}
