/* A small database with damage: bytes of its pages, and values of its rows that no
 * Hamlet writes. It is opened, or refused with a reason; scoring, reports, an expiry, a
 * withdrawal and an erasure end, and what they read is what store_append lets in.
 *
 * The input is a list of changes: where (2 bytes), what (1 byte), how many bytes follow
 * (1 byte), and these. How many bytes are left over at its end, fewer than 4, chooses what
 * the site keeps.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <glib.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <stdint.h>

#include "engine/service/query/query.h"
#include "engine/service/report/report.h"
#include "engine/service/scope/scope.h"
#include "engine/service/secret.h"
#include "engine/service/service.h"
#include "engine/service/upkeep/upkeep.h"
#include "engine/store/driver.h"
#include "tests/fuzz/use_service.h"
#include "tests/unit/store-verbs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A byte counts for much where SQLite keeps what leads to the rest. */
enum { PAGE_SIZE = 16384, HEAD_BYTES = 256, DAMAGES_MAX = 64, PRESSES = 24 };

static const char *const USERS[] = {"ann", "bob@example.org", ""};
enum { USER_COUNT = 3 };

static char *folder, *path;
static char *sound;
static gsize sound_size;

static size_t write_mail(char *text, size_t room, unsigned number)
{
	return (size_t)g_snprintf(text, room,
		"From: a%u@shop.example\r\nSubject: offer %u\r\nList-Id: <l.example>\r\n\r\n"
		"pills%u meeting%u lottery and more\r\n",
		number % 5, number, number % 7, number % 3);
}

static void press(struct service *service, struct worker *worker, unsigned number, int label)
{
	char text[512];
	size_t length = write_mail(text, sizeof(text), number);
	struct press_info info = {.user = USERS[number % USER_COUNT],
		.time = 86400 * (int64_t)number,
		.consent = CONSENT_GRANTED,
		.event = {.kind = EVENT_TOLD, .label = (enum label)label}};

	use_press(service, worker, &info, text, length);
}

static void lay_down(struct service *service, const struct store_entry *entry)
{
	struct failure failure = {0};
	struct change *change;
	enum status status = change_entries(service, entry, 1, AS_USER, &change, &failure);

	use_failure(status, &failure);
	if (status == STATUS_OK)
		use_change(service, change);
}

static void fill(struct service *service, struct worker *worker)
{
	static const struct store_entry entries[] = {
		{"ann", ENTRY_LIST, "x.example", "block", 5},
		{"ann", ENTRY_POLICY, "junk-score", "4", 5},
		{"@example.org", ENTRY_LIST, "y.example", "allow", 5},
	};
	struct failure failure = {0};

	for (unsigned i = 0; i < PRESSES; i++)
		press(service, worker, i, i % 2 ? LABEL_SPAM : LABEL_HAM);
	press(service, worker, 1, LABEL_HAM);
	press(service, worker, 3, LABEL_FORGET);
	for (size_t i = 0; i < G_N_ELEMENTS(entries); i++)
		lay_down(service, &entries[i]);
	REQUIRE(service_checkpoint(service, &failure) == STATUS_OK);
	press(service, worker, 100, LABEL_SPAM); /* is replayed at the next start */
}

static enum status check_report(void *context, const struct report *report)
{
	(void)context;
	REQUIRE(store_check_report(report, NULL) == STATUS_OK);
	return STATUS_OK;
}

static enum status check_token(void *context, const struct store_token *token)
{
	(void)context;
	REQUIRE(store_is_token(token));
	return STATUS_OK;
}

static void read_counts(struct store_reader *reader)
{
	struct failure failure = {0};
	struct store_stats stats;

	use_failure(store_read_stats(reader, true, &stats, &failure), &failure);
}

static void read_all(struct store_reader *reader)
{
	struct failure failure = {0};

	read_counts(reader);
	use_failure(walk_after(reader, 0, check_report, NULL, &failure), &failure);
	use_failure(counting_reports(reader, check_report, NULL, &failure), &failure);
	use_failure(all_of_user(reader, "ann", 0, 100, check_report, NULL, &failure), &failure);
	use_failure(counting_of_user(reader, "ann", 100, check_report, NULL, &failure), &failure);
	use_failure(walk_tokens(reader, check_token, NULL, &failure), &failure);
}

static void use_all(struct service *service, struct worker *worker, bool certain)
{
	const struct clock_reading clock = {.now = 86400 * (int64_t)PRESSES, .certain = certain};
	const struct store_entry withdrawal = {"bob@example.org", ENTRY_CONSENT, "", "declined", 9};
	struct failure failure = {0};
	struct change *change;
	char text[512];
	size_t length = write_mail(text, sizeof(text), 4);
	struct query *query = use_query(service, worker, USERS, USER_COUNT, false, text, length);

	query_end(service, &query);
	read_all(worker_reader(worker));
	press(service, worker, 4, LABEL_SPAM);
	press(service, worker, 6, LABEL_FORGET);
	press(service, worker, 50, LABEL_HAM);
	use_change(service, change_expire(service, &clock));
	(void)service_is_untidy(service); /* of so small a one it never is */
	service_tidy(service);
	lay_down(service, &withdrawal);
	if (change_erase(service, "ann", &change, &failure) == STATUS_OK)
		use_change(service, change);
	use_failure(service_checkpoint(service, &failure), &failure);
}

/* By age and number; by idleness and room; by tokens alone; a little at a time, by a clock
 * that is not believed. */
static void choose_limits(struct service_settings *settings, size_t choice)
{
	static const struct retention kept[4] = {
		{.reports = 6, .days = 10},
		{.days = 12, .idle_days = 9, .bytes = 1},
		{.idle_days = 15},
		{.reports = 2, .days = 4, .idle_days = 8, .most = 5, .bytes = 150000},
	};

	settings->retention = kept[choice];
	settings->global_tokens = choice == 2 ? 20 : 0;
}

static void use_database(bool first, size_t choice)
{
	static const struct tokenizer_secret secret = {.bytes = "sixteen bytes..."};
	struct service_settings settings = service_defaults();
	struct failure failure = {0};
	struct store *store = NULL;
	struct service *service = NULL;
	struct worker *worker = NULL;
	enum status status = store_open(&store, path, STORE_WRITE, &failure);

	choose_limits(&settings, choice);
	if (status == STATUS_OK && first)
		status =
			put_value(store, SECRET_NAME, secret.bytes, sizeof(secret.bytes), &failure);
	if (status == STATUS_OK)
		status = service_open(&service, store, &settings, &failure);
	if (status == STATUS_OK)
		status = worker_open(service, &worker, &failure);
	use_failure(status, &failure);
	REQUIRE(status == STATUS_OK || !first);
	if (status == STATUS_OK && first)
		fill(service, worker);
	else if (status == STATUS_OK)
		use_all(service, worker, choice != 3);
	worker_close(&worker);
	service_close(&service);
	store_close(&store);
}

/* --- Damage --------------------------------------------------------------------- */

static void execute(const char *sql)
{
	sqlite3 *db;

	REQUIRE(sqlite3_open(path, &db) == SQLITE_OK);
	REQUIRE(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_close(db);
}

struct change_of {
	unsigned where, what;
	const uint8_t *bytes;
	size_t length;
};

/* Bytes of a page, more often in its head. */
static void damage_page(char *database, const struct change_of *damage)
{
	size_t pages = sound_size / PAGE_SIZE;
	size_t at = damage->where % pages * PAGE_SIZE +
		(damage->what & 2 ? damage->where / pages * 16 % PAGE_SIZE
				  : damage->what / 4 * 4 % HEAD_BYTES);

	for (size_t i = 0; i < damage->length && at + i < sound_size; i++)
		database[at + i] = (char)damage->bytes[i];
}

static const char *const COLUMNS[][2] = {{"journal", "tokens"}, {"journal", "head_sum"},
	{"journal", "head_gain"}, {"journal", "body_sum"}, {"journal", "body_gain"},
	{"journal", "bias_gain"}, {"journal", "undone_head_sum"}, {"journal", "undone_bias_gain"},
	{"journal", "margin"}, {"journal", "label"}, {"journal", "flags"}, {"journal", "time"},
	{"journal", "message"}, {"journal", "user"}, {"journal", "supersedes"},
	{"journal", "sender"}, {"journal", "list"}, {"journal", "seq"}, {"token", "key"},
	{"token", "sum"}, {"token", "gain"}, {"meta", "value"}, {"meta", "name"},
	{"entry", "scope"}, {"entry", "kind"}, {"entry", "name"}, {"entry", "value"},
	{"entry", "time"}, {"user", "name"}, {"user", "id"}, {"sqlite_sequence", "seq"},
	{"sqlite_sequence", "name"}};

static void bind_value(sqlite3_stmt *update, const struct change_of *damage)
{
	static const char large[100000] = "";
	int64_t number = 0;
	double real = 0;
	size_t length = MIN(damage->length, sizeof(number));

	if (length > 0) {
		memcpy(&number, damage->bytes, length);
		memcpy(&real, damage->bytes, length);
	}
	switch (damage->what / 4 % 7) {
	case 0:
		sqlite3_bind_int64(update, 1, number);
		break;
	case 1:
		sqlite3_bind_double(update, 1, real);
		break;
	case 2:
		sqlite3_bind_text(
			update, 1, (const char *)damage->bytes, (int)damage->length, SQLITE_STATIC);
		break;
	case 3:
		sqlite3_bind_blob(update, 1, large, sizeof(large), SQLITE_STATIC);
		break;
	case 4:
		sqlite3_bind_int64(update, 1, length % 2 ? INT64_MAX : INT64_MIN);
		break;
	case 5:
		sqlite3_bind_null(update, 1);
		break;
	default:
		sqlite3_bind_blob(update, 1, damage->bytes, (int)damage->length, SQLITE_STATIC);
		break;
	}
}

/* One row gets a value that no Hamlet gave it. What SQLite refuses stays as it is. */
static void damage_row(sqlite3 *db, const struct change_of *damage)
{
	const char *table = COLUMNS[damage->where % G_N_ELEMENTS(COLUMNS)][0];
	const char *column = COLUMNS[damage->where % G_N_ELEMENTS(COLUMNS)][1];
	sqlite3_stmt *update = NULL;
	char *sql = g_strdup_printf("UPDATE OR IGNORE %s SET %s = ?1 WHERE %s IN "
				    "(SELECT %s FROM %s LIMIT 1 OFFSET %u)",
		table, column, column, column, table, damage->where / 256 % 32);

	if (sqlite3_prepare_v2(db, sql, -1, &update, NULL) == SQLITE_OK) {
		bind_value(update, damage);
		sqlite3_step(update);
	}
	sqlite3_finalize(update);
	g_free(sql);
}

/* The next of the input; false at its end. */
static bool next_damage(const uint8_t **data, size_t *size, struct change_of *damage)
{
	if (*size < 4)
		return false;
	*damage = (struct change_of){.where = (unsigned)((*data)[0] | (*data)[1] << 8),
		.what = (*data)[2],
		.bytes = *data + 4,
		.length = MIN((*data)[3], *size - 4)};
	*data += 4 + damage->length;
	*size -= 4 + damage->length;
	return true;
}

static size_t left_over(const uint8_t *data, size_t size)
{
	struct change_of damage;

	while (next_damage(&data, &size, &damage))
		;
	return size;
}

static void write_file(const char *database)
{
	GError *error = NULL;

	REQUIRE(g_file_set_contents(path, database, (gssize)sound_size, &error));
}

/* Rows first, since damaged pages would keep SQLite from them. */
static void damage_all(const uint8_t *data, size_t size)
{
	const uint8_t *at = data;
	size_t left = size;
	struct change_of damage;
	sqlite3 *db;
	gsize length;
	char *database = NULL;

	write_file(sound);
	REQUIRE(sqlite3_open(path, &db) == SQLITE_OK);
	for (int i = 0; i < DAMAGES_MAX && next_damage(&at, &left, &damage); i++) {
		if (damage.what & 1)
			damage_row(db, &damage);
	}
	sqlite3_close(db);
	REQUIRE(g_file_get_contents(path, &database, &length, NULL));
	if (length == sound_size) {
		for (int i = 0; i < DAMAGES_MAX && next_damage(&data, &size, &damage); i++) {
			if (!(damage.what & 1))
				damage_page(database, &damage);
		}
		write_file(database);
	}
	g_free(database);
}

static void remove_files(void)
{
	GDir *files = g_dir_open(folder, 0, NULL);
	const char *name;

	while (files && (name = g_dir_read_name(files))) {
		char *file = g_build_filename(folder, name, NULL);

		g_unlink(file);
		g_free(file);
	}
	if (files)
		g_dir_close(files);
}

static void remove_folder(void)
{
	remove_files();
	g_rmdir(folder);
}

static void make_sound(void)
{
	folder = g_dir_make_tmp("fuzz-database-XXXXXX", NULL);
	REQUIRE(folder);
	path = g_build_filename(folder, "hamlet.sqlite", NULL);
	atexit(remove_folder);
	use_database(true, 0);
	execute("PRAGMA journal_mode = DELETE");
	REQUIRE(g_file_get_contents(path, &sound, &sound_size, NULL));
	REQUIRE(sound_size % PAGE_SIZE == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!sound)
		make_sound();
	remove_files();
	damage_all(data, size);
	use_database(false, left_over(data, size));
	return 0;
}
