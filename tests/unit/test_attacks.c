/* Messages made to cost much: the work of judging one, against an ordinary message of the
 * same size. Work is counted (work.h), so that no machine and no sanitizer changes it.
 * Prints a table (docs/endurance.md) as comments.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include <glib.h>

#include "tests/unit/fixture.h"
#include "tests/unit/work.h"

/* In work a line of many boundaries comes to 17; in time all stay below 10. */
static const double RATIO_MAX = 20;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const size_t SIZES[] = {1 << 14, 1 << 16}; /* larger ones take long */
#else
static const size_t SIZES[] = {1 << 18, 1 << 20};
#endif

static void setup(void)
{
	settings = service_defaults();
	settings.authserv_ids = (const char *const[]){"mx.example.org", NULL};
	open_memory();
}

/* --- Messages ---------------------------------------------------------------------- */

/* `piece` again and again up to `size` bytes; each # is the number of the piece. */
static void repeat(GString *text, const char *piece, size_t size)
{
	for (unsigned number = 0; text->len < size; number++) {
		for (const char *at = piece; *at; at++) {
			if (*at == '#')
				g_string_append_printf(text, "%u", number);
			else
				g_string_append_c(text, *at);
		}
	}
	g_string_truncate(text, size);
}

static void paragraph(GString *text, unsigned number)
{
	for (unsigned i = 0; i < 60; i++)
		g_string_append_printf(text, "%s%u%s", i % 3 ? "word" : "Something",
			(number * 31 + i * 7) % 2000, i % 12 == 11 ? ".\n" : " ");
}

/* A third each: text, the same as HTML, and a picture. */
static GString *ordinary(size_t size)
{
	GString *text = g_string_new(
		"Received: from a.example.net (a.example.net [192.0.2.1]) by mx.example.org; today\n"
		"From: Ann <ann@example.com>\nTo: bob@example.org\nSubject: minutes of the meeting\n"
		"Message-ID: <1@example.com>\nContent-Type: multipart/mixed; boundary=b\n\n"
		"--b\nContent-Type: text/plain\n\n");

	for (unsigned i = 0; text->len < size / 3; i++)
		paragraph(text, i);
	g_string_append(text, "\n--b\nContent-Type: text/html\n\n<html><body>");
	for (unsigned i = 0; text->len < 2 * size / 3; i++) {
		g_string_append(
			text, "<p style=\"color:black\"><a href=\"http://example.com/path\">");
		paragraph(text, i);
		g_string_append(text, "</a></p>\n");
	}
	g_string_append(
		text, "\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\n");
	repeat(text, "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAC\n",
		size);
	return text;
}

#define HTML           "Subject: x\nContent-Type: text/html\n\n"
#define MIXED          "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n"
#define TIMES_8(text)  text text text text text text text text
#define TIMES_64(text) TIMES_8(TIMES_8(text))
#define BASE64         "Content-Transfer-Encoding: base64\n\n"

static const struct attack {
	const char *name, *start, *piece;
} ATTACKS[] = {
	{"html: unclosed tags", HTML, "<a "},
	{"html: nested tags", HTML, "<div>"},
	{"html: nested hidden tags", HTML, "<div style=display:none>"},
	{"html: < storm", HTML, "<"},
	{"html: < and a letter", HTML, "<a<b"},
	{"html: </ storm", HTML, "</"},
	{"html: unclosed comments", HTML, "<!--"},
	{"html: closed comments", HTML, "<!---->"},
	{"html: declarations", HTML, "<!a>"},
	{"html: unclosed scripts", HTML, "<script>"},
	{"html: nearly closed scripts", HTML "<script>", "</scripz"},
	{"html: attributes without end", HTML "<a ", "b#=c# "},
	{"html: unclosed quotes", HTML, "<a href='"},
	{"html: style declarations", HTML "<p style='", "a#:b#;"},
	{"html: many short styles", HTML, "<p style=a#:b>"},
	{"html: links", HTML, "<a href=http://h#.example.com/>x"},
	{"html: link text", HTML "<a href=http://h/>", "http://"},
	{"html: alternate texts", HTML, "<p alt=a#>"},
	{"entities: names", HTML, "&amp;"},
	{"entities: unknown names", HTML, "&nosuch;"},
	{"entities: & storm", HTML, "&"},
	{"entities: numbers", HTML, "&#x41;"},
	{"entities: unfinished", HTML, "&#x"},
	{"header: fields", "", "X-A: b\n"},
	{"header: names", "", "X-#: b\n"},
	{"header: To fields", "", "To: a@b.example\n"},
	{"header: From fields", "", "From: a@b.example\n"},
	{"header: Subject fields", "", "Subject: a\n"},
	{"header: Date fields", "", "Date: Mon, 23 Nov 2026 10:00:00 +0100\n"},
	{"header: Message-ID fields", "", "Message-ID: <a@b>\n"},
	{"header: References fields", "", "References: <a@b>\n"},
	{"header: Content-Type fields", "", "Content-Type: text/plain\n"},
	{"header: Received fields", "",
		"Received: from a.example (a.example [192.0.2.1]) by b.example; today\n"},
	{"header: one field", "Subject: ", "word "},
	{"header: one unknown field", "X-A: ", "word# "},
	{"header: one long word", "Subject: ", "a"},
	{"header: one folded field", "Subject: ", "word\n "},
	{"header: one Received field", "Received: ", "from x by y "},
	{"header: no value", "", "X-A:\n"},
	{"header: no colon", "Subject: a\n", "word\n"},
	{"header: colons", "", ":"},
	{"header: authentication results", "Received: from a (a [192.0.2.1]) by b; c\n",
		"Authentication-Results: mx.example.org; dkim=pass header.d=a.example\n"},
	{"header: one authentication result", "Authentication-Results: mx.example.org",
		"; dkim=pass header.d=a#.example"},
	{"header: comments", "Authentication-Results: mx.example.org ", "("},
	{"addresses: in To", "To: ", "a#@b.example, "},
	{"addresses: names", "To: ", "\"A\" <a@b.example>,"},
	{"addresses: in From", "From: ", "a@b.example, "},
	{"addresses: groups", "To: ", "a:b@c,d@e;, "},
	{"addresses: nested groups", "To: ", "a:"},
	{"addresses: unclosed comments", "To: ", "("},
	{"addresses: unclosed angles", "To: ", "<"},
	{"addresses: quotes", "To: ", "\""},
	{"addresses: @ storm", "To: ", "@"},
	{"addresses: commas", "To: ", ","},
	{"encoded words: q", "Subject: ", "=?utf-8?q?a?= "},
	{"encoded words: adjacent", "Subject: ", "=?utf-8?q?a?="},
	{"encoded words: other charset", "Subject: ", "=?koi8-r?b?zw==?= "},
	{"encoded words: charsets in turn", "Subject: ", "=?koi8-r?q?a?= =?big5?q?a?= "},
	{"encoded words: many charsets in turn", "Subject: ",
		"=?koi8-r?q?a?= =?big5?q?a?= =?euc-kr?q?a?= =?gbk?q?a?= =?tis-620?q?a?= "},
	{"encoded words: unknown charset", "Subject: ", "=?x#?q?a?= "},
	{"encoded words: unfinished", "Subject: ", "=?"},
	{"encoded words: in To", "To: ", "=?koi8-r?q?a?= <a@b>,"},
	{"encoded words: fields", "", "X-A: =?koi8-r?q?a?=\n"},
	{"encoded words: long fields", "", "X-A: " TIMES_64("=?x#?q?a?= ") "\n"},
	{"parameters: in one field", "Content-Type: text/plain", "; a#=b"},
	{"parameters: continued", "Content-Type: text/plain", "; a*#=b"},
	{"parameters: charsets", "Content-Type: text/plain", "; a#*=koi8-r''b"},
	{"parameters: of disposition", "Content-Disposition: attachment", "; filename*#*=utf-8''b"},
	{"parameters: in parts", MIXED,
		"--b\nContent-Type: text/plain" TIMES_64("; a#=b") "\n\nx\n"},
	{"parameters: charsets in parts", MIXED,
		"--b\nContent-Type: text/plain" TIMES_64("; a*=koi8-r''b") "\n\nx\n"},
	{"mime: deep, one boundary", "", "Content-Type: multipart/mixed; boundary=b\n\n--b\n"},
	{"mime: deep, own boundaries", "", "Content-Type: multipart/mixed; boundary=b#\n\n--b#\n"},
	{"mime: deep, then dashes", NULL, "--c\n"},
	{"mime: deep messages", "", "Content-Type: message/rfc822\n\n"},
	{"mime: parts", MIXED, "--b\n\nx\n"},
	{"mime: empty parts", MIXED, "--b\n"},
	{"mime: parts with header", MIXED, "--b\nContent-Type: text/html\n\n<p>\n"},
	{"mime: text parts of a charset", MIXED,
		"--b\nContent-Type: text/plain; charset=koi8-r\n\na\n"},
	{"mime: parts of one charset each", MIXED,
		"--b\nContent-Type: text/plain; charset=x#\n\na\n"},
	{"mime: nearly boundaries", MIXED, "--a\n"},
	{"mime: dashes", MIXED, "-"},
	{"mime: long boundary", "Content-Type: multipart/mixed; boundary=", "b"},
	{"mime: messages in parts", MIXED, "--b\nContent-Type: message/rfc822\n\nTo: a@b\n\nx\n"},
	{"mime: attachments", MIXED,
		"--b\nContent-Disposition: attachment; filename=\"a# b#.exe\"\n\nx\n"},
	{"encoding: base64 rubbish", "Subject: x\n" BASE64, "!@#$%&*()-"},
	{"encoding: base64 padding", "Subject: x\n" BASE64, "="},
	{"encoding: base64 text", "Subject: x\n" BASE64, "d29yZCB3b3Jk\n"},
	{"encoding: quoted-printable", "Content-Transfer-Encoding: quoted-printable\n\n",
		"=41=42=20"},
	{"encoding: quoted-printable ends", "Content-Transfer-Encoding: quoted-printable\n\n",
		"=\n"},
	{"encoding: quoted-printable = storm", "Content-Transfer-Encoding: quoted-printable\n\n",
		"="},
	{"encoding: uuencode", "Content-Transfer-Encoding: x-uuencode\n\nbegin 644 a\n",
		"M86%A86%A\n"},
	{"encoding: uuencode-like text", "Subject: x\n\n", "begin 644 a\nM86%A\nend\n"},
	{"charset: rubbish", "Content-Type: text/plain; charset=iso-2022-jp\n\n", "\xff\x1b$B"},
	{"charset: utf-16", "Content-Type: text/plain; charset=utf-16\n\n", "\xd8"},
	{"charset: utf-7", "Content-Type: text/plain; charset=utf-7\n\n", "+"},
	{"text: long words", "Subject: x\n\n", "a"},
	{"text: joints", "Subject: x\n\n", "a.a-"},
	{"text: dots", "Subject: x\n\n", "."},
	{"text: shouts", "Subject: x\n\n", "A!"},
	{"text: ideographs", "Subject: x\n\n", "\xe4\xb8\xad\xe5\x9b\xbd"},
	{"text: decomposed letters", "Subject: x\n\n", "\xef\xb7\xba"},
	{"text: marks", "Subject: x\n\n", "a\xcc\x81"},
	{"text: broken utf-8", "Subject: x\n\n", "\xf4\x80"},
	{"text: new words", "Subject: x\n\n", "w# "},
	{"text: the same word", "Subject: x\n\n", "ab "},
	{"text: lines", "Subject: x\n\n", "\n"},
	{"links: storm", "Subject: x\n\n", "http://a#.b/ "},
	{"links: adjacent", "Subject: x\n\n", "http://"},
	{"links: many labels", "Subject: x\n\n", "http://a.b.c.d.e.f.g.h.i.j.k.l/ "},
	{"links: www", "Subject: x\n\n", "www.a# "},
	{"links: long paths", "Subject: x\n\nhttp://a.b", "/a#"},
	{"mbox: From lines", "", "From a@b Mon Nov 23 10:00:00 2026\n"},
	{"mbox: messages", "", "From a@b Mon Nov 23 10:00:00 2026\nTo: a@b\n\nx\n\n"},
	{"bytes: NUL", "Subject: x\n\n", "\1"},
	{"bytes: carriage returns", "", "\r"},
};

/* As many levels as the parser follows, each with a boundary of its own that every
 * line thereafter is held against. */
static void nest(GString *text)
{
	for (unsigned i = 0; i < 2000; i++)
		g_string_append_printf(
			text, "Content-Type: multipart/mixed; boundary=b%u\n\n--b%u\n", i, i);
}

static GString *build(const struct attack *attack, size_t size)
{
	GString *text = g_string_new(attack->start);

	if (!attack->start)
		nest(text);
	repeat(text, attack->piece, size);
	for (size_t i = 0; strcmp(attack->name, "bytes: NUL") == 0 && i < size; i++)
		text->str[i] = (char)(text->str[i] == '\1' ? 0 : text->str[i]);
	return text;
}

/* --- Cost ------------------------------------------------------------------------------ */

/* Judging the second time: what is made once is there. */
static double cost(GString *message)
{
	const char *nobody = "";
	struct work work = {0};

	for (int i = 0; i < 2; i++) {
		struct query *query;

		work_begin();
		assert_ok(query_begin(service, &nobody, 1, false, &query, &failure));
		assert_ok(query_run(query, worker, message->str, message->len, &failure));
		ck_assert(query_verdict(query, 0)->tokens <= 4096);
		query_end(service, &query);
		work = work_end();
	}
	ck_assert_uint_gt(work.blocks, 0);
	g_string_free(message, TRUE);
	return work_units(&work);
}

START_TEST(an_attack_costs_little_more_than_ordinary_mail)
{
	const struct attack *attack = &ATTACKS[_i];
	double ratios[G_N_ELEMENTS(SIZES)];

	for (size_t i = 0; i < G_N_ELEMENTS(SIZES); i++)
		ratios[i] = cost(build(attack, SIZES[i])) / cost(ordinary(SIZES[i]));
	printf("# %-36s", attack->name);
	for (size_t i = 0; i < G_N_ELEMENTS(SIZES); i++)
		printf(" %6.2f", ratios[i]);
	puts("");
	fflush(stdout);
	for (size_t i = 0; i < G_N_ELEMENTS(SIZES); i++)
		ck_assert_msg(ratios[i] < RATIO_MAX, "%s: %zu bytes cost %.1f times as much",
			attack->name, SIZES[i], ratios[i]);
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("attacks");
	TCase *tcase = tcase_create("attacks");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, an_attack_costs_little_more_than_ordinary_mail, 0,
		(int)G_N_ELEMENTS(ATTACKS));
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
