/* One person is one user: what names mean, who is found by them, and how a database with
 * other spellings becomes one of users.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "tests/unit/small-mail.h"
#include "tests/unit/store-verbs.h"

static const struct user_naming AS_SPELLED = {.fold = false, .delimiters = ""};
static const struct user_naming USUAL = {.fold = true, .delimiters = "+"};

/* --- What a name means -------------------------------------------------------------- */

static const struct {
	const char *text;
	const char *name; /* NULL = nobody */
	const char *delimiters; /* NULL = "+" */
	bool keep; /* capitals */
} NAMES[] = {
	{"", "", NULL, false},
	{"bob", "bob", NULL, false},
	{"Bob+x", "bob", NULL, false},
	{"Bob+x", "Bob", NULL, true},
	{"Bob+x", "bob+x", "", false},
	{"bob@example.org", "bob@example.org", NULL, false},
	{"BOB@EXAMPLE.ORG", "bob@example.org", NULL, false},
	{"BOB@EXAMPLE.ORG", "BOB@example.org", NULL, true},
	{"bob@example.org.", "bob@example.org", NULL, false},
	{"<bob@example.org>", "bob@example.org", NULL, false},
	{"bob+x+y@example.org", "bob@example.org", NULL, false},
	{"bob+@example.org", "bob@example.org", NULL, false},
	{"+bob@example.org", "+bob@example.org", NULL, false},
	{"+bob+x@example.org", "+bob+x@example.org", NULL, false},
	{"bob-x@example.org", "bob-x@example.org", NULL, false},
	{"bob-x@example.org", "bob@example.org", "+-", false},
	{"bob+x-y@example.org", "bob@example.org", "-+", false},
	/* What Postfix does not split, either. */
	{"owner-list@example.org", "owner-list@example.org", "-", false},
	{"List-Request@example.org", "list-request@example.org", "-", false},
	{"owner-list@example.org", "owner-list@example.org", "+", false},
	{"MAILER-DAEMON@example.org", "mailer-daemon@example.org", "-", false},
	{"double-bounce", "double-bounce", "-", false},
	/* Source routes. */
	{"@a.example:bob@example.org", "bob@example.org", NULL, false},
	{"<@a.example,@b.example:Bob+x@example.org>", "bob@example.org", NULL, false},
	{"@[IPv6:2001:db8::1]:bob@example.org", "bob@example.org", NULL, false},
	{"@a.example:@b.example:bob@example.org", "bob@example.org", NULL, false},
	{"@a.example:bob", "bob", NULL, false},
	{"@a.example:", NULL, NULL, false},
	{"@a.example", NULL, NULL, false},
	{"@a.example:@b.example", NULL, NULL, false},
	/* Quotes. */
	{"\"bob\"@example.org", "bob@example.org", NULL, false},
	{"\"Bob\"", "bob", NULL, false},
	{"\"b\\ob\"@example.org", "bob@example.org", NULL, false},
	{"\"bob smith\"@example.org", "bob smith@example.org", NULL, false},
	{"bob.\"smith\"@example.org", "bob.smith@example.org", NULL, false},
	{"\"bob+x\"@example.org", "bob@example.org", NULL, false},
	{"\"a@b\"@example.org", "a@b@example.org", NULL, false},
	{"@a.example:\"bob\"@example.org", "bob@example.org", NULL, false},
	{"\"@a:bob\"@example.org", NULL, NULL, false},
	{"\"@x\"@example.org", NULL, NULL, false},
	{"\"<bob>\"@example.org", NULL, NULL, false},
	{"\"a\\\"b\"@example.org", NULL, NULL, false},
	{"\"bob@example.org", NULL, NULL, false},
	{"\"a@b\"", NULL, NULL, false},
	{"\"\"@example.org", NULL, NULL, false},
	/* Domains in one form. */
	{"bob@B\xc3\x9c"
	 "CHER.example",
		"bob@xn--bcher-kva.example", NULL, false},
	{"bob@xn--BCHER-kva.example", "bob@xn--bcher-kva.example", NULL, false},
	{"bob@[192.0.2.1]", "bob@[192.0.2.1]", NULL, false},
	{"bob@[IPv6:2001:DB8::1]", "bob@[ipv6:2001:db8::1]", NULL, false},
	{"bob@", NULL, NULL, false},
	{"bob@.", NULL, NULL, false},
	{"bob@a..b", NULL, NULL, false},
	{"bob@example.org..", NULL, NULL, false},
	{"bob@exam ple.org", NULL, NULL, false},
	{"bob@example.org>", NULL, NULL, false},
	/* Local parts of other scripts: composed, small. */
	{"J\xc3\x9cRGEN@example.org", "j\xc3\xbcrgen@example.org", NULL, false},
	{"JU\xcc\x88RGEN@example.org", "j\xc3\xbcrgen@example.org", NULL, false},
	{"Ju\xcc\x88rgen@example.org", "J\xc3\xbcrgen@example.org", NULL, true},
	{"\xd0\x91\xd0\x9e\xd0\x91@example.org", "\xd0\xb1\xd0\xbe\xd0\xb1@example.org", NULL,
		false},
	{"I@example.org", "i@example.org", NULL, false}, /* in every locale */
	/* U+0130 and what is the same letter, in capitals and small: never "iris". */
	{"\xc4\xb0ris", "i\xcc\x87ris", NULL, false},
	{"I\xcc\x87RIS", "i\xcc\x87ris", NULL, false},
	{"i\xcc\x87ris", "i\xcc\x87ris", NULL, false},
	/* What cannot be looked up. */
	{"@", NULL, NULL, false},
	{"<>", NULL, NULL, false},
	{"<bob@example.org", NULL, NULL, false},
	{"b\x01ob@example.org", NULL, NULL, false},
	{"bo\tb", NULL, NULL, false},
	{"bob\x7f@example.org", NULL, NULL, false},
	{"b\xc2\x85@example.org", NULL, NULL, false}, /* U+0085 */
	{"b\xffob@example.org", NULL, NULL, false},
	{"b\xef\xbf\xbdob@example.org", NULL, NULL, false},
	{"bob@b\xff.example", NULL, NULL, false},
	/* An extension is nobody's name, whatever is in it. */
	{"bob+\xff\x01@example.org", "bob@example.org", NULL, false},
};

static struct user_naming naming_of(const char *delimiters, bool keep)
{
	struct user_naming naming = {.fold = !keep};

	g_strlcpy(naming.delimiters, delimiters ? delimiters : "+", sizeof(naming.delimiters));
	return naming;
}

/* What is written is read as itself. */
static void assert_stays(const struct user_naming *naming, const char *name)
{
	char again[STORE_MAX_USER + 1];

	ck_assert_msg(user_name(naming, name, again), "%s is nobody", name);
	ck_assert_str_eq(again, name);
}

START_TEST(a_name_means_one_user_however_it_is_written)
{
	char name[STORE_MAX_USER + 1];
	const struct user_naming naming = naming_of(NAMES[_i].delimiters, NAMES[_i].keep);
	bool found = user_name(&naming, NAMES[_i].text, name);

	ck_assert_msg(found == (NAMES[_i].name != NULL), "%s: %s", NAMES[_i].text, name);
	ck_assert_str_eq(name, found ? NAMES[_i].name : "");
	assert_stays(&naming, name);
}
END_TEST

START_TEST(what_is_too_long_is_nobody_and_an_extension_is_not)
{
	char text[70000], name[STORE_MAX_USER + 1];

	for (size_t length = 1; length < 400; length++) {
		memset(text, 'a', length);
		strcpy(text + length, "@example.org");
		bool fits = length + strlen("@example.org") <= STORE_MAX_USER;
		ck_assert(user_name(&USUAL, text, name) == fits);
		ck_assert_uint_eq(strlen(name), fits ? length + strlen("@example.org") : 0);
	}
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	strcpy(text + sizeof(text) - 1 - strlen("@example.org"), "@example.org");
	memcpy(text, "bob+", 4);
	ck_assert(user_name(&USUAL, text, name));
	ck_assert_str_eq(name, "bob@example.org");
	text[3] = 'b';
	ck_assert(!user_name(&USUAL, text, name));
	memset(text, '@', sizeof(text) - 1);
	ck_assert(!user_name(&USUAL, text, name));
	for (size_t i = 1; i < sizeof(text) - 1; i += 2)
		text[i] = ':';
	ck_assert(!user_name(&USUAL, text, name));
}
END_TEST

static void put_letter(char *text, gunichar letter)
{
	int length = g_unichar_to_utf8(letter, text);

	strcpy(text + length, "x@example.org");
}

START_TEST(each_letter_has_one_form)
{
	char text[32], name[STORE_MAX_USER + 1];

	for (gunichar letter = 1; letter < 0x110000; letter++) {
		for (int keep = 0; keep < 2; keep++) {
			const struct user_naming naming = naming_of("+-.;", keep);
			if (letter >= 0xD800 && letter < 0xE000)
				continue;
			put_letter(text, letter);
			if (user_name(&naming, text, name))
				assert_stays(&naming, name);
		}
	}
}
END_TEST

/* Made of the pieces that mean something. */
static void put_random(char *text, GRand *random)
{
	static const char *const pieces[] = {"@", "\"", "\\", "<", ">", ":", "+", "-", "a", "B",
		".", "[", "]", " ", "\xc3\x9c", "u\xcc\x88", "\xff", "owner-", "-request", "xn--",
		"\xce\xa3", "\xc4\xb0", "x.example"};
	int count = g_rand_int_range(random, 1, 12);

	*text = '\0';
	while (count-- > 0)
		strcat(text, pieces[g_rand_int_range(random, 0, G_N_ELEMENTS(pieces))]);
}

START_TEST(whatever_is_written_stays)
{
	GRand *random = g_rand_new_with_seed(13);
	char text[256], name[STORE_MAX_USER + 1];
	int found = 0;

	for (int i = 0; i < 200000; i++) {
		const struct user_naming naming = naming_of(i % 3 == 0 ? "+"
				: i % 3 == 1                           ? "-+"
								       : "",
			i % 2);
		put_random(text, random);
		if (user_name(&naming, text, name)) {
			assert_stays(&naming, name);
			ck_assert(*name != '@' && *name);
			found++;
		}
	}
	ck_assert_int_gt(found, 10000);
	g_rand_free(random);
}
END_TEST

START_TEST(a_scope_is_a_site_a_domain_or_a_user)
{
	static const char *const scopes[][2] = {{"", ""}, {"@Example.ORG", "@example.org"},
		{"@example.org.", "@example.org"},
		{"@B\xc3\xbc"
		 "cher.example",
			"@xn--bcher-kva.example"},
		{"Bob+x", "bob"}, {"@a.example:Bob@example.org", "bob@example.org"}, {"@", NULL},
		{"@a b", NULL}, {"@a@b", NULL}, {"@.", NULL}, {"\"@x\"@example.org", NULL}};
	char scope[STORE_MAX_USER + 1];

	for (size_t i = 0; i < G_N_ELEMENTS(scopes); i++) {
		ck_assert(user_scope(&USUAL, scopes[i][0], scope) == (scopes[i][1] != NULL));
		ck_assert_str_eq(scope, scopes[i][1] ? scopes[i][1] : "");
	}
}
END_TEST

/* --- Who is found ----------------------------------------------------------------------- */

static enum status lay_down_as(
	enum authority authority, const char *scope, int kind, const char *name, const char *value)
{
	const struct store_entry entry = {
		.scope = scope, .kind = kind, .name = name, .value = value, .time = 1000};
	struct change *change;
	struct receipt receipt;
	enum status status = change_entries(service, &entry, 1, authority, &change, &failure);

	return status == STATUS_OK ? try_change(change, &receipt) : status;
}

static enum status collect(void *context, const struct store_entry *entry)
{
	g_string_append_printf(context, "%d/%s=%s ", entry->kind, entry->name, entry->value);
	return STATUS_OK;
}

/* "kind/name=value " of a scope; static. */
static const char *entries_of(const char *scope)
{
	static char text[1024];
	GString *list = g_string_new(NULL);

	assert_ok(store_entries(worker_reader(worker), scope, 0, collect, list, &failure));
	g_strlcpy(text, list->str, sizeof(text));
	g_string_free(list, TRUE);
	return text;
}

static const char *const SPELLINGS[] = {"bob@example.org", "BOB@example.org", "bob@Example.ORG",
	"<Bob@example.org>", "bob+list@example.org", "\"bob\"@example.org",
	"@relay.example,@b.example:bob@example.org"};

START_TEST(every_spelling_has_what_one_of_them_got)
{
	press_as(SPELLINGS[_i], 1, LABEL_SPAM, CONSENT_DEFAULT, 1000);
	lay_down(SPELLINGS[_i], ENTRY_LIST, "a2@example.org", "block");
	lay_down("@EXAMPLE.org", ENTRY_LIST, "a3@example.org", "block");
	ck_assert(!judge("", 1).spam && !judge("eve@example.org", 1).spam);
	for (size_t i = 0; i < G_N_ELEMENTS(SPELLINGS); i++) {
		ck_assert(judge(SPELLINGS[i], 1).spam);
		ck_assert_int_eq(judge(SPELLINGS[i], 2).match.scope, LIST_USER);
		ck_assert_int_eq(judge(SPELLINGS[i], 3).match.scope, LIST_DOMAIN);
	}
	ck_assert_int_eq(press(SPELLINGS[0], 1, LABEL_FORGET).outcome, OUTCOME_FORGOTTEN);
	ck_assert(!judge(SPELLINGS[_i], 1).spam);
	press_as("bob@example.org", 1, LABEL_SPAM, CONSENT_DEFAULT, 1000);
	erase(SPELLINGS[_i]);
	ck_assert(!judge("bob@example.org", 1).spam);
	ck_assert_str_eq(entries_of("bob@example.org"), "");
}
END_TEST

START_TEST(nobody_is_judged_as_everybody_and_is_no_failure)
{
	char longest[400];
	const char *const users[] = {"bob@example.org", longest, "@x", "b\x01", "b\xff@example.org",
		"\"@x\"@example.org", "<>"};
	char text[1024];
	size_t length = mail(text, sizeof(text), 1);
	const char *first;
	struct query *query;

	memset(longest, 'l', sizeof(longest));
	strcpy(longest + 300, "@example.org");
	press_as("bob@example.org", 1, LABEL_SPAM, CONSENT_DEFAULT, 1000);
	assert_ok(query_begin(service, users, G_N_ELEMENTS(users), false, &query, &failure));
	ck_assert_uint_eq(query_nobodies(query, &first), G_N_ELEMENTS(users) - 1);
	ck_assert_ptr_eq(first, longest);
	assert_ok(query_run(query, worker, text, length, &failure));
	ck_assert(query_verdict(query, 0)->spam);
	for (size_t i = 1; i < G_N_ELEMENTS(users); i++) {
		ck_assert_str_eq(query_user(query, i), "");
		ck_assert_double_eq(query_verdict(query, i)->score, judge("", 1).score);
	}
	query_end(service, &query);
}
END_TEST

START_TEST(a_domains_word_holds_for_nobody_as_well)
{
	const char *const users[] = {"bob@example.org", "\"@x\"@Example.ORG", "@Example.org",
		"@relay.example:b\x01@example.org", "b\x01@example.com", "b\x01"};
	static const enum action wanted[] = {
		ACTION_TAG, ACTION_TAG, ACTION_TAG, ACTION_TAG, ACTION_JUNK, ACTION_JUNK};

	lay_down("@example.org", ENTRY_POLICY, POLICY_SPAM_ACTION, "tag");
	lay_down("", ENTRY_LIST, "a1@example.org", "block");
	for (size_t i = 0; i < G_N_ELEMENTS(users); i++)
		ck_assert_int_eq(judge(users[i], 1).action, wanted[i]);
}
END_TEST

START_TEST(nothing_is_learned_or_laid_down_for_nobody)
{
	static const char *const names[] = {
		"@x", "@", "b\x01", "b\xff", "\"@x\"@example.org", "<>"};
	struct change *change;
	struct press *one;

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		const struct press_info info = {.user = names[i], .event = {.label = LABEL_SPAM}};
		ck_assert_int_eq(press_new(service, &info, &one, &failure), STATUS_INVALID);
		ck_assert_int_eq(
			change_erase(service, names[i], &change, &failure), STATUS_INVALID);
		ck_assert_ptr_null(change);
		if (strcmp(names[i], "@x") != 0) /* that is a domain */
			ck_assert_int_eq(lay_down_as(AS_USER, names[i], ENTRY_LIST, "a@example.org",
						 "block"),
				STATUS_INVALID);
	}
}
END_TEST

/* --- Whom an administrator bars ------------------------------------------------------------ */

START_TEST(what_an_administrator_declines_no_press_overrules)
{
	assert_ok(lay_down_as(AS_ADMINISTRATOR, "Mallory", ENTRY_CONSENT, "", "declined"));
	ck_assert_str_eq(entries_of("mallory"), "1/=barred ");
	struct answer answer = press("mallory", 1, LABEL_SPAM);
	ck_assert(!answer.taught_global && !answer.ask_consent);
	answer = press("mallory", 1, LABEL_SPAM);
	ck_assert(!answer.taught_global && answer.outcome == OUTCOME_REPEAT);
	ck_assert(judge("mallory", 1).spam);
	press_as("mallory", 2, LABEL_SPAM, CONSENT_DECLINED, 1000);
	ck_assert_str_eq(entries_of("mallory"), "1/=barred ");
	ck_assert_int_eq(
		lay_down_as(AS_USER, "mallory", ENTRY_CONSENT, "", "granted"), STATUS_DENIED);
	ck_assert_int_eq(lay_down_as(AS_USER, "mallory", ENTRY_CONSENT, "", NULL), STATUS_DENIED);
	ck_assert_int_eq(lay_down_as(AS_USER, "eve", ENTRY_CONSENT, "", "barred"), STATUS_DENIED);
	ck_assert_str_eq(entries_of("eve"), "");
	lay_down("mallory", ENTRY_LIST, "a@example.org", "block");
	assert_ok(lay_down_as(AS_ADMINISTRATOR, "mallory", ENTRY_CONSENT, "", NULL));
	ck_assert(press("mallory", 3, LABEL_SPAM).taught_global);
	assert_ok(lay_down_as(AS_ADMINISTRATOR, "mallory", ENTRY_CONSENT, "", "declined"));
	ck_assert(!press("mallory", 4, LABEL_SPAM).taught_global);
	assert_ok(lay_down_as(AS_ADMINISTRATOR, "mallory", ENTRY_CONSENT, "", "granted"));
	ck_assert(press("mallory", 5, LABEL_SPAM).taught_global);
}
END_TEST

START_TEST(a_bar_withdraws_what_was_shared)
{
	for (unsigned i = 0; i < 20; i++)
		press("eve", i, LABEL_HAM);
	double before = score(30);
	press("mallory", 30, LABEL_SPAM);
	ck_assert_double_ne(score(30), before);
	assert_ok(lay_down_as(AS_ADMINISTRATOR, "mallory", ENTRY_CONSENT, "", "declined"));
	ck_assert_double_eq(score(30), before);
	assert_exact();
}
END_TEST

/* --- Another spelling becomes the user -------------------------------------------------------- */

static void spell_freely(void)
{
	settings.naming = AS_SPELLED;
	assert_ok(service_configure(service, &settings, &failure));
	for (unsigned i = 0; i < 40; i++)
		press("ann@example.org", i, i % 2 ? LABEL_SPAM : LABEL_HAM);
}

static struct renaming rename_to(const struct user_naming *naming)
{
	struct renaming renaming;

	close_service();
	assert_ok(renaming_run(store, naming, NULL, NULL, &renaming, &failure));
	settings.naming = *naming;
	open_service();
	return renaming;
}

static enum status list_report(void *context, const struct report *report)
{
	g_string_append_printf(context, "%lld:%d%s ", (long long)report->seq, report->label,
		report->count ? "" : "-");
	return STATUS_OK;
}

/* "seq:label ", with "-" where the tokens are gone; static. */
static const char *reports_of(const char *user)
{
	static char text[1024];
	GString *list = g_string_new(NULL);

	assert_ok(
		all_of_user(worker_reader(worker), user, 0, SIZE_MAX, list_report, list, &failure));
	g_strlcpy(text, list->str, sizeof(text));
	g_string_free(list, TRUE);
	return text;
}

START_TEST(two_spellings_become_one_user)
{
	spell_freely(); /* 1 to 40 */
	press("bob@example.org", 50, LABEL_SPAM);
	press("BOB@example.org", 51, LABEL_HAM);
	press("bob+x@example.org", 52, LABEL_SPAM);
	press("bob@example.org", 53, LABEL_HAM);
	lay_down("BOB@example.org", ENTRY_LIST, "a@example.net", "block");
	lay_down("Eve+x", ENTRY_LIST, "b@example.net", "allow");
	double before = score(52);
	if (_i)
		assert_ok(service_checkpoint(service, &failure));
	struct renaming renaming = rename_to(&USUAL);
	ck_assert_int_eq(renaming.renamed, 3);
	ck_assert_int_eq(renaming.reports, 2);
	ck_assert(!renaming.refold && renaming.nobodies == 0);
	ck_assert_str_eq(reports_of("bob@example.org"), "41:2 42:1 43:2 44:1 ");
	ck_assert_str_eq(reports_of("BOB@example.org"), "");
	ck_assert_str_eq(entries_of("eve"), "2/b@example.net=allow ");
	ck_assert_str_eq(entries_of("Eve+x"), "");
	ck_assert_int_eq(judge("Bob@example.org", 52).match.scope, LIST_NONE);
	ck_assert(judge("Bob@example.org", 52).spam);
	ck_assert_double_eq(score(52), before);
	ck_assert_int_eq(press("bob@example.org", 51, LABEL_HAM).outcome, OUTCOME_REPEAT);
	assert_exact();
	renaming = rename_to(&USUAL);
	ck_assert_int_eq(renaming.looked_at, 0); /* the rules are known */
}
END_TEST

START_TEST(of_one_message_the_newest_report_counts)
{
	spell_freely();
	press("Bob", 50, LABEL_SPAM); /* 41 */
	press("bob", 50, LABEL_HAM);
	press("Bob", 50, LABEL_HAM); /* flips 41 */
	press("BOB", 51, LABEL_SPAM); /* 44 */
	press("bob", 51, LABEL_FORGET); /* nothing to forget */
	press("bob", 51, LABEL_SPAM); /* 45 */
	press("bob", 51, LABEL_FORGET); /* 46 */
	if (_i)
		assert_ok(service_checkpoint(service, &failure));
	struct renaming renaming = rename_to(&USUAL);
	ck_assert(renaming.refold);
	ck_assert_int_eq(renaming.renamed, 2);
	ck_assert_int_eq(renaming.reports, 3); /* BOB's became bob's, then Bob's did */
	assert_exact();
	ck_assert_str_eq(reports_of("bob"), "41:2- 42:1- 43:1 44:2- 45:2- 46:0- ");
	ck_assert_int_eq(press("bob", 50, LABEL_HAM).outcome, OUTCOME_REPEAT);
	ck_assert_int_eq(press("bob", 50, LABEL_SPAM).outcome, OUTCOME_FLIP);
	ck_assert_int_eq(press("bob", 51, LABEL_FORGET).outcome, OUTCOME_UNKNOWN);
	assert_exact();
	double present = score(50);
	reopen_service();
	ck_assert_double_eq(score(50), present);
	assert_exact();
}
END_TEST

/* Two consents of one person, and which of them holds. */
static const struct {
	const char *upper, *lower;
	int64_t upper_time, lower_time;
	const char *holds;
	bool withdrawn;
} CONSENTS[] = {
	{"granted", NULL, 5, 0, "granted", false},
	{"granted", "declined", 5, 6, "declined", true},
	{"granted", "declined", 6, 5, "granted", false},
	{"declined", "granted", 5, 6, "granted", false},
	{"declined", "granted", 6, 5, "declined", true},
	{"granted", "declined", 5, 5, "declined", true},
	{"declined", "granted", 5, 5, "declined", true},
	{"barred", "granted", 5, 6, "barred", true},
	{"granted", "barred", 6, 5, "barred", true},
};

START_TEST(of_two_consents_the_newest_holds)
{
	const struct store_entry entries[] = {
		{"Bob", ENTRY_CONSENT, "", CONSENTS[_i].upper, CONSENTS[_i].upper_time},
		{"bob", ENTRY_CONSENT, "", CONSENTS[_i].lower, CONSENTS[_i].lower_time},
		{"Bob", ENTRY_LIST, "a@example.org", "block", 5},
		{"bob", ENTRY_LIST, "a@example.org", "allow", 6},
		{"Bob", ENTRY_LIST, "b@example.org", "block", 7},
		{"bob", ENTRY_LIST, "b@example.org", "allow", 6},
		{"bob", ENTRY_LIST, "c@example.org", "allow", 6}};
	char wanted[256];

	spell_freely();
	double before = score(50);
	press("Bob", 50, LABEL_SPAM);
	press("bob", 51, LABEL_SPAM);
	assert_ok(put_entries(store, entries, G_N_ELEMENTS(entries), &failure));
	ck_assert(rename_to(&USUAL).refold == CONSENTS[_i].withdrawn);
	snprintf(wanted, sizeof(wanted),
		"1/=%s 2/a@example.org=allow 2/b@example.org=block 2/c@example.org=allow ",
		CONSENTS[_i].holds);
	ck_assert_str_eq(entries_of("bob"), wanted);
	ck_assert_str_eq(entries_of("Bob"), "");
	ck_assert((score(50) == before) == CONSENTS[_i].withdrawn);
	ck_assert_str_eq(reports_of("bob"), "41:2 42:2 ");
	assert_exact();
}
END_TEST

START_TEST(domains_and_nobodies)
{
	const struct store_entry entries[] = {{"@b\xc3\xbc"
					       "cher.example",
						      ENTRY_LIST, "a@example.org", "block", 5},
		{"", ENTRY_LIST, "a@example.net", "block", 5},
		{"x\xff", ENTRY_LIST, "b@a.example", "block", 5}};
	uint64_t keys[] = {5};
	struct report reports[] = {
		{.user = "b\x01ob", .message = 1, .label = LABEL_SPAM, .keys = keys, .count = 1}};

	spell_freely();
	assert_ok(put_entries(store, entries, 3, &failure));
	assert_ok(append_reports(store, reports, 1, &failure));
	struct renaming renaming = rename_to(&USUAL);
	ck_assert_int_eq(renaming.renamed, 1);
	ck_assert_int_eq(renaming.nobodies, 2);
	ck_assert_str_eq(entries_of("@xn--bcher-kva.example"), "2/a@example.org=block ");
	ck_assert_str_eq(entries_of(""), "2/a@example.net=block ");
	ck_assert_str_eq(reports_of("b\x01ob"), "41:2 ");
}
END_TEST

START_TEST(other_rules_are_followed_and_noted)
{
	static const struct user_naming dashes = {.fold = true, .delimiters = "+-"};

	spell_freely();
	press("bob-x", 50, LABEL_SPAM);
	rename_to(&USUAL);
	ck_assert_str_eq(reports_of("bob-x"), "41:2 ");
	assert_ok(renaming_check(store, &USUAL, &failure));
	ck_assert_int_eq(renaming_check(store, &dashes, &failure), STATUS_INVALID);
	ck_assert_int_eq(rename_to(&dashes).renamed, 1);
	ck_assert_str_eq(reports_of("bob"), "41:2 ");
	ck_assert_int_eq(renaming_check(store, &USUAL, &failure), STATUS_INVALID);
	ck_assert_int_eq(rename_to(&USUAL).renamed, 0); /* nothing takes it back */
	assert_ok(renaming_check(store, &USUAL, &failure));
}
END_TEST

START_TEST(a_copy_is_kept_of_what_was_before)
{
	struct store *copy;
	struct store_reader *reader;
	GString *list = g_string_new(NULL);

	spell_freely();
	press("Bob", 50, LABEL_SPAM);
	struct renaming renaming = rename_to(&USUAL);
	ck_assert_str_eq(reports_of("bob"), "41:2 ");
	ck_assert_str_eq(renaming.reason, "");
	assert_ok(store_open(&copy, renaming.copy, STORE_READ, &failure));
	assert_ok(store_reader_open(copy, &reader, &failure));
	assert_ok(all_of_user(reader, "Bob", 0, SIZE_MAX, list_report, list, &failure));
	ck_assert_str_eq(list->str, "41:2 ");
	store_reader_close(&reader);
	store_close(&copy);
	g_string_free(list, TRUE);
}
END_TEST

static void add_tests(TCase *tcase)
{
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, two_spellings_become_one_user, 0, 2);
	tcase_add_loop_test(tcase, of_one_message_the_newest_report_counts, 0, 2);
	tcase_add_loop_test(tcase, of_two_consents_the_newest_holds, 0, G_N_ELEMENTS(CONSENTS));
	tcase_add_test(tcase, domains_and_nobodies);
	tcase_add_test(tcase, other_rules_are_followed_and_noted);
}

static Suite *suite(void)
{
	Suite *suite = suite_create("users");
	TCase *names = tcase_create("names"), *memory = tcase_create("memory"),
	      *file = tcase_create("sqlite");

	tcase_set_timeout(names, 120);
	tcase_add_loop_test(
		names, a_name_means_one_user_however_it_is_written, 0, G_N_ELEMENTS(NAMES));
	tcase_add_test(names, what_is_too_long_is_nobody_and_an_extension_is_not);
	tcase_add_test(names, each_letter_has_one_form);
	tcase_add_test(names, whatever_is_written_stays);
	tcase_add_test(names, a_scope_is_a_site_a_domain_or_a_user);
	suite_add_tcase(suite, names);
	tcase_add_checked_fixture(memory, setup_memory, teardown);
	tcase_add_loop_test(
		memory, every_spelling_has_what_one_of_them_got, 0, G_N_ELEMENTS(SPELLINGS));
	tcase_add_test(memory, nobody_is_judged_as_everybody_and_is_no_failure);
	tcase_add_test(memory, a_domains_word_holds_for_nobody_as_well);
	tcase_add_test(memory, nothing_is_learned_or_laid_down_for_nobody);
	tcase_add_test(memory, what_an_administrator_declines_no_press_overrules);
	tcase_add_test(memory, a_bar_withdraws_what_was_shared);
	add_tests(memory);
	suite_add_tcase(suite, memory);
	tcase_add_checked_fixture(file, setup_file, teardown);
	add_tests(file);
	tcase_add_test(file, a_copy_is_kept_of_what_was_before);
	suite_add_tcase(suite, file);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
