/* What the tokenizer promises: the same set for the same message, usable tokens
 * from every script and encoding, bounded work on hostile bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "tokenizer/tokenizer.h"

static struct tokenizer *tokenizer;

/* Tokens of the last run as "field:text" lines. */
static char listing[1 << 20];

static void setup(void)
{
	struct tokenizer_secret secret;

	for (size_t i = 0; i < sizeof(secret.bytes); i++)
		secret.bytes[i] = (unsigned char)(i * 37 + 11);
	tokenizer = tokenizer_new(&secret);
	ck_assert_ptr_nonnull(tokenizer);
}

static void teardown(void)
{
	tokenizer_free(&tokenizer);
	ck_assert_ptr_null(tokenizer);
}

static void on_token(
	void *context, uint64_t key, const char *field, const char *text, size_t length)
{
	size_t used = strlen(listing);
	(void)context;

	ck_assert_uint_ne(key, 0);
	ck_assert_uint_lt(key, UINT64_C(1) << TOKENIZER_KEY_BITS);
	snprintf(listing + used, sizeof(listing) - used, "\n%s:%.*s\n", field, (int)length, text);
}

static struct token_set run_bytes(const char *message, size_t length)
{
	struct token_set set;

	listing[0] = '\0';
	tokenizer_run(tokenizer, message, length, on_token, NULL, &set);
	ck_assert_uint_le(set.count, TOKENIZER_MAX_TOKENS);
	return set;
}

static struct token_set run(const char *message)
{
	return run_bytes(message, strlen(message));
}

static bool has(const char *token)
{
	char line[256];

	snprintf(line, sizeof(line), "\n%s\n", token);
	return strstr(listing, line) != NULL;
}

#define assert_has(token)   ck_assert_msg(has(token), "no %s in %s", token, listing)
#define assert_lacks(token) ck_assert_msg(!has(token), "unexpected %s", token)

static int compare_keys(const void *a, const void *b)
{
	uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;

	return first < second ? -1 : first > second;
}

/* The two messages have the same set and the same identity. */
static void assert_same(const char *first, const char *second)
{
	static uint64_t keys[TOKENIZER_MAX_TOKENS], others[TOKENIZER_MAX_TOKENS];
	struct token_set a = run(first);
	size_t count = a.count;
	uint64_t identity = a.identity;

	memcpy(keys, a.keys, count * sizeof(*keys));
	struct token_set b = run(second);
	memcpy(others, b.keys, b.count * sizeof(*others));
	qsort(keys, count, sizeof(*keys), compare_keys);
	qsort(others, b.count, sizeof(*others), compare_keys);
	ck_assert_uint_eq(count, b.count);
	ck_assert_int_eq(memcmp(keys, others, count * sizeof(*keys)), 0);
	ck_assert_uint_eq(identity, b.identity);
}

#define HEAD                                                                                       \
	"From: Ann Example <ann@shop.example.com>\r\nTo: bob@example.org\r\n"                      \
	"Subject: Your invoice 2041\r\nMessage-ID: <a1.B2@mail.example.com>\r\n"                   \
	"Date: Mon, 23 Nov 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n"

START_TEST(headers_are_scoped_by_field)
{
	run(HEAD "\r\nHello invoice\r\n");
	assert_has("subject:invoice");
	assert_has("body:invoice");
	assert_has("from:shop.example.com");
	assert_has("from:example.com");
	assert_has("from:ann");
	assert_has("subject-pair:your invoice");
	assert_has("header-shape:Message-ID <a0.A0@a.a.a>");
	assert_has("date-zone:+0100");
	assert_has("header-order:Subject>Message-ID");
	assert_lacks("date:nov");
}
END_TEST

START_TEST(line_endings_do_not_matter)
{
	assert_same(HEAD "\r\nHello\r\nyou there\r\n",
		"From: Ann Example <ann@shop.example.com>\nTo: bob@example.org\n"
		"Subject: Your invoice 2041\nMessage-ID: <a1.B2@mail.example.com>\n"
		"Date: Mon, 23 Nov 2026 10:00:00 +0100\nMIME-Version: 1.0\n"
		"\nHello\nyou there\n");
}
END_TEST

START_TEST(folding_does_not_matter)
{
	assert_same("Subject: one two three\r\nX-Mailer: Some Thing\r\n\r\nx\r\n",
		"Subject: one\r\n two\r\n\tthree\r\nX-Mailer:\r\n Some Thing\r\n\r\nx\r\n");
}
END_TEST

START_TEST(mbox_line_and_filter_headers_do_not_matter)
{
	assert_same("Subject: one\nX-Mailer: m\n\nbody text\n",
		"From MAILER-DAEMON Mon Nov 23 10:00:00 2026\nX-Spam-Flag: YES\nSubject: one\n"
		"X-Spam-Status: Yes, score=9\n\ttests=BAYES_99\nX-Bogosity: Spam\nX-Mailer: m\n"
		"X-Rspamd-Score: 4\nX-Hamlet-Score: 3\nX-DSPAM-Result: Spam\n\nbody text\n");
}
END_TEST

#define TYPED(encoding, body)                                                                      \
	HEAD "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: " encoding     \
	     "\r\n\r\n" body

/* The encoding is named in a header, which is a token of its own: the rest must
 * be the same, so the comparison is of the texts and the identity. */
START_TEST(transfer_encoding_does_not_matter)
{
	const char *const messages[] = {
		TYPED("8bit", "Gr\xc3\xbc\xc3\x9f dich, caf\xc3\xa9 pr\xc3\xa9mium!\r\n"),
		TYPED("quoted-printable", "Gr=C3=BC=C3=9F dich, caf=C3=A9 pr=C3=A9m=\r\nium!\r\n"),
		TYPED("base64", "R3LDvMOfIGRpY2gsIGNhZsOpIHByw6ltaXVtIQ0K\r\n"),
	};
	struct token_set first = run(messages[0]);
	size_t count = first.count;
	uint64_t identity = first.identity;

	for (size_t i = 0; i < 3; i++) {
		struct token_set set = run(messages[i]);
		assert_has("body:cafe");
		assert_has("body:premium");
		assert_has("body:dich");
		ck_assert_uint_eq(set.count, count);
		ck_assert_uint_eq(set.identity, identity);
	}
}
END_TEST

START_TEST(odd_encodings_are_decoded)
{
	const char *const messages[] = {
		TYPED("base64", "R3LD\r\n!vMOfIGRp Y2gsIGNhZsOpIHByw6ltaXVtIQ0K==\r\nignored\r\n"),
		TYPED("base64", "R3LDvMOfIGRpY2gs-IGNhZsOpIHByw6ltaXVtIGE="),
		TYPED("quoted-printable", "Gr=C3=BC=C3=9F dich=, =zz caf=c3=a9 pr=C3=A9m= \nium!="),
	};

	for (size_t i = 0; i < 3; i++) {
		run(messages[i]);
		assert_has("body:cafe");
		assert_has("body:dich");
		assert_lacks("body:ignored");
	}
	assert_has("body:zz");
}
END_TEST

static const char TREE[] =
	"Subject: x\nContent-Type: multipart/mixed;\n boundary=\"b 1\"\n\nprologue\n--b 1\n\nfirst part\n"
	"--b 1 \nContent-Type: multipart/alternative; boundary=b2\n\n--b2\n"
	"Content-Type: text/plain; charset=\"koi8-r\"\n\n\xf0\xd2\xc9\xd7\xc5\xd4\n--b2\n"
	"Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n"
	"<p style=3D\"display:none\">hidden</p>shown=\n<br>\n\n--b2--\nepilogue\n--b 1\n"
	"Content-Type: application/pdf; name=\"=?utf-8?q?b=C3=BCll.pdf?=\"\n"
	"Content-Disposition: attachment; filename*=utf-8''r%C3%A4t.pdf\n\nJVBERi0=\n--b 1--";

START_TEST(nobody_watching_does_not_matter)
{
	static uint64_t keys[TOKENIZER_MAX_TOKENS];
	struct token_set set = run(TREE);
	size_t count = set.count;
	uint64_t identity = set.identity;

	memcpy(keys, set.keys, count * sizeof(*keys));
	tokenizer_run(tokenizer, TREE, strlen(TREE), NULL, NULL, &set);
	ck_assert_uint_eq(set.count, count);
	ck_assert_uint_eq(set.identity, identity);
	ck_assert_int_eq(memcmp(set.keys, keys, count * sizeof(*keys)), 0);
}
END_TEST

START_TEST(charsets_meet_in_unicode)
{
	run("Subject: x\nContent-Type: text/plain; charset=koi8-r\n\n\xf0\xd2\xc9\xd7\xc5\xd4\n");
	assert_has("body:\xd0\xbfp\xd0\xb8\xd0\xb2\x65t"); /* with Latin lookalikes */
	run("Subject: x\nContent-Type: text/plain; charset=iso-8859-1\n\ncaf\xe9 d\xfcnn\n");
	assert_has("body:cafe");
	assert_has("body:dunn");
	run("Subject: x\nContent-Type: text/plain; charset=no-such-charset\n\nplain words\n");
	assert_has("body:plain");
}
END_TEST

START_TEST(encoded_words_are_decoded)
{
	run("Subject: =?utf-8?B?R3JhdGlzIFZpw6FncmE=?= =?iso-8859-1?Q?_caf=E9?=\n\nx\n");
	assert_has("subject:gratis");
	assert_has("subject:viagra");
	assert_has("subject:cafe");
}
END_TEST

/* Each word is padded by itself, as RFC 2047 section 2 wants it. */
START_TEST(encoded_words_are_decoded_one_by_one_and_converted_together)
{
	run("Subject: =?utf-8?B?R2V3aW5uc3BpZWw=?= =?utf-8?B?IGbDvHIgS3VuZGVu?=\n\nx\n");
	assert_has("subject:gewinnspiel");
	assert_has("subject:kunden");
	/* a character that is split between two words */
	run("Subject: =?utf-8?B?YmVow7Y=?= =?utf-8?Q?rde?= =?utf-8?B?IGNhZsM=?= =?utf-8?B?qXM=?=\n\nx\n");
	assert_has("subject:behorde");
	assert_has("subject:cafes");
	run("Subject: =?ISO-2022-JP?B?GyRCTDVOQRsoQg==?= =?iso-2022-jp?B?GyRCTDVOQRsoQg==?=\n\nx\n");
	assert_has("subject:\xe7\x84\xa1\xe6\x96\x99");
	run("Subject: x\nContent-Type: application/zip;\n name=\"=?utf-8?B?UmVjaG51bmc=?= "
	    "=?utf-8?B?LnBkZi5leGU=?=\"\n\nx\n");
	assert_has("attachment:application/zip .exe");
	assert_has("file-name:rechnung.pdf.exe");
}
END_TEST

START_TEST(encoded_words_are_read_leniently)
{
	run("Subject: pre=?utf-8?q?fix_one?=post =?utf-8*en?Q?lang=75age?= and =?utf-8?q?with blanks?=\n\nx\n");
	assert_has("subject:prefix");
	assert_has("subject:onepost");
	assert_has("subject:language");
	assert_has("subject:blanks");
	run("Subject: =?no-such?q?plain?= =?utf-8?x?odd?= =?utf-8?q?open =?utf-8?q?closed?= =?\n\nx\n");
	assert_has("subject:plain");
	assert_has("subject:odd");
	assert_has("subject:open");
	assert_has("subject:closed");
}
END_TEST

START_TEST(identity_is_the_same_however_an_encoded_field_is_folded)
{
	uint64_t once = run("From: a@example.com\nSubject: =?utf-8?q?one?= =?utf-8?q?two?=\n\nx\n")
				.identity;

	ck_assert_uint_eq(once,
		run("From: a@example.com\r\nSubject: =?utf-8?q?one?=\r\n =?utf-8?q?two?=\r\n"
		    "\r\nx\r\n")
			.identity);
	ck_assert_uint_eq(once,
		run("From: a@example.com\nSubject: =?utf-8?q?one?=\n\t=?utf-8?q?two?=\n\nx\n")
			.identity);
	ck_assert_uint_ne(
		once, run("From: a@example.com\nSubject: =?utf-8?q?one?= two\n\nx\n").identity);
}
END_TEST

START_TEST(lookalikes_and_invisible_characters_fold)
{
	run("Subject: x\nContent-Type: text/plain; charset=utf-8\n\n"
	    "v\xd1\x96\xd0\xb0gra f\xe2\x80\x8br\xe2\x80\x8d"
	    "e\xc2\xad"
	    "e "
	    "\xef\xbc\xa3\xef\xbc\xa1\xef\xbc\xb3\xef\xbc\xa8 "
	    "\xf0\x9d\x93\xab\xf0\x9d\x93\xbe\xf0\x9d\x94\x82\n");
	assert_has("body:viagra");
	assert_has("body:free");
	assert_has("body:cash");
	assert_has("body:buy");
}
END_TEST

START_TEST(cjk_and_thai_give_pairs)
{
	run("Subject: x\nContent-Type: text/plain; charset=utf-8\n\n"
	    "\xe5\x85\x8d\xe8\xb4\xb9\xe5\x8f\x91\xe7\xa5\xa8 \xe0\xb8\x9f\xe0\xb8\xa3\xe0\xb8\xb5\n");
	assert_has("body:\xe5\x85\x8d\xe8\xb4\xb9");
	assert_has("body:\xe8\xb4\xb9\xe5\x8f\x91");
	assert_has("body:\xe0\xb8\x9f\xe0\xb8\xa3");
	run("Subject: x\nContent-Type: text/plain; charset=gb2312\n\n\xc3\xe2\xb7\xd1\n");
	assert_has("body:\xe5\x85\x8d\xe8\xb4\xb9");
}
END_TEST

#define HTML(body) "Subject: x\nContent-Type: text/html; charset=utf-8\n\n" body

START_TEST(html_shows_what_a_reader_sees)
{
	run(HTML("<html><p>Che<b>a</b>p <!-- ham words --> me&eacute;ds</p><p>end</p>next"
		 "<script>var hidden=1;</script></html>"));
	assert_has("body:cheap");
	assert_has("body:meeds");
	assert_has("body:end");
	assert_has("body:next");
	assert_lacks("body:ham");
	assert_lacks("body:hidden");
	assert_has("html-tag:script");
}
END_TEST

START_TEST(html_hidden_text_is_told_apart)
{
	run(HTML("<div>seen</div><div style='DISPLAY : none'>poison <div>deep</div> more</div>after"
		 "<span style=\"font-size:0px\">tiny</span>"));
	assert_has("body:seen");
	assert_has("body:after");
	assert_has("hidden:poison");
	assert_has("hidden:deep");
	assert_has("hidden:more");
	assert_has("hidden:tiny");
	assert_lacks("body:poison");
}
END_TEST

START_TEST(html_links_give_hosts_and_mismatches)
{
	run(HTML("<a href='http://evil.example.net/login.php?id=12345678'>www.bank.example.com</a>"
		 "<a href=\"http://1.2.3.4:8080/a\">x</a><img src=cid:part1>"));
	assert_has("url-host:evil.example.net");
	assert_has("url-domain:example.net");
	assert_has("url-path:login");
	assert_has("html-link:mismatch");
	assert_has("url-shape:address");
	assert_has("url-shape:port");
	assert_has("url-domain:1.2.3");
	run(HTML("<a href='http://www.bank.example.com/x'>www.bank.example.com</a>"));
	assert_has("html-link:same");
	assert_lacks("html-link:mismatch");
}
END_TEST

START_TEST(plain_text_links_count_like_html_ones)
{
	run("Subject: x\n\nsee http://evil.example.net/cheap/pills now\n");
	assert_has("url-host:evil.example.net");
	assert_has("url-path:pills");
	assert_has("body:now");
}
END_TEST

START_TEST(attachments_give_type_name_and_size)
{
	run("Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhi\n--b\n"
	    "Content-Type: application/zip; name=\"invoice-99.zip\"\n"
	    "Content-Disposition: attachment; filename=\"invoice-99.zip\"\n"
	    "Content-Transfer-Encoding: base64\n\nUEsDBA==\n--b--\n");
	assert_has("body:hi");
	assert_has("attachment:application/zip .zip");
	assert_has("file-name:invoice-99.zip");
	assert_has("structure:0 multipart/mixed -");
	assert_lacks("body:uesdba");
}
END_TEST

START_TEST(received_gives_hosts_networks_and_shapes)
{
	run("Received: from mx.example.net (unknown [203.0.113.7])\n\tby in.example.org (Postfix) "
	    "with ESMTP id A1B2\n\tfor <bob@example.org>; Mon, 23 Nov 2026 10:00:00 +0100\n"
	    "Subject: x\n\nx\n");
	assert_has("received-host:mx.example.net");
	assert_has("received-host:203.0.113.7");
	assert_has("received-domain:203.0.113");
	assert_has("received-shape:from a.a.a (a [0.0.0.0])");
}
END_TEST

START_TEST(authentication_counts_by_who_says_so)
{
	run("Authentication-Results: mx.example.org;\n dkim=pass header.d=shop.example; spf=fail\n"
	    "Received-SPF: pass (x) client-ip=192.0.2.1\n"
	    "Received: from a.example by mx.example.org; x\n"
	    "Authentication-Results: other.example; dkim=pass\n"
	    "DKIM-Signature: v=1; a=rsa-sha256; d=mail.shop.example; s=x; b=d=fake.example\n\nx\n");
	assert_has("authentication-results:mx.example.org dkim=pass");
	assert_has("authentication-results:mx.example.org spf=fail");
	assert_has("received-spf:pass");
	assert_has("received-spf:client-ip=192.0.2.1");
	assert_has("authentication-results:below other.example dkim=pass");
	assert_lacks("authentication-results:mx.example.org below dkim=pass");
	assert_has("dkim-signature:mail.shop.example");
	assert_has("dkim-signature:shop.example");
	assert_lacks("dkim-signature:fake.example");
}
END_TEST

static const char *field(const struct token_set *set, const char *name, size_t number)
{
	for (size_t i = 0; i < set->field_count; i++) {
		if (strcmp(set->fields[i].name, name) == 0 && number-- == 0)
			return set->fields[i].value;
	}
	return NULL;
}

START_TEST(fields_of_the_sender_are_kept)
{
	struct token_set set = run(
		"Received: from a by b;\r\n\t today \r\nX-Own: 1\r\n"
		"FROM:\r\n  Bob <bob@Example.ORG>\r\nList-Id: <l.example.org>\r\nFrom: 2\r\n"
		"From: 3\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"
		"Content-Type: message/rfc822\r\n\r\nFrom: nested@example.org\r\n\r\nhi\r\n--x--\r\n");

	ck_assert_str_eq(field(&set, "received", 0), "from a by b; today");
	ck_assert_str_eq(field(&set, "x-own", 0), "1");
	ck_assert_str_eq(field(&set, "from", 0), "Bob <bob@Example.ORG>");
	ck_assert_str_eq(field(&set, "from", 1), "2");
	ck_assert_ptr_null(field(&set, "from", 2));
	ck_assert_str_eq(field(&set, "list-id", 0), "<l.example.org>");
	set = run("Subject: x\n\nnothing of the message before\n");
	ck_assert_ptr_null(field(&set, "from", 0));
}
END_TEST

START_TEST(padding_pushes_no_sender_out)
{
	static char text[400000];
	size_t used = 0;

	for (int i = 0; i < 200; i++)
		used += (size_t)sprintf(
			text + used, "Received: from %d %01000d\nX-%d: %0500d\n", i, i, i, i);
	sprintf(text + used, "List-Unsubscribe: %08000d\nFrom: bob@example.org\n\nhi\n", 1);
	struct token_set set = run(text);
	ck_assert_str_eq(field(&set, "from", 0), "bob@example.org");
	ck_assert_uint_eq(strlen(field(&set, "list-unsubscribe", 0)), 2048);
	ck_assert_ptr_nonnull(strstr(field(&set, "received", 0), "from 0 "));
	for (size_t i = 0; i < set.field_count; i++) {
		bool long_one = strcmp(set.fields[i].name, "list-unsubscribe") == 0;
		if (long_one || strcmp(set.fields[i].name, "from") == 0)
			ck_assert(set.fields[i].cut == long_one);
	}
}
END_TEST

/* A sender writes as many of a kind as he likes: each kind has room of its own. */
START_TEST(one_kind_of_field_pushes_no_other_out)
{
	static const char *const names[] = {
		"Received", "Authentication-Results", "Received-SPF", "DKIM-Signature"};
	static const char *const kinds[] = {
		"received", "authentication-results", "received-spf", "dkim-signature"};
	static char text[200000];

	for (size_t i = 0; i < 4; i++) {
		size_t used = 0;

		for (int j = 0; j < 100; j++)
			used += (size_t)sprintf(text + used, "%s: padding %01000d\n", names[i], j);
		for (size_t j = 0; j < 4; j++)
			used += (size_t)sprintf(text + used, "%s: last\n", names[j]);
		sprintf(text + used, "From: bob@example.org\n\nhi\n");
		struct token_set set = run(text);
		for (size_t j = 0; j < 4; j++) {
			bool both = (i == 1 || i == 2) && (j == 1 || j == 2);
			if (i != j && !both) /* both are our servers' word, written on top */
				ck_assert_msg(field(&set, kinds[j], 0) != NULL, "%s, %s", names[i],
					names[j]);
		}
	}
}
END_TEST

static void keep_first(void *context, const char *address)
{
	char *first = context;

	if (!*first)
		snprintf(first, 64, "%s", address);
}

START_TEST(addresses_are_read)
{
	static const struct {
		const char *value, *address;
		size_t count;
	} rows[] = {
		{"Bob <Bob@Example.ORG>", "Bob@Example.ORG", 1},
		{"bob@example.org", "bob@example.org", 1},
		{"\"a@b.c\" <bob@example.org>", "bob@example.org", 1},
		{"bob@example.org, eve@example.net", "bob@example.org", 2},
		{"friends: bob@example.org, eve@example.net;", "bob@example.org", 2},
		{"=?utf-8?q?a=40b?= <bob@example.org> (x@y.z)", "bob@example.org", 1},
		{"", "", 0},
		{"undisclosed-recipients:;", "", 0},
	};
	char first[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		*first = '\0';
		ck_assert_uint_eq(
			tokenizer_addresses(rows[i].value, keep_first, first), rows[i].count);
		ck_assert_str_eq(first, rows[i].address);
	}
}
END_TEST

START_TEST(one_mailbox_beyond_doubt_is_told_from_others)
{
	static const struct {
		const char *value, *address;
	} rows[] = {
		{"bob@example.org", "bob@example.org"},
		{" bob@example.org (Bob (the \\) one)) ", "bob@example.org"},
		{"Bob <bob@example.org>", "bob@example.org"},
		{"Bob B. Bobson <bob@example.org>", "bob@example.org"},
		{"\"boss@corp.example\" <bob@example.org>", "bob@example.org"},
		{"\"a \\\" b\" =?utf-8?q?c?= < bob@example.org >", "bob@example.org"},
		{"\xc3\x84nne <\xc3\xa4@example.org>", "\xc3\xa4@example.org"},
		{"<bob@example.org>", "bob@example.org"},
		{"\"bob\"@example.org", "\"bob\"@example.org"},
		{"bob@[192.0.2.1]", "bob@[192.0.2.1]"},
		{"", ""},
		{"Bob", ""},
		{"<>", ""},
		{"Bob <>", ""},
		{"@example.org", ""},
		{"bob@", ""},
		{"bob@example.org, eve@example.net", ""},
		{"bob@example.org,", ""},
		{"bob@example.org eve@example.net", ""},
		{"<bob@example.org> <eve@example.net>", ""},
		{"bob@example.org <eve@example.net>", ""},
		{"bob@example.org via list <eve@example.net>", ""},
		{"bob@example.org:<eve@example.net>;", ""},
		{"friends: bob@example.org;", ""},
		{"bob@example.org@example.net", ""},
		{"<@example.net:bob@example.org>", ""},
		{"bob@example.org (unclosed", ""},
		{"\"bob@example.org", ""},
		{"Bob <bob@example.org", ""},
		{"Bob bob@example.org>", ""},
		{"bob..b@example.org", ""},
		{"bob @example.org", ""},
		{"bob@exa mple.org", ""},
		{"bob@[192.0.2.1", ""},
		{"bob@example.org;", ""},
	};
	char address[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool good = tokenizer_mailbox(rows[i].value, address, sizeof(address));

		ck_assert_msg(good == (*rows[i].address != '\0'), "%s", rows[i].value);
		ck_assert_str_eq(address, rows[i].address);
	}
	ck_assert(!tokenizer_mailbox("bob@example.org", address, 15));
	ck_assert_str_eq(address, "");
}
END_TEST

START_TEST(digests_are_keyed_by_name)
{
	ck_assert_uint_eq(
		tokenizer_digest(tokenizer, "a", "b"), tokenizer_digest(tokenizer, "a", "b"));
	ck_assert_uint_ne(
		tokenizer_digest(tokenizer, "a", "b"), tokenizer_digest(tokenizer, "b", "a"));
	ck_assert_uint_ne(
		tokenizer_digest(tokenizer, "ab", ""), tokenizer_digest(tokenizer, "a", "b"));
}
END_TEST

START_TEST(identity_tells_messages_apart)
{
	uint64_t first = run(HEAD "\r\nHello invoice\r\n").identity;

	ck_assert_uint_ne(first, run(HEAD "\r\nHello other\r\n").identity);
	ck_assert_uint_ne(first, run("From: x@example.com\n\nHello invoice\n").identity);
	ck_assert_uint_eq(
		first, run("Received: from a by b; now\r\n" HEAD "\r\nHello invoice\r\n").identity);
	ck_assert_uint_ne(run("X-One: a\n\n").identity, run("X-Two: b\n\n").identity);
	ck_assert_uint_eq(
		first, run("Delivered-To: bob\r\n" HEAD "\r\nHello invoice\r\n").identity);
}
END_TEST

START_TEST(secret_changes_the_keys)
{
	struct tokenizer_secret secret = {{1}};
	struct token_set set;
	struct tokenizer *other = tokenizer_new(&secret);
	uint64_t key = run("Subject: one\n\n").keys[0];

	tokenizer_run(other, "Subject: one\n\n", 14, NULL, NULL, &set);
	ck_assert_uint_ne(key, set.keys[0]);
	tokenizer_free(&other);
}
END_TEST

static const char *const ODD[] = {
	"",
	"\n",
	"\r\n\r\n",
	"no header at all, just words",
	"From ",
	"From nobody\n",
	"Subject",
	"Subject:",
	": x\n\nbody",
	"Content-Type: multipart/mixed\n\nno boundary\n",
	"Content-Type: multipart/mixed; boundary=\"\"\n\n--\n\nx\n",
	"Content-Type: message/rfc822\n\n",
	"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n--b--\n",
	"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nR3L",
	"Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\nabc=",
	"Content-Type: text/html\n\n<",
	"Content-Type: text/html\n\n<a href=",
	"Content-Type: text/html\n\n<a href=\"http://x",
	"Content-Type: text/html\n\n<!--",
	"Content-Type: text/html\n\n&#",
	"Content-Type: text/html\n\n&#x110000;&#0;&nosuch;&",
	"Subject: =?utf-8?B?\n\n",
	"Subject: \xff\xfe\xfd\n\n\xff\xfe\x80\xbf\xc3",
};

START_TEST(odd_messages_are_survived)
{
	run(ODD[_i]);
}
END_TEST

START_TEST(words_without_headers_are_seen)
{
	run("no header at all, just words about pharmacy\n");
	assert_has("body:pharmacy");
}
END_TEST

START_TEST(nul_bytes_are_survived)
{
	static const char message[] = "Subject: a\0b\nX-\0: y\n\nfirst\0second\0\0\n";

	run_bytes(message, sizeof(message) - 1);
	assert_has("body:first");
	assert_has("body:second");
}
END_TEST

START_TEST(every_prefix_is_survived)
{
	static const char message[] = HEAD
		"Content-Type: multipart/alternative; boundary=\"=b\"\r\n\r\n--=b\r\n"
		"Content-Type: text/plain; charset=utf-16\r\n\r\nx\r\n--=b\r\n"
		"Content-Type: text/html; charset=iso-2022-jp\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
		"<p style=3D\"color:red\">Hi &amp; <a href=3D\"http://u@h:1/p\">\x1b$B$\"\x1b(B</a>\r\n"
		"--=b--\r\n";

	for (size_t length = 0; length < sizeof(message); length++)
		run_bytes(message, length);
}
END_TEST

/* Repeats a piece into fresh memory. */
static char *repeat(const char *piece, size_t times, size_t *length)
{
	size_t size = strlen(piece);
	char *text = malloc(size * times + 1);

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < times; i++)
		memcpy(text + i * size, piece, size);
	*length = size * times;
	text[*length] = '\0';
	return text;
}

/* Hostile by size: each must end (the suite's own time-out holds) within the
 * bounds of tokenizer.h. */
START_TEST(hostile_sizes_are_bounded)
{
	static const struct {
		const char *start, *piece;
		size_t times;
	} hostile[] = {
		{"Subject: x\n\n", "aaaaaaaaaaaaaaaa", 2 << 20}, /* a line of 32 MB */
		{"Subject: ", "word ", 4 << 20},
		{"", "X-Header: v\n", 100000},
		{"", "Content-Type: multipart/mixed; boundary=b\n\n--b\n", 10000},
		{"Content-Type: multipart/mixed; boundary=b\n\n", "--b\n\nx\n", 100000},
		{"Content-Type: message/rfc822\n\n", "Content-Type: message/rfc822\n\n", 10000},
		{"Content-Type: text/html\n\n", "<a ", 1 << 20},
		{"Content-Type: text/html\n\n", "<a href='", 1 << 18},
		{"Content-Type: text/html\n\n", "<!--", 1 << 18},
		{"Content-Type: text/html\n\n", "<div style=display:none>", 1 << 16},
		{"Content-Type: text/html\n\n", "&#", 1 << 19},
		{"Content-Type: text/html\n\n", "<script>", 1 << 17},
		{"Content-Type: text/html\n\n", "<a href=http://h>http://", 1 << 16},
		{"Subject: x\n\n", "http://a.b.c.d.e.f.g.h/", 1 << 16},
		{"Received: ", "from x by y ", 1 << 18},
		{"To: ", "a@b.example, ", 1 << 18},
	};
	size_t length, size = strlen(hostile[_i].start);
	char *body = repeat(hostile[_i].piece, hostile[_i].times, &length);
	char *message = malloc(size + length);

	ck_assert_ptr_nonnull(message);
	memcpy(message, hostile[_i].start, size);
	memcpy(message + size, body, length);
	struct token_set set;
	tokenizer_run(tokenizer, message, size + length, NULL, NULL, &set);
	ck_assert_uint_le(set.count, TOKENIZER_MAX_TOKENS);
	ck_assert_uint_gt(set.count, 0);
	free(message);
	free(body);
}
END_TEST

START_TEST(set_is_bounded_and_reused)
{
	char *message = malloc(1 << 20);
	size_t used = (size_t)sprintf(message, "Subject: x\n\n");

	for (unsigned i = 0; i < 50000; i++)
		used += (size_t)sprintf(message + used, "w%u ", i);
	struct token_set set;
	tokenizer_run(tokenizer, message, used, NULL, NULL, &set);
	ck_assert_uint_eq(set.count, TOKENIZER_MAX_TOKENS);
	/* What a full set leaves behind must not leak into the next message. */
	size_t count = run(HEAD "\r\nHello\r\n").count;
	teardown();
	setup();
	ck_assert_uint_eq(run(HEAD "\r\nHello\r\n").count, count);
	free(message);
}
END_TEST

START_TEST(a_padded_head_hides_no_body)
{
	char *message = malloc(1 << 20);
	size_t used = 0, body = 0;

	for (unsigned i = 0; i < 500; i++) {
		used += (size_t)sprintf(message + used, "X-Padding-%u:", i);
		for (unsigned word = 0; word < 20; word++)
			used += (size_t)sprintf(message + used, " pad%u", i * 20 + word);
		used += (size_t)sprintf(message + used, "\n");
	}
	used += (size_t)sprintf(message + used, "\ncheap pills\n");
	struct token_set set = run_bytes(message, used);
	assert_has("body:pills");
	for (size_t i = 0; i < set.count; i++)
		body += (set.keys[i] & TOKENIZER_BODY_BIT) != 0;
	ck_assert_uint_eq(set.count - body, TOKENIZER_MAX_HEAD);
	free(message);
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("tokenizer");
	TCase *tcase = tcase_create("tokenizer");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, headers_are_scoped_by_field);
	tcase_add_test(tcase, line_endings_do_not_matter);
	tcase_add_test(tcase, folding_does_not_matter);
	tcase_add_test(tcase, mbox_line_and_filter_headers_do_not_matter);
	tcase_add_test(tcase, transfer_encoding_does_not_matter);
	tcase_add_test(tcase, odd_encodings_are_decoded);
	tcase_add_test(tcase, nobody_watching_does_not_matter);
	tcase_add_test(tcase, charsets_meet_in_unicode);
	tcase_add_test(tcase, encoded_words_are_decoded);
	tcase_add_test(tcase, encoded_words_are_decoded_one_by_one_and_converted_together);
	tcase_add_test(tcase, encoded_words_are_read_leniently);
	tcase_add_test(tcase, identity_is_the_same_however_an_encoded_field_is_folded);
	tcase_add_test(tcase, lookalikes_and_invisible_characters_fold);
	tcase_add_test(tcase, cjk_and_thai_give_pairs);
	tcase_add_test(tcase, html_shows_what_a_reader_sees);
	tcase_add_test(tcase, html_hidden_text_is_told_apart);
	tcase_add_test(tcase, html_links_give_hosts_and_mismatches);
	tcase_add_test(tcase, plain_text_links_count_like_html_ones);
	tcase_add_test(tcase, attachments_give_type_name_and_size);
	tcase_add_test(tcase, received_gives_hosts_networks_and_shapes);
	tcase_add_test(tcase, authentication_counts_by_who_says_so);
	tcase_add_test(tcase, identity_tells_messages_apart);
	tcase_add_test(tcase, fields_of_the_sender_are_kept);
	tcase_add_test(tcase, padding_pushes_no_sender_out);
	tcase_add_test(tcase, one_kind_of_field_pushes_no_other_out);
	tcase_add_test(tcase, addresses_are_read);
	tcase_add_test(tcase, one_mailbox_beyond_doubt_is_told_from_others);
	tcase_add_test(tcase, digests_are_keyed_by_name);
	tcase_add_test(tcase, secret_changes_the_keys);
	tcase_add_loop_test(tcase, odd_messages_are_survived, 0, sizeof(ODD) / sizeof(ODD[0]));
	tcase_add_test(tcase, words_without_headers_are_seen);
	tcase_add_test(tcase, nul_bytes_are_survived);
	tcase_add_test(tcase, every_prefix_is_survived);
	tcase_add_loop_test(tcase, hostile_sizes_are_bounded, 0, 16);
	tcase_add_test(tcase, set_is_bounded_and_reused);
	tcase_add_test(tcase, a_padded_head_hides_no_body);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
