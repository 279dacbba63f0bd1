/* The reader of MIME structure: what it makes of a message is what GMime's parser, which
 * is used nowhere else, makes of it, as long as the message is well formed; what it
 * makes of broken ones, and that nothing nested deeply ends it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <gmime/gmime.h>

#include "tests/unit/unit.h"
#include "tokenizer/mime-charset.h"
#include "tokenizer/mime.h"
#include "tokenizer/tokenizer.h"

static struct mime_reader *reader;

static void setup(void)
{
	reader = mime_reader_new();
	ck_assert_ptr_nonnull(reader);
}

static void teardown(void)
{
	mime_reader_free(&reader);
	ck_assert_ptr_null(reader);
}

/* --- What a reader tells, as text --------------------------------------------------- */

static void list_header(GString *list, bool nested, const char *name, size_t name_length,
	const char *value, size_t length)
{
	char *raw = g_strndup(value, length);

	g_string_append_printf(list, "%s%.*s:%s\n", nested ? "nested " : "", (int)name_length, name,
		g_strstrip(raw));
	g_free(raw);
}

static void list_part(GString *list, const struct mime_part *part)
{
	static const char *const kinds[] = {"multipart", "message", "plain", "html", "other"};

	g_string_append_printf(list, "%u %s %s", part->depth, kinds[part->kind], part->type);
	if (part->kind != MIME_MULTIPART && part->kind != MIME_MESSAGE)
		g_string_append_printf(list, " %s %s %zu", part->charset ? part->charset : "-",
			part->file_name ? part->file_name : "-", part->size);
	g_string_append_c(list, '\n');
}

static void on_header(void *context, const struct mime_header *header)
{
	list_header(context, header->nested, header->name, header->name_length, header->value,
		header->length);
}

static void on_part(void *context, const struct mime_part *part)
{
	list_part(context, part);
}

static void on_text(void *context, enum mime_kind kind, const char *text, size_t length)
{
	GString *list = context;

	(void)kind;
	g_string_append_c(list, '[');
	g_string_append_len(list, text, (gssize)length);
	g_string_append(list, "]\n");
}

static char *read_mime(const char *message, size_t length)
{
	GString *list = g_string_new(NULL);
	struct mime_handler handler = {on_header, on_part, on_text, list};

	mime_walk(reader, message, length, &handler);
	return g_string_free(list, FALSE);
}

/* --- The same from GMime's tree ----------------------------------------------------- */

static void list_object(GString *list, GMimeObject *object, unsigned depth);

static void list_headers(GString *list, GMimeMessage *message, bool nested)
{
	GMimeHeaderList *headers = g_mime_object_get_header_list(GMIME_OBJECT(message));

	for (int i = 0; i < g_mime_header_list_get_count(headers); i++) {
		GMimeHeader *header = g_mime_header_list_get_header_at(headers, i);
		const char *name = g_mime_header_get_name(header);
		const char *value = g_mime_header_get_raw_value(header);
		list_header(list, nested, name, strlen(name), value, strlen(value));
	}
}

static void list_leaf(GString *list, GMimePart *leaf, struct mime_part *part)
{
	GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(leaf));
	GMimeDataWrapper *content = g_mime_part_get_content(leaf);
	const char *disposition = g_mime_object_get_disposition(GMIME_OBJECT(leaf));
	GMimeStream *decoded = g_mime_stream_mem_new();

	part->size =
		content ? (size_t)g_mime_stream_length(g_mime_data_wrapper_get_stream(content)) : 0;
	part->charset = g_mime_content_type_get_parameter(type, "charset");
	part->file_name = g_mime_part_get_filename(leaf);
	part->kind = disposition && g_ascii_strcasecmp(disposition, "attachment") == 0 ? MIME_OTHER
		: g_mime_content_type_is_type(type, "text", "html")                    ? MIME_HTML
		: g_mime_content_type_is_type(type, "text", "*")                       ? MIME_PLAIN
										       : MIME_OTHER;
	list_part(list, part);
	if (part->kind != MIME_OTHER && part->size > 0) {
		g_mime_data_wrapper_write_to_stream(content, decoded);
		GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(decoded));
		on_text(list, part->kind, (const char *)bytes->data, bytes->len);
	}
	g_object_unref(decoded);
}

static void list_message(GString *list, GMimeMessagePart *object, struct mime_part *part)
{
	GMimeMessage *message = g_mime_message_part_get_message(object);

	part->kind = MIME_MESSAGE;
	list_part(list, part);
	if (!message)
		return;
	list_headers(list, message, true);
	list_object(list, g_mime_message_get_mime_part(message), part->depth + 1);
}

static void list_object(GString *list, GMimeObject *object, unsigned depth)
{
	char *name = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(object));
	struct mime_part part = {.type = name, .kind = MIME_MULTIPART, .depth = depth};

	if (GMIME_IS_MULTIPART(object)) {
		list_part(list, &part);
		for (int i = 0; i < g_mime_multipart_get_count(GMIME_MULTIPART(object)); i++)
			list_object(list, g_mime_multipart_get_part(GMIME_MULTIPART(object), i),
				depth + 1);
	} else if (GMIME_IS_MESSAGE_PART(object)) {
		list_message(list, GMIME_MESSAGE_PART(object), &part);
	} else {
		list_leaf(list, GMIME_PART(object), &part);
	}
	g_free(name);
}

static char *read_gmime(const char *message, size_t length)
{
	GString *list = g_string_new(NULL);
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(message, length);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *parsed = g_mime_parser_construct_message(parser, NULL);

	ck_assert_ptr_nonnull(parsed);
	list_headers(list, parsed, false);
	list_object(list, g_mime_message_get_mime_part(parsed), 0);
	g_object_unref(parsed);
	g_object_unref(parser);
	g_object_unref(stream);
	return g_string_free(list, FALSE);
}

static void assert_as_gmime(const char *message, size_t length)
{
	char *ours = read_mime(message, length);
	char *theirs = read_gmime(message, length);

	/* check has no room for much more. */
	ck_assert_msg(strcmp(ours, theirs) == 0,
		"%.1200s\n--- gives ---\n%.1200s--- GMime: ---\n%.1200s", message, ours, theirs);
	g_free(theirs);
	g_free(ours);
}

/* --- Generated messages --------------------------------------------------------------- */

enum { GENERATED = 300 };

static const char *choose(GRand *rand, const char *const *choices, size_t count)
{
	return choices[g_rand_int_range(rand, 0, (gint32)count)];
}
#define CHOOSE(rand, ...)                                                                          \
	choose(rand, (const char *const[]){__VA_ARGS__},                                           \
		G_N_ELEMENTS(((const char *const[]){__VA_ARGS__})))

static void generate_entity(GRand *rand, GString *text, unsigned depth, bool digest);

static void generate_leaf(GRand *rand, GString *text)
{
	const char *fields = CHOOSE(rand, "", "Content-Type: text/plain; charset=utf-8\n",
		"Content-Type: text/html;\n charset=\"us-ascii\"\n", "content-type: TEXT/X-Other\n",
		"Content-Type: image/png; name=\"a b.png\"\n",
		"Content-Type: message/delivery-status\n",
		"Content-Type: application/pdf; name=\"=?utf-8?q?b=C3=BCll.pdf?=\"\n"
		"Content-Disposition: attachment; filename*=utf-8''r%C3%A4t.pdf\n");

	g_string_append(text, fields);
	switch (g_rand_int_range(rand, 0, 4)) {
	case 0:
		g_string_append(text,
			"Content-Transfer-Encoding: base64\n\n"
			"R3LDvMOfIGRpY2gsIGNhZsOpIHByw6ltaXVtIQ0K\n");
		break;
	case 1:
		g_string_append(text,
			"Content-Transfer-Encoding: quoted-printable\n\n"
			"Gr=C3=BC=C3=9F dich, caf=C3=A9 pr=C3=A9m=\nium!\n");
		break;
	case 2:
		g_string_append(text, "\n");
		break;
	default:
		g_string_append(text, "X-Of-Part: a\n\n--\n-- \nwords\n--no boundary--\n\n");
		break;
	}
}

static void generate_multipart(GRand *rand, GString *text, unsigned depth)
{
	const char *subtype = CHOOSE(rand, "mixed", "alternative", "digest", "signed");
	const char *blank = CHOOSE(rand, "", "", " ", "\t ");
	unsigned number = g_rand_int(rand);
	int parts = g_rand_int_range(rand, 1, 5);

	g_string_append_printf(text, "Content-Type: multipart/%s; boundary=\"b %u\"\n\n%s", subtype,
		number, CHOOSE(rand, "", "preamble\n", "\n\n--\n"));
	for (int i = 0; i < parts; i++) {
		g_string_append_printf(text, "--b %u%s\n", number, blank);
		generate_entity(rand, text, depth + 1, strcmp(subtype, "digest") == 0);
		g_string_append_c(text, '\n'); /* belongs to the delimiter */
	}
	g_string_append_printf(
		text, "--b %u--%s\n%s", number, blank, CHOOSE(rand, "", "epilogue\n"));
}

static void generate_message(GRand *rand, GString *text, unsigned depth)
{
	g_string_append_printf(
		text, "Subject: message\n of level %u\nX-A : b\nTo: a@b.example\n", depth);
	generate_entity(rand, text, depth, false);
}

static void generate_entity(GRand *rand, GString *text, unsigned depth, bool digest)
{
	int choice = depth > 5 ? 0 : g_rand_int_range(rand, 0, 4);

	if (digest) {
		g_string_append_c(text, '\n');
		generate_message(rand, text, depth + 1);
	} else if (choice == 3) {
		g_string_append(text, "Content-Type: message/rfc822\n\n");
		generate_message(rand, text, depth + 1);
	} else if (choice > 0) {
		generate_multipart(rand, text, depth);
	} else {
		generate_leaf(rand, text);
	}
}

START_TEST(well_formed_messages_are_read_as_by_gmime)
{
	GRand *rand = g_rand_new_with_seed((guint32)_i);
	GString *text = g_string_new(NULL);

	generate_message(rand, text, 0);
	assert_as_gmime(text->str, text->len);
	g_string_replace(text, "\n", "\r\n", 0);
	assert_as_gmime(text->str, text->len);
	g_string_free(text, TRUE);
	g_rand_free(rand);
}
END_TEST

/* --- Broken messages -------------------------------------------------------------------- */

#define MIXED "Content-Type: multipart/mixed; boundary=b\n\n"

static const struct {
	const char *message, *list;
} BROKEN[] = {
	{"Subject: a\nbroken line\n of two\nTo: b\n\nc\n",
		"Subject:a\nTo:b\n0 plain text/plain - - 2\n[c\n]\n"},
	{"Subject: a\n: b\n\nc", "Subject:a\n0 plain text/plain - - 1\n[c]\n"},
	{"Subject: a\nIn the mid", "Subject:a\n0 plain text/plain - - 0\n"},
	{"From x\nFrom y\nSubject: a\n\nc", "Subject:a\n0 plain text/plain - - 1\n[c]\n"},
	{"just words\n", "[just words\n]\n"},
	{"X: 1\n" MIXED "--b\n\nnever closed\n",
		"X:1\n0 multipart multipart/mixed\n1 plain text/plain - - 13\n[never closed\n]\n"},
	{"X: 1\n" MIXED "--b\nX: no content\n--b\n\ntwo --b\n--bb\n--b--\nthree\n--b\n\nfour",
		"X:1\n0 multipart multipart/mixed\n1 plain text/plain - - 0\n"
		"1 plain text/plain - - 12\n[two --b\n--bb]\n"},
	{"X: 1\n" MIXED "--b\n--b\n\n--b--",
		"X:1\n0 multipart multipart/mixed\n1 plain text/plain - - 0\n"},
	{"X: 1\n" MIXED
	 "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\nouter ends it\n--b\n\n"
	 "two\n--c\n--b--\n",
		"X:1\n0 multipart multipart/mixed\n1 multipart multipart/mixed\n"
		"2 plain text/plain - - 13\n[outer ends it]\n1 plain text/plain - - 7\n[two\n--c]\n"},
	{"X: 1\n" MIXED "--b\n" MIXED "--b\n\none\n--b\n\ntwo\n--b--\n--b\n\nthree\n--b--\n",
		"X:1\n0 multipart multipart/mixed\n1 multipart multipart/mixed\n"
		"2 plain text/plain - - 3\n[one]\n2 plain text/plain - - 3\n[two]\n"
		"1 plain text/plain - - 5\n[three]\n"},
	{"X: 1\n" MIXED "--b\nContent-Type: message/rfc822\n\n--b--\n",
		"X:1\n0 multipart multipart/mixed\n1 message message/rfc822\n"},
	{"X: 1\n" MIXED "--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
	 "U3ViamVjdDogYQo=\n--b--\n",
		"X:1\n0 multipart multipart/mixed\n1 other message/rfc822 - - 16\n"},
	{"X: 1\nContent-Type: text/html\nContent-Type: text/plain\n\n<b>",
		"X:1\n0 plain text/plain - - 3\n[<b>]\n"},
	{"X: 1\nContent-Type: multipart/mixed\n\nno boundary",
		"X:1\n0 multipart multipart/mixed\n[no boundary]\n"},
	{"X: 1\n" MIXED "nowhere\n--c\n", "X:1\n0 multipart multipart/mixed\n[nowhere\n--c\n]\n"},
	{"X: 1\n" MIXED "--b\n"
	 "Content-Type: multipart/mixed\n\nwithin\n--b--\nnot this\n",
		"X:1\n0 multipart multipart/mixed\n1 multipart multipart/mixed\n[within]\n"},
};

START_TEST(broken_messages_are_read_leniently)
{
	char *list = read_mime(BROKEN[_i].message, strlen(BROKEN[_i].message));

	ck_assert_str_eq(list, BROKEN[_i].list);
	g_free(list);
}
END_TEST

/* --- Bounds ------------------------------------------------------------------------------ */

/* Each # is the number of the piece. */
static char *repeat(const char *start, const char *piece, unsigned times)
{
	GString *text = g_string_new(start);

	for (unsigned i = 0; i < times; i++) {
		for (const char *at = piece; *at; at++) {
			if (*at == '#')
				g_string_append_printf(text, "%u", i);
			else
				g_string_append_c(text, *at);
		}
	}
	return g_string_free(text, FALSE);
}

static size_t count(const char *list, const char *line)
{
	size_t found = 0;

	for (const char *at = list; (at = strstr(at, line)); at += strlen(line))
		found++;
	return found;
}

START_TEST(parts_and_levels_are_bounded)
{
	char *wide = repeat("X: 1\n" MIXED, "--b\n\nx\n", 1000);
	char *deep = repeat("X: 1\n", "Content-Type: multipart/mixed; boundary=b#\n\n--b#\n", 1000);
	char *messages = repeat("X: 1\n", "Content-Type: message/rfc822\n\nX: 2\n", 1000);
	char *list = read_mime(wide, strlen(wide));

	ck_assert_uint_eq(count(list, "1 plain"), TOKENIZER_MAX_PARTS - 1);
	g_free(list);
	list = read_mime(messages, strlen(messages));
	ck_assert_uint_eq(count(list, " message "), TOKENIZER_MAX_DEPTH + 1);
	g_free(list);
	list = read_mime(deep, strlen(deep));
	ck_assert_uint_le(count(list, " multipart "), TOKENIZER_MAX_DEPTH + 1);
	g_free(list);
	g_free(messages);
	g_free(deep);
	g_free(wide);
}
END_TEST

/* A field counts however many others stand before it, or parameters in other parts. */
START_TEST(padding_hides_no_type)
{
	char *fields = repeat("X: 1\n", "X-#: a\n", 2000);
	char *parts = repeat("X: 1\n" MIXED,
		"--b\nContent-Type: text/plain; a=0123456789012345678901234567890123456789; n=#\n\nx\n",
		250);
	GString *text = g_string_new(fields);

	g_string_append(text, "Content-Type: text/html\n\n<b>");
	char *list = read_mime(text->str, text->len);
	ck_assert_uint_eq(count(list, "0 html"), 1);
	g_free(list);
	g_string_assign(text, parts);
	g_string_append(text, "--b\nContent-Type: text/html\n\n<b>\n--b--\n");
	list = read_mime(text->str, text->len);
	ck_assert_uint_eq(count(list, "1 html"), 1);
	g_free(list);
	g_string_free(text, TRUE);
	g_free(parts);
	g_free(fields);
}
END_TEST

START_TEST(charsets_that_there_are_not_are_hidden)
{
	static const struct {
		const char *value, *hidden;
	} cases[] = {
		{"=?utf-8?q?a?= =?Windows-1257?b?eA==?=", "=?utf-8?q?a?= =?Windows-1257?b?eA==?="},
		{"=?bogus-1?q?a?= =?KOI8-R?q?b?=", "=?xxxxxxx?q?a?= =?KOI8-R?q?b?="},
		{"=?utf-8*en?q?a?= =?evil*en?q?a?=", "=?utf-8*en?q?a?= =?xxxx*en?q?a?="},
		{"attachment; filename*=utf-8''a.txt; x*=nope'en'b",
			"attachment; filename*=utf-8''a.txt; x*=xxxx'en'b"},
		{"a; name*0*=\"bad'en'b\"", "a; name*0*=\"xxx'en'b\""},
		{"a*=big5''a; b*=utf-8''a; c*=big5''a; d*=big5''a",
			"a*=big5''a; b*=utf-8''a; c*=big5''a; d_=big5''a"},
		{"=?big5?q?a?= =?nosuch?q?a?= =?big5?q?a?= =?utf-8?q?a?=",
			"=?big5?q?a?= =?xxxxxx?q?a?= _?big5?q?a?= =?utf-8?q?a?="},
		{"=?", "=?"}, {"=", "="}, {"*=", "*="}, {"=?a", "=?a"}, {"*=a", "*=a"},
		{"cp1252=?cp12521252?q?a?=", "cp1252=?xxxxxxxxxx?q?a?="}};

	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char *value = g_strdup(cases[i].value);
		size_t budget = 2;
		charset_hide(value, &budget);
		ck_assert_str_eq(value, cases[i].hidden);
		g_free(value);
	}
	ck_assert(charset_is_possible("utf-16le", 8));
	ck_assert(charset_is_possible("ISO-8859-15", 11));
	ck_assert(!charset_is_possible("iso-8859-", 9));
	ck_assert(!charset_is_possible("utf-8x", 6));
	ck_assert(!charset_is_possible("", 0));
}
END_TEST

static void count_address(void *context, const char *address)
{
	ck_assert_ptr_nonnull(address);
	(*(size_t *)context)++;
}

/* GMime keeps each name that it sees. */
START_TEST(invented_charsets_take_no_memory)
{
	size_t before = 0, addresses = 0;

	for (int i = 0; i < 20000; i++) {
		char *message = g_strdup_printf(
			"Subject: =?s%d?q?a?=\nTo: =?t%d?q?a?= <a@b.c>\n"
			"Content-Type: text/plain; charset=c%d; name*=n%d''a\n\n\xe4\n",
			i, i, i, i);
		g_free(read_mime(message, strlen(message)));
		mime_read_addresses(message + 20, count_address, &addresses);
		g_free(message);
		if (i == 1000) /* what is made once is there */
			before = mallinfo2().uordblks;
	}
#ifndef __SANITIZE_ADDRESS__ /* which counts in its own way */
	ck_assert_uint_lt(mallinfo2().uordblks, before + 100000);
#endif
	(void)before;
}
END_TEST

static const char *const NESTED[] = {"a:", "(", "((a)", "<", "[", "\"", "\\(", "a:(", "a:<", "@a,",
	"a:;", "=?utf-8?q?(?=", "a=(", ";a*0=", "(;"};

START_TEST(what_is_nested_deeply_is_survived)
{
	static const char *const starts[] = {"To: ", "Content-Type: ", "Content-Type: text/plain",
		"Content-Disposition: attachment; ", "Subject: ", "Content-Transfer-Encoding: "};
	size_t addresses = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(starts); i++) {
		char *message = repeat(starts[i], NESTED[_i], 100000);
		g_free(read_mime(message, strlen(message)));
		ck_assert_uint_le(
			mime_read_addresses(message + 4, count_address, &addresses), 1000);
		g_free(message);
	}
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("mime");
	TCase *tcase = tcase_create("mime");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, charsets_that_there_are_not_are_hidden);
	tcase_add_test(tcase, invented_charsets_take_no_memory);
	tcase_add_loop_test(tcase, well_formed_messages_are_read_as_by_gmime, 0, GENERATED);
	tcase_add_loop_test(
		tcase, broken_messages_are_read_leniently, 0, (int)G_N_ELEMENTS(BROKEN));
	tcase_add_test(tcase, parts_and_levels_are_bounded);
	tcase_add_test(tcase, padding_hides_no_type);
	tcase_add_loop_test(tcase, what_is_nested_deeply_is_survived, 0, (int)G_N_ELEMENTS(NESTED));
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
