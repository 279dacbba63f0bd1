/* Opens, presses, asks and changes a test's service.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fixture.h"

struct store *store;
struct service *service;
struct worker *worker;
struct service_settings settings;
struct failure failure;
int64_t now = 1000;

/* --- Opening ------------------------------------------------------------------------- */

void open_service(void)
{
	assert_ok(service_open(&service, store, &settings, &failure));
	assert_ok(worker_open(service, &worker, &failure));
}

void close_service(void)
{
	worker_close(&worker);
	service_close(&service);
}

void reopen_service(void)
{
	close_service();
	open_service();
}

static void open_uri(const char *uri)
{
	assert_ok(store_open(&store, uri, STORE_WRITE, &failure));
	open_service();
}

void open_memory(void)
{
	open_uri("memory:");
}

void open_file(void)
{
	open_uri(in_folder("hamlet.sqlite"));
}

void setup_memory(void)
{
	settings = service_defaults();
	open_memory();
}

void setup_file(void)
{
	settings = service_defaults();
	open_file();
}

void teardown(void)
{
	close_service();
	store_close(&store);
	remove_folder();
}

/* --- Using --------------------------------------------------------------------------- */

struct press *press_alone(const struct press_info *info, const char *text, size_t length)
{
	struct press *press;
	struct batch *batch;

	assert_ok(press_new(service, info, &press, &failure));
	assert_ok(press_run(press, worker, text, length, &failure));
	assert_ok(batch_begin(service, &press, 1, &batch, &failure));
	assert_ok(batch_run(batch, &failure));
	batch_end(service, &batch);
	return press;
}

struct answer press_text(const struct press_info *info, const char *text, size_t length)
{
	struct press *press = press_alone(info, text, length);
	struct answer answer = *press_answer(press);

	press_free(&press);
	return answer;
}

struct verdict judge_text(const char *user, const char *text, size_t length)
{
	struct query *query;

	assert_ok(query_begin(service, &user, 1, false, &query, &failure));
	assert_ok(query_run(query, worker, text, length, &failure));
	struct verdict verdict = *query_verdict(query, 0);
	query_end(service, &query);
	return verdict;
}

struct policy_view policy(const char *user)
{
	struct policy_view view;
	struct query *query;

	assert_ok(query_begin(service, &user, 1, false, &query, &failure));
	assert_ok(query_policy(query, worker, &view, &failure));
	query_end(service, &query);
	return view;
}

static enum status count_entry(void *context, const struct store_entry *entry)
{
	(void)entry;
	++*(size_t *)context;
	return STATUS_OK;
}

size_t count_entries(const char *scope)
{
	size_t count = 0;

	assert_ok(store_entries(worker_reader(worker), scope, 0, count_entry, &count, &failure));
	return count;
}

enum status try_change(struct change *change, struct receipt *receipt)
{
	enum status status;

	do
		status = change_run(change, &failure);
	while (status == STATUS_OK && change_goes_on(change));
	*receipt = *change_receipt(change);
	change_end(service, &change);
	return status;
}

struct receipt run_change(struct change *change)
{
	struct receipt receipt;

	assert_ok(try_change(change, &receipt));
	return receipt;
}

struct receipt lay_down(const char *scope, int kind, const char *name, const char *value)
{
	const struct store_entry entry = {
		.scope = scope, .kind = kind, .name = name, .value = value, .time = now};
	struct change *change;

	assert_ok(change_entries(service, &entry, 1, AS_USER, &change, &failure));
	return run_change(change);
}

struct receipt erase(const char *user)
{
	struct change *change;

	assert_ok(change_erase(service, user, &change, &failure));
	return run_change(change);
}
