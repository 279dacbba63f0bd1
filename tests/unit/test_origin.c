/* Who is believed: what our own mail servers wrote, and nobody else.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "engine/origin/authentication.h"
#include "engine/origin/origin.h"
#include "tests/unit/unit.h"

static struct tokenizer *tokenizer;
static struct network networks[2];
static const char *const ids[] = {"mx.example.org", "in.example.org", NULL};
static const char *const names[] = {
	"authentication-results", "Received-SPF", "X-HE-DKIM-Result", NULL};
static struct origin_trust trust;
static struct origin origin;
static struct origin_targets targets;

static void setup(void)
{
	tokenizer = tokenizer_new(&(struct tokenizer_secret){{1}});
	ck_assert(network_parse(&networks[0], "127.0.0.0/8"));
	ck_assert(network_parse(&networks[1], "10.0.0.0/8"));
	trust = (struct origin_trust){.authserv_ids = ids,
		.header_names = names,
		.networks = networks,
		.network_count = 2};
}

static void teardown(void)
{
	tokenizer_free(&tokenizer);
}

static void look(const char *message)
{
	struct token_set set;

	tokenizer_run(tokenizer, message, strlen(message), NULL, NULL, &set);
	origin_read(&origin, &trust, set.fields, set.field_count);
	origin_unsubscribe(&targets, &origin, set.fields, set.field_count);
}

#define STAMP "Authentication-Results: mx.example.org; dkim=pass header.d=news.example\n"
#define BORDER                                                                                     \
	"Received: from mail.news.example (mail.news.example [192.0.2.9])\n"                       \
	"\tby mx.example.org (Postfix) with ESMTPS id 1\n\tfor <bob@example.org>; today\n"
#define OUTSIDE "Received: from pc (pc [198.51.100.7]) by mail.news.example; today\n"
#define AUTHOR  "From: News <news@news.example>\nSubject: x\n\nhello\n"

/* --- Authentication ---------------------------------------------------------- */

static const struct {
	const char *what, *message;
	bool authenticated;
} CASES[] = {
	{"DKIM of the author's domain", STAMP BORDER AUTHOR, true},
	{"DKIM of a domain above",
		"Authentication-Results: mx.example.org; dkim=pass header.d=news.example\n" BORDER
		"From: a@lists.news.example\n\nx",
		true},
	{"DKIM by header.i",
		"Authentication-Results: mx.example.org; dkim=pass header.i=@news.example\n" BORDER
			AUTHOR,
		true},
	{"DMARC",
		"Authentication-Results: mx.example.org;\n dmarc=pass (p=none) header.from=news.example\n" BORDER
			AUTHOR,
		true},
	{"SPF aligned",
		"Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=b@news.example\n" BORDER
			AUTHOR,
		true},
	{"Received-SPF aligned",
		"Received-SPF: Pass (mx.example.org: x) receiver=mx.example.org; "
		"client-ip=192.0.2.9; envelope-from=\"b@news.example\"\n" BORDER AUTHOR,
		true},
	{"a site's own field",
		"X-HE-DKIM-Result: pass\n" BORDER
		"DKIM-Signature: v=1; d=news.example; s=x\n" AUTHOR,
		true},
	{"folded and in odd case",
		"AUTHENTICATION-RESULTS:\n MX.example.org\n ;\n DKIM=PASS\n\theader.D=News.Example\n" BORDER
			AUTHOR,
		true},
	{"our second server's name",
		"Authentication-Results: in.example.org 1; dkim=pass header.d=news.example\n" BORDER
			AUTHOR,
		true},
	{"stamped above a hop of our own",
		STAMP
		"Received: from mx.example.org (mx [10.0.0.5]) by store.example.org with LMTP; x\n" BORDER
			AUTHOR,
		true},
	{"stamped between hops of our own",
		"Received: from mx.example.org by store.example.org with LMTP id 1; x\n" STAMP
			BORDER AUTHOR,
		true},
	{"one signature fails, the author's passes",
		"Authentication-Results: mx.example.org; dkim=fail header.d=esp.example; dkim=pass header.d=news.example\n" BORDER
			AUTHOR,
		true},

	{"nothing stamped", BORDER AUTHOR, false},
	{"from outside, below our Received", BORDER STAMP AUTHOR, false},
	{"from outside, below two", BORDER OUTSIDE STAMP AUTHOR, false},
	{"another server's name",
		"Authentication-Results: mx.evil.example; dkim=pass header.d=news.example\n" BORDER
			AUTHOR,
		false},
	{"our name as a prefix",
		"Authentication-Results: mx.example.org.evil.example; dkim=pass header.d=news.example\n" BORDER
			AUTHOR,
		false},
	{"our name in a comment",
		"Authentication-Results: (mx.example.org;) evil.example; dkim=pass header.d=news.example\n" BORDER
			AUTHOR,
		false},
	{"a duplicate from outside, ours says fail",
		"Authentication-Results: mx.example.org; dkim=fail header.d=news.example\n" BORDER
			STAMP AUTHOR,
		false},
	{"upper case from outside",
		BORDER
		"AUTHENTICATION-RESULTS: MX.EXAMPLE.ORG; DKIM=PASS HEADER.D=NEWS.EXAMPLE\n" AUTHOR,
		false},
	{"folded from outside",
		BORDER
		"Authentication-Results:\n mx.example.org;\n dkim=pass\n header.d=news.example\n" AUTHOR,
		false},
	{"bare field from outside",
		BORDER "X-HE-DKIM-Result: pass\nDKIM-Signature: d=news.example\n" AUTHOR, false},
	{"SPF field from outside",
		BORDER
		"Received-SPF: pass receiver=mx.example.org; envelope-from=b@news.example\n" AUTHOR,
		false},
	{"a field that is not configured",
		"X-Checked: mx.example.org; dkim=pass header.d=news.example\n" BORDER AUTHOR,
		false},
	{"without any Received line", STAMP AUTHOR, false},
	{"DKIM of somebody else",
		"Authentication-Results: mx.example.org; dkim=pass header.d=evil.example\n" BORDER
			AUTHOR,
		false},
	{"DKIM of a domain that only ends alike",
		"Authentication-Results: mx.example.org; dkim=pass header.d=ews.example\n" BORDER
			AUTHOR,
		false},
	{"DKIM of a whole top-level domain",
		"Authentication-Results: mx.example.org; dkim=pass header.d=example\n" BORDER
			AUTHOR,
		false},
	{"DKIM of a domain below the author's",
		"Authentication-Results: mx.example.org; dkim=pass header.d=user.news.example\n" BORDER
			AUTHOR,
		false},
	{"pass in a comment",
		"Authentication-Results: mx.example.org; dkim=fail (dkim=pass header.d=news.example)\n" BORDER
			AUTHOR,
		false},
	{"pass in a quoted reason",
		"Authentication-Results: mx.example.org; dkim=fail reason=\"x; dkim=pass header.d=news.example\"\n" BORDER
			AUTHOR,
		false},
	{"pass after an open comment",
		"Authentication-Results: mx.example.org; dkim=fail (x; dkim=pass header.d=news.example\n" BORDER
			AUTHOR,
		false},
	{"domain in a quoted address",
		"Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=\"a@news.example x\"@evil.example\n" BORDER
			AUTHOR,
		false},
	{"SPF of another envelope",
		"Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=b@esp.example\n" BORDER
			AUTHOR,
		false},
	{"SPF of the HELO alone",
		"Received-SPF: pass identity=helo; envelope-from=b@news.example\n" BORDER AUTHOR,
		false},
	{"SPF of another receiver",
		"Received-SPF: pass receiver=mx.evil.example; envelope-from=b@news.example\n" BORDER
			AUTHOR,
		false},
	{"DMARC of another author",
		"Authentication-Results: mx.example.org; dmarc=pass header.from=evil.example\n" BORDER
			AUTHOR,
		false},
	{"DMARC failed beside a pass",
		"Authentication-Results: mx.example.org; dkim=pass header.d=news.example; "
		"dmarc=fail header.from=news.example\n" BORDER AUTHOR,
		false},
	{"two From fields", STAMP BORDER "From: evil@evil.example\n" AUTHOR, false},
	{"two authors", STAMP BORDER "From: news@news.example, evil@evil.example\n\nx", false},
	{"the address as a name",
		STAMP BORDER "From: \"news@news.example\" <evil@evil.example>\n\nx", false},
	{"written by a client of our own network",
		"Received: from pc (pc [10.1.1.1]) by mx.example.org; x\n" STAMP AUTHOR, false},
	{"none given", "Authentication-Results: mx.example.org; none\n" BORDER AUTHOR, false},
	{"a bare pass with two signatures",
		"X-HE-DKIM-Result: pass\n" BORDER
		"DKIM-Signature: d=evil.example\nDKIM-Signature: d=news.example\n" AUTHOR,
		false},
};

START_TEST(only_our_own_stamp_proves)
{
	look(CASES[_i].message);
	ck_assert_msg(origin.authenticated == CASES[_i].authenticated, "%s: %d (%s %s)",
		CASES[_i].what, origin.authenticated, origin.dkim.result, origin.dkim.domain);
}
END_TEST

START_TEST(a_cut_stamp_proves_nothing)
{
	static char message[8000];

	snprintf(message, sizeof(message),
		"Authentication-Results: mx.example.org; dkim=pass "
		"header.d=news.example; x=y reason=\"%03000d\"; dmarc=fail header.from=news.example\n" BORDER
			AUTHOR,
		7);
	look(message);
	ck_assert(!origin.authenticated);
}
END_TEST

START_TEST(without_names_nobody_is_believed)
{
	static const char *const none[] = {NULL};

	trust.authserv_ids = none;
	look(STAMP BORDER AUTHOR);
	ck_assert(!origin.authenticated && !origin.stamped);
	look("X-HE-DKIM-Result: pass d=news.example\n" BORDER AUTHOR);
	ck_assert(!origin.authenticated);
}
END_TEST

START_TEST(servers_may_stamp_below_their_line)
{
	trust.below_received = true;
	look(BORDER STAMP OUTSIDE AUTHOR);
	ck_assert(origin.authenticated);
	look(BORDER OUTSIDE STAMP AUTHOR);
	ck_assert(!origin.authenticated);
}
END_TEST

START_TEST(what_was_found_is_told)
{
	look("Authentication-Results: mx.example.org; spf=softfail smtp.mailfrom=b@x.example;\n"
	     " dkim=fail header.d=x.example; dmarc=fail (p=reject) header.from=news.example\n" BORDER
	     "Authentication-Results: mx.example.org; dkim=pass\n" AUTHOR);
	ck_assert_str_eq(origin.spf.result, "softfail");
	ck_assert_str_eq(origin.spf.domain, "x.example");
	ck_assert_str_eq(origin.dkim.result, "fail");
	ck_assert_str_eq(origin.dmarc.result, "fail");
	ck_assert(origin.refuted && origin.stamped && origin.forged);
}
END_TEST

/* --- The sending host ----------------------------------------------------------- */

static const struct {
	const char *received, *client; /* NULL = not known */
} HOSTS[] = {
	{BORDER, "192.0.2.9"},
	{"Received: from [192.0.2.9] (helo=[10.1.1.1]) by mx with esmtp (Exim 4.96); x\n",
		"192.0.2.9"},
	{"Received: from h.example ([192.0.2.9]:4711 helo=x.y) by mx with esmtp; x\n", "192.0.2.9"},
	{"Received: from [10.9.9.9] (unknown [192.0.2.9]) by mx (Postfix) with SMTP; x\n",
		"192.0.2.9"},
	{"Received: from x (x [IPv6:2001:db8::1]) by mx with SMTP; x\n", "2001:db8::1"},
	{"Received: from mx.example.org by store with LMTP id 1; x\n" BORDER, "192.0.2.9"},
	{"Received: from localhost (localhost [127.0.0.1]) by mx; x\n" BORDER, "192.0.2.9"},
	{"Received: from relay (relay [10.2.3.4]) by mx; x\n" BORDER OUTSIDE, "192.0.2.9"},
	{"Received: by mx.example.org (Postfix, from userid 33); x\n" BORDER, NULL},
	{"Received: from evil by x (no [192.0.2.9]); x\n" BORDER, NULL},
	{"Received: from by x (no [192.0.2.9]); x\n" BORDER, NULL},
	{"Received: from relay (relay [10.2.3.4]) by mx; x\n", NULL},
	{"Received: from x ([300.1.1.1]) by mx; x\n", NULL},
	{"Received: from x ([192.0.2.0/24]) by mx; x\n", NULL},
	{"", NULL},
};

START_TEST(the_sending_host_is_the_first_stranger)
{
	char message[1024], text[NETWORK_TEXT] = "none";

	snprintf(message, sizeof(message), "%s" AUTHOR, HOSTS[_i].received);
	look(message);
	ck_assert_msg(origin.has_client == (HOSTS[_i].client != NULL), "%s", HOSTS[_i].received);
	if (origin.has_client)
		network_format(&origin.client, text);
	ck_assert_str_eq(text, HOSTS[_i].client ? HOSTS[_i].client : "none");
}
END_TEST

/* --- Author, list, unsubscribing ---------------------------------------------------- */

START_TEST(author_and_list_are_read)
{
	look("From: News <News@News.Example>\nList-Id: The list <The.News.Example>\n\nx");
	ck_assert_str_eq(origin.author, "news@news.example");
	ck_assert_str_eq(origin.domain, "news.example");
	ck_assert_str_eq(origin.list, "the.news.example");
	look("Subject: nobody\n\nx");
	ck_assert_str_eq(origin.author, "");
	ck_assert_str_eq(origin.domain, "");
	ck_assert_uint_eq(origin.authors, 0);
}
END_TEST

static const struct {
	const char *what, *from;
	size_t authors;
	bool sole;
} AUTHORS[] = {
	{"a name and an address", "From: Boss <Boss@Corp.Example>\n", 1, true},
	{"quotes that are not needed", "From: \"boss\"@corp.example\n", 1, true},
	{"an address as a name", "From: \"x@evil.example\" <boss@corp.example>\n", 1, true},
	{"two authors", "From: boss@corp.example, x@evil.example\n", 2, false},
	{"two From fields", "From: boss@corp.example\nFrom: x@evil.example\n", 2, false},
	{"the same twice", "From: boss@corp.example\nFrom: boss@corp.example\n", 2, false},
	{"two addresses in brackets", "From: <boss@corp.example> <x@evil.example>\n", 1, false},
	{"words between", "From: boss@corp.example via <x@evil.example>\n", 1, false},
	{"an address as the name of a group", "From: boss@corp.example:<x@evil.example>;\n", 1,
		false},
	{"two @", "From: boss@corp.example@evil.example\n", 1, false},
};

START_TEST(an_author_is_believed_only_beyond_doubt)
{
	char message[512];

	snprintf(message, sizeof(message),
		"Authentication-Results: mx.example.org; dmarc=pass header.from=corp.example\n" BORDER
		"%sSubject: x\n\nhello\n",
		AUTHORS[_i].from);
	look(message);
	ck_assert_msg(origin.sole == AUTHORS[_i].sole, "%s", AUTHORS[_i].what);
	ck_assert_msg(origin.authenticated == AUTHORS[_i].sole, "%s", AUTHORS[_i].what);
	ck_assert(origin_is_believed(&origin) == AUTHORS[_i].sole);
	if (origin.sole)
		ck_assert_str_eq(origin.author, "boss@corp.example");
	trust.authserv_ids = NULL;
	look(message);
	ck_assert_msg(origin_is_believed(&origin) == AUTHORS[_i].sole, "%s", AUTHORS[_i].what);
}
END_TEST

/* What a list may say of an author is found however the address is written. */
START_TEST(addresses_have_one_form)
{
	static const struct {
		const char *from;
		bool sole;
	} rows[] = {
		{"bad@evil.example", true},
		{"BAD@Evil.Example", true},
		{"\"bad\"@evil.example", true},
		{"\"b\\ad\"@evil.example", true},
		{"Bad <\"\\b\\a\\d\"@evil.example>", true},
		{"bad@evil.example (from home)", true},
		{"(from home) bad@evil.example", true},
		{"bad (x) @evil.example", false},
		{"<@a.example,@b.example:bad@evil.example>", false},
		{"Group: bad@evil.example;", false},
		{"y@z.example, \"bad\"@evil.example", false},
	};
	char message[512];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool found = false;

		snprintf(message, sizeof(message), BORDER "From: %s\n\nx\n", rows[i].from);
		look(message);
		for (size_t j = 0; j < origin.author_count; j++)
			found |= strcmp(origin.list_of_authors[j], "bad@evil.example") == 0;
		ck_assert_msg(found, "%s", rows[i].from);
		ck_assert_msg(origin.sole == rows[i].sole, "%s", rows[i].from);
	}
	look(BORDER "From: x@evil.example\xef\xbc\xa0"
		    "corp.example\n\nx\n"); /* a full-width "@" */
	ck_assert(!origin.sole);
	ck_assert_str_eq(origin.domain, "");
}
END_TEST

START_TEST(a_nul_in_from_ends_no_address)
{
	static const char message[] =
		BORDER "From: boss@corp.example\0@evil.example\nSubject: x\n\nhello\n";
	struct token_set set;

	trust.authserv_ids = NULL;
	tokenizer_run(tokenizer, message, sizeof(message) - 1, NULL, NULL, &set);
	origin_read(&origin, &trust, set.fields, set.field_count);
	ck_assert(!origin.sole);
	ck_assert(!origin_is_believed(&origin));
}
END_TEST

START_TEST(who_is_not_proven_is_not_believed_once_that_can_be)
{
	look(BORDER AUTHOR);
	ck_assert(!origin_is_believed(&origin));
	look(STAMP BORDER AUTHOR);
	ck_assert(origin_is_believed(&origin));
	look("Authentication-Results: mx.example.org; dmarc=fail header.from=news.example; "
	     "dkim=pass header.d=news.example\n" BORDER AUTHOR);
	ck_assert(!origin_is_believed(&origin));
	trust.authserv_ids = NULL;
	look(BORDER AUTHOR);
	ck_assert(origin_is_believed(&origin));
}
END_TEST

/* GMime decodes A-labels; a mail server may stamp either form. */
START_TEST(domains_have_one_form)
{
	static const char *const from[] = {"a@xn--bcher-kva.example",
		"A@B\xc3\xbc"
		"cher.Example"};
	static const char *const stamped[] = {"xn--bcher-kva.example",
		"b\xc3\xbc"
		"cher.example"};
	char message[512];

	for (int i = 0; i < 4; i++) {
		snprintf(message, sizeof(message),
			"Authentication-Results: mx.example.org; dkim=pass header.d=%s\n" BORDER
			"From: %s\n\nx\n",
			stamped[i / 2], from[i % 2]);
		look(message);
		ck_assert_str_eq(origin.author, "a@xn--bcher-kva.example");
		ck_assert_str_eq(origin.dkim.domain, "xn--bcher-kva.example");
		ck_assert(origin.authenticated);
	}
}
END_TEST

#define LIST                                                                                       \
	"List-Unsubscribe: <mailto:out@news.example?subject=x>,\n <https://news.example/u?1>\n"    \
	"List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
#define SIGNED                                                                                     \
	"DKIM-Signature: v=1; a=rsa-sha256; d=news.example; s=one;\n"                              \
	"\th=From:Subject:List-Unsubscribe: List-Unsubscribe-Post; b=AbCd\n efgh==\n"
#define OTHERS                                                                                     \
	"DKIM-Signature: v=1; d=evil.example; s=one; h=list-unsubscribe:list-unsubscribe-post; b=Zz\n"

static const struct {
	const char *what, *message;
	bool one_click;
} CLICKS[] = {
	{"covered", STAMP BORDER LIST SIGNED AUTHOR, true},
	{"by its selector and value",
		"Authentication-Results: mx.example.org; "
		"dkim=pass header.d=news.example header.s=one header.b=abcdEF\n" BORDER LIST SIGNED
			AUTHOR,
		true},
	{"another selector's",
		"Authentication-Results: mx.example.org; dkim=pass header.d=news.example header.s=two\n" BORDER
			LIST SIGNED AUTHOR,
		false},
	{"another value's",
		"Authentication-Results: mx.example.org; dkim=pass header.d=news.example header.b=xyz\n" BORDER
			LIST SIGNED AUTHOR,
		false},
	{"failed",
		"Authentication-Results: mx.example.org; dkim=fail header.d=news.example\n" BORDER
			LIST SIGNED AUTHOR,
		false},
	{"stamped by nobody", BORDER LIST SIGNED AUTHOR, false},
	{"not signed", STAMP BORDER LIST AUTHOR, false},
	{"not covered",
		STAMP BORDER LIST
		"DKIM-Signature: d=news.example; s=x; h=from:subject; b=A\n" AUTHOR,
		false},
	{"half covered",
		STAMP BORDER LIST
		"DKIM-Signature: d=news.example; h=from:list-unsubscribe; b=A\n" AUTHOR,
		false},
	{"a second field on top",
		STAMP BORDER "List-Unsubscribe: <https://evil.example/>\n" LIST SIGNED AUTHOR,
		false},
	{"a second answer on top",
		STAMP BORDER
		"List-Unsubscribe-Post: List-Unsubscribe=One-Click\n" LIST SIGNED AUTHOR,
		false},
	{"signed by a stranger",
		"Authentication-Results: mx.example.org; dkim=pass header.d=news.example; "
		"dkim=pass header.d=evil.example\n" BORDER LIST OTHERS
		"DKIM-Signature: d=news.example; h=from; b=A\n" AUTHOR,
		false},
	{"one of two signatures covers",
		STAMP BORDER LIST SIGNED
		"DKIM-Signature: d=news.example; s=two; h=from; b=A\n" AUTHOR,
		false},
};

START_TEST(one_click_is_offered_only_as_the_author_signed_it)
{
	look(CLICKS[_i].message);
	ck_assert_uint_ge(targets.count, 1);
	ck_assert_msg(targets.list[targets.count - 1].one_click == CLICKS[_i].one_click, "%s",
		CLICKS[_i].what);
	ck_assert(!targets.list[0].one_click || targets.count == 1);
}
END_TEST

/* The genuine signature covers nothing of the list; the forged one on top would. */
START_TEST(padding_hides_no_signature)
{
	static const char *const padding[] = {"DKIM-Signature: d=pad.example; s=x; h=from; b=A\n",
		"Authentication-Results: pad.example; none\n", "Received-SPF: none pad.example\n"};
	static char message[64000];

	for (size_t i = 0; i < 3; i++) {
		size_t used = (size_t)sprintf(message, "%s%s%s%s", STAMP, BORDER, LIST, SIGNED);

		for (int j = 0; j < 100; j++)
			used += (size_t)sprintf(message + used, "%s", padding[i]);
		sprintf(message + used,
			"DKIM-Signature: d=news.example; s=two; h=from; b=A\n" AUTHOR);
		look(message);
		ck_assert(origin.authenticated);
		ck_assert_uint_eq(targets.count, 2);
		ck_assert_msg(!targets.list[1].one_click, "%s", padding[i]);
	}
	snprintf(message, sizeof(message),
		"%s%s%s%sDKIM-Signature: h=%03000d; d=news.example; b=A\n" AUTHOR, STAMP, BORDER,
		LIST, SIGNED, 1);
	look(message);
	ck_assert(!targets.list[1].one_click);
}
END_TEST

/* A line without a client would hide who sent it, and so would one that is pushed out. */
START_TEST(padding_hides_no_sending_host)
{
	static char message[64000];
	size_t used = 0;

	for (int j = 0; j < 100; j++)
		used += (size_t)sprintf(
			message + used, "DKIM-Signature: d=pad.example; h=from; b=A\n");
	sprintf(message + used, BORDER AUTHOR);
	look(message);
	ck_assert(origin.has_client);
}
END_TEST

START_TEST(unsubscribe_targets_are_offered)
{
	look(BORDER LIST AUTHOR);
	ck_assert_uint_eq(targets.count, 2);
	ck_assert_str_eq(targets.list[0].url, "mailto:out@news.example?subject=x");
	ck_assert_str_eq(targets.list[1].url, "https://news.example/u?1");
	look("List-Unsubscribe: <javascript:alert(1)>, <https://a b>, <http://ok.example/>, <https://open\n" AUTHOR);
	ck_assert_uint_eq(targets.count, 1);
	ck_assert_str_eq(targets.list[0].url, "http://ok.example/");
	ck_assert(!targets.list[0].one_click);
	look(AUTHOR);
	ck_assert_uint_eq(targets.count, 0);
}
END_TEST

START_TEST(networks_are_read_and_written)
{
	static const struct {
		const char *text, *canonical;
	} rows[] = {{"192.0.2.1", "192.0.2.1"}, {"10.1.2.3/8", "10.0.0.0/8"},
		{"0.0.0.0/0", "0.0.0.0/0"}, {"192.0.2.129/25", "192.0.2.128/25"},
		{"192.0.2.1/32", "192.0.2.1"}, {"2001:DB8::1/32", "2001:db8::/32"},
		{"::/0", "::/0"}, {"::ffff:192.0.2.1", "192.0.2.1"}};
	static const char *const wrong[] = {"", "192.0.2", "192.0.2.1/33", "192.0.2.1/",
		"192.0.2.1/-1", "2001:db8::/129", "example.org", "192.0.2.1/8x", "192.0.2.1 ",
		"1.2.3.4/0000"};
	struct network network, address;
	char text[NETWORK_TEXT];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_msg(network_parse(&network, rows[i].text), "%s", rows[i].text);
		network_format(&network, text);
		ck_assert_str_eq(text, rows[i].canonical);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ck_assert_msg(!network_parse(&network, wrong[i]), "%s", wrong[i]);
	ck_assert(network_parse(&network, "192.0.2.128/25"));
	ck_assert(network_parse(&address, "192.0.2.200") && network_contains(&network, &address));
	ck_assert(network_parse(&address, "192.0.2.100") && !network_contains(&network, &address));
	ck_assert(network_parse(&address, "2001:db8::1") && !network_contains(&network, &address));
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("origin");
	TCase *tcase = tcase_create("origin");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, only_our_own_stamp_proves, 0, sizeof(CASES) / sizeof(CASES[0]));
	tcase_add_test(tcase, a_cut_stamp_proves_nothing);
	tcase_add_test(tcase, without_names_nobody_is_believed);
	tcase_add_test(tcase, servers_may_stamp_below_their_line);
	tcase_add_test(tcase, what_was_found_is_told);
	tcase_add_loop_test(
		tcase, the_sending_host_is_the_first_stranger, 0, sizeof(HOSTS) / sizeof(HOSTS[0]));
	tcase_add_test(tcase, author_and_list_are_read);
	tcase_add_loop_test(tcase, an_author_is_believed_only_beyond_doubt, 0,
		sizeof(AUTHORS) / sizeof(AUTHORS[0]));
	tcase_add_test(tcase, addresses_have_one_form);
	tcase_add_test(tcase, a_nul_in_from_ends_no_address);
	tcase_add_test(tcase, who_is_not_proven_is_not_believed_once_that_can_be);
	tcase_add_test(tcase, domains_have_one_form);
	tcase_add_loop_test(tcase, one_click_is_offered_only_as_the_author_signed_it, 0,
		sizeof(CLICKS) / sizeof(CLICKS[0]));
	tcase_add_test(tcase, padding_hides_no_signature);
	tcase_add_test(tcase, padding_hides_no_sending_host);
	tcase_add_test(tcase, unsubscribe_targets_are_offered);
	tcase_add_test(tcase, networks_are_read_and_written);
	suite_add_tcase(suite, tcase);
	return suite;
}

int main(void)
{
	return unit_main(suite());
}
