/* What a service goes through while its disk fails: presses, changes, checkpoints, adoptions.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/fault/workload.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/made-generation.h"

const char *const WORKLOAD_USERS[WORKLOAD_USER_COUNT] = {
	"", "ann", "bob@example.org", "cid", "dan", "eve@example.org"};

/* Words of a message that has as many tokens as a report may have. */
enum { LARGE_WORDS = 4200 };

/* Rows of a piece of a checkpoint: a round takes several. */
enum { SOME_ROWS = 20 };

static struct service_settings engine_settings(void)
{
	struct service_settings settings = service_defaults();

	settings.default_consent = true;
	settings.retention = (struct retention){.reports = WORKLOAD_KEPT};
	return settings;
}

enum status engine_open(struct engine *engine, const char *path, struct failure *failure)
{
	const struct service_settings settings = engine_settings();
	enum status status;

	*engine = (struct engine){.path = path};
	status = store_open(&engine->store, path, STORE_WRITE, failure);
	if (status == STATUS_OK)
		status = service_open(&engine->service, engine->store, &settings, failure);
	if (status == STATUS_OK)
		status = worker_open(engine->service, &engine->worker, failure);
	if (status != STATUS_OK)
		engine_close(engine);
	return status;
}

void engine_close(struct engine *engine)
{
	if (engine->worker)
		worker_close(&engine->worker);
	if (engine->service)
		service_close(&engine->service);
	if (engine->store)
		store_close(&engine->store);
}

/* --- The ledger ------------------------------------------------------------------- */

struct ledger *ledger_new(void)
{
	struct ledger *ledger = g_new(struct ledger, 1);

	ledger->lines = g_ptr_array_new_with_free_func(g_free);
	return ledger;
}

void ledger_free(struct ledger *ledger)
{
	g_ptr_array_unref(ledger->lines);
	g_free(ledger);
}

char *ledger_line(const char *user, uint64_t identity, enum label label)
{
	return g_strdup_printf("%s %016" G_GINT64_MODIFIER "x %d", user, identity, label);
}

char *ledger_text(const struct ledger *ledger)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < ledger->lines->len; i++)
		g_string_append_printf(text, "%s\n", (char *)ledger->lines->pdata[i]);
	return g_string_free(text, FALSE);
}

static void ledger_erase(struct ledger *ledger, const char *user)
{
	char *prefix = g_strconcat(user, " ", NULL);

	for (guint i = ledger->lines->len; i > 0; i--) {
		if (g_str_has_prefix(ledger->lines->pdata[i - 1], prefix))
			g_ptr_array_remove_index(ledger->lines, i - 1);
	}
	g_free(prefix);
}

/* Reports, flips and forgets alike: a line each, the oldest first. */
static void ledger_expire(struct ledger *ledger, const char *user)
{
	char *prefix = g_strconcat(user, " ", NULL);
	unsigned kept = 0;

	for (guint i = ledger->lines->len; i > 0; i--) {
		if (g_str_has_prefix(ledger->lines->pdata[i - 1], prefix) && ++kept > WORKLOAD_KEPT)
			g_ptr_array_remove_index(ledger->lines, i - 1);
	}
	g_free(prefix);
}

/* --- Steps ------------------------------------------------------------------------ */

GString *workload_mail(unsigned number)
{
	GString *text = g_string_new(NULL);

	g_string_printf(text, "From: a%u@example.org\nSubject: number %u\n\n", number % 5, number);
	for (unsigned i = 0; i < 20; i++)
		g_string_append_printf(text, "word%u ", (number * 7 + i * i) % 50);
	for (unsigned i = 0; number / LARGE == 1 && i < LARGE_WORDS; i++)
		g_string_append_printf(text, "large%u ", i);
	return text;
}

static enum status tokenize(struct engine *engine, const struct step *step, unsigned number,
	struct press **press, struct failure *failure)
{
	const struct press_info info = {.user = step->user,
		.event = {.kind = EVENT_TOLD, .label = step->label},
		.consent = strcmp(step->user, "dan") == 0 ? CONSENT_DECLINED : CONSENT_GRANTED,
		.time = 1000};
	GString *text = workload_mail(number);
	enum status status = press_new(engine->service, &info, press, failure);

	if (status == STATUS_OK)
		status = press_run(*press, engine->worker, text->str, text->len, failure);
	g_string_free(text, TRUE);
	return status;
}

static void acknowledge(const struct step *step, struct ledger *ledger, struct press *press)
{
	const struct answer *answer = press_answer(press);

	if (answer->seq > 0)
		g_ptr_array_add(
			ledger->lines, ledger_line(step->user, answer->identity, answer->label));
}

static enum status do_press(struct engine *engine, const struct step *step, struct ledger *ledger,
	struct failure *failure)
{
	struct press *presses[8] = {NULL};
	struct batch *batch;
	enum status status = STATUS_OK;

	g_assert(step->count <= G_N_ELEMENTS(presses));
	for (unsigned i = 0; i < step->count && status == STATUS_OK; i++)
		status = tokenize(engine, step, step->number + i, &presses[i], failure);
	if (status == STATUS_OK)
		status = batch_begin(engine->service, presses, step->count, &batch, failure);
	if (status == STATUS_OK) {
		status = batch_run(batch, failure);
		batch_end(engine->service, &batch);
	}
	for (unsigned i = 0; i < step->count; i++) {
		const struct failure *refusal =
			presses[i] ? &press_answer(presses[i])->failure : NULL;
		if (status == STATUS_OK && refusal->code != STATUS_OK)
			status = failure_set(failure, refusal->code, "%s", refusal->detail);
		if (status == STATUS_OK)
			acknowledge(step, ledger, presses[i]);
		press_free(&presses[i]);
	}
	return status;
}

static enum status run_change(struct engine *engine, struct change *change, struct failure *failure)
{
	enum status status;

	do {
		status = change_run(change, failure);
	} while (status == STATUS_OK && change_goes_on(change));
	change_end(engine->service, &change);
	return status;
}

static enum status do_entry(struct engine *engine, const struct step *step, struct failure *failure)
{
	const struct store_entry entry = step->kind == STEP_ENTRY
		? (struct store_entry){step->user, ENTRY_LIST, "a1@example.org", "block", 5}
		: (struct store_entry){step->user, ENTRY_CONSENT, "", "declined", 5};
	struct change *change;
	enum status status = change_entries(engine->service, &entry, 1, AS_USER, &change, failure);

	return status == STATUS_OK ? run_change(engine, change, failure) : status;
}

/* STATUS_OK of the erasure itself; that the files were not rewritten may be repeated. */
static enum status do_erase(struct engine *engine, const struct step *step, struct ledger *ledger,
	struct failure *failure)
{
	struct change *change;
	enum status status = change_erase(engine->service, step->user, &change, failure);

	if (status == STATUS_OK)
		status = run_change(engine, change, failure);
	if (status == STATUS_OK)
		ledger_erase(ledger, step->user);
	return status;
}

/* The step's user is the only one with too many. */
static enum status do_expire(struct engine *engine, const struct step *step, struct ledger *ledger,
	struct failure *failure)
{
	enum status status = run_change(engine,
		change_expire(engine->service, &(struct clock_reading){.now = 2000}), failure);

	if (status == STATUS_OK)
		ledger_expire(ledger, step->user);
	return status;
}

static enum status do_adopt(struct engine *engine, const char *scratch, struct failure *failure)
{
	char *path = g_strconcat(scratch, "/challenger", NULL);
	enum status status =
		write_made_generation(worker_reader(engine->worker), 100000, "ann", path, failure);
	struct change *adoption = NULL;

	if (status == STATUS_OK)
		status = change_adopt(engine->service, path, NULL, &adoption, failure);
	if (status == STATUS_OK)
		status = change_prepare(adoption, engine->worker, failure);
	if (status == STATUS_OK)
		status = run_change(engine, adoption, failure);
	else
		change_end(engine->service, &adoption);
	g_free(path);
	return status;
}

enum status engine_do(struct engine *engine, const struct step *step, struct ledger *ledger,
	const char *scratch, struct failure *failure)
{
	switch (step->kind) {
	case STEP_PRESS:
		return do_press(engine, step, ledger, failure);
	case STEP_CHECKPOINT:
		return service_checkpoint(engine->service, failure);
	case STEP_CHECKPOINT_SOME:
		if (service_is_untidy(engine->service))
			service_tidy(engine->service);
		return service_checkpoint_some(engine->service, SOME_ROWS, failure);
	case STEP_ENTRY:
	case STEP_WITHDRAW:
		return do_entry(engine, step, failure);
	case STEP_ERASE:
		return do_erase(engine, step, ledger, failure);
	case STEP_EXPIRE:
		return do_expire(engine, step, ledger, failure);
	case STEP_ADOPT:
		return do_adopt(engine, scratch, failure);
	case STEP_REOPEN:
		engine_close(engine);
		return engine_open(engine, engine->path, failure);
	}
	return STATUS_INVALID;
}

/* --- The workload ------------------------------------------------------------------- */

static void add(GArray *steps, enum step_kind kind, const char *user)
{
	const struct step step = {.kind = kind, .user = user};

	g_array_append_val(steps, step);
}

static void press(
	GArray *steps, const char *user, unsigned number, unsigned count, enum label label)
{
	const struct step step = {STEP_PRESS, user, number, count, label};

	g_array_append_val(steps, step);
}

static const char *user_of(unsigned number)
{
	return WORKLOAD_USERS[number % WORKLOAD_USER_COUNT];
}

/* Reports of everybody; some are flipped and some forgotten later. */
static void press_many(GArray *steps, unsigned from, unsigned count)
{
	for (unsigned i = from; i < from + count; i++) {
		press(steps, user_of(i), i, 1, i % 3 ? LABEL_HAM : LABEL_SPAM);
		if (i % 5 == 4)
			press(steps, user_of(i - 3), i - 3, 1,
				(i - 3) % 3 ? LABEL_SPAM : LABEL_HAM);
		if (i % 7 == 6)
			press(steps, user_of(i - 2), i - 2, 1, LABEL_FORGET);
		if (i % 3 == 1)
			add(steps, STEP_CHECKPOINT_SOME, NULL);
		if (i % 18 == 8)
			add(steps, STEP_CHECKPOINT, NULL);
	}
}

GArray *workload_steps(bool is_long)
{
	GArray *steps = g_array_new(FALSE, FALSE, sizeof(struct step));

	press_many(steps, 0, 24);
	add(steps, STEP_ENTRY, "eve@example.org");
	press(steps, "ann", 100, 8, LABEL_SPAM);
	add(steps, STEP_EXPIRE, "ann");
	press(steps, "cid", LARGE, 1, LABEL_SPAM);
	add(steps, STEP_CHECKPOINT, NULL);
	add(steps, STEP_REOPEN, NULL);
	press(steps, "bob@example.org", LARGE, 1, LABEL_HAM);
	press(steps, "eve@example.org", 101, 4, LABEL_HAM);
	add(steps, STEP_ADOPT, NULL);
	press_many(steps, 200, 10);
	press(steps, "cid", LARGE, 1, LABEL_HAM);
	add(steps, STEP_WITHDRAW, "ann");
	add(steps, STEP_ERASE, "bob@example.org");
	press_many(steps, 300, is_long ? 130 : 2);
	add(steps, STEP_ADOPT, NULL);
	add(steps, STEP_REOPEN, NULL);
	press_many(steps, 400, 4);
	return steps;
}
