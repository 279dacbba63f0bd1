/* A name as any protocol hands it over: it means one user or nobody, whatever bytes it is
 * made of. The form of a form is itself, and brackets, a route, quotes and capitals do
 * not make another user of it. The first byte chooses the rules of the site.
 * SPDX-License-Identifier: Apache-2.0 */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "engine/service/scope/scope.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FOLDS = 1, MAX_SIZE = 65536 };

/* As recipient-delimiter may be. */
static const char *const DELIMITERS[] = {"+", "", "-", "+-=.", "!#$%&'*+-/=?^_{|"};

struct form {
	bool means; /* a user, and not nobody */
	char name[STORE_MAX_USER + 1];
};

typedef bool read_fn(const struct user_naming *naming, const char *text, char *name);

/* Nothing of what was there before is left, and nobody has no name. */
static struct form form_of(read_fn *read, const struct user_naming *naming, const char *text)
{
	struct form form;

	memset(form.name, 'x', sizeof(form.name));
	form.means = read(naming, text, form.name);
	REQUIRE(memchr(form.name, '\0', sizeof(form.name)));
	REQUIRE(form.means || !*form.name);
	return form;
}

static bool read_domain(const struct user_naming *naming, const char *text, char *name)
{
	(void)naming;
	return user_domain(text, name);
}

static bool is_same(const struct form *one, const struct form *other)
{
	return one->means == other->means && strcmp(one->name, other->name) == 0;
}

/* Takes over the text, which is to mean the same. */
static void require_same(const struct user_naming *naming, const struct form *form, char *text)
{
	struct form other = form_of(user_name, naming, text);

	REQUIRE(is_same(form, &other));
	g_free(text);
}

/* --- What a form is ----------------------------------------------------------- */

static void check_form(const struct user_naming *naming, const struct form *form)
{
	const char *at = strrchr(form->name, '@');

	require_same(naming, form, g_strdup(form->name));
	REQUIRE(g_utf8_validate(form->name, -1, NULL));
	REQUIRE(!strchr("<\"", *form->name) || !*form->name);
	REQUIRE(at != form->name);
	for (const char *c = form->name; *c; c = g_utf8_next_char(c))
		REQUIRE(!g_unichar_iscntrl(g_utf8_get_char(c)));
	for (const char *c = at ? at : ""; *c; c++)
		REQUIRE((unsigned char)*c < 0x80 && !g_ascii_isupper(*c));
	if (naming->fold) {
		for (const char *c = form->name; *c; c++)
			REQUIRE(!g_ascii_isupper(*c));
	}
}

/* The local part as RFC 5321 lets everybody write it. */
static void check_quoted(const struct user_naming *naming, const struct form *form)
{
	const char *at = strrchr(form->name, '@');
	const char *end = at ? at : form->name + strlen(form->name);
	GString *quoted = g_string_new("\"");

	for (const char *c = form->name; c < end; c++) {
		if (strchr("\\ ", *c))
			g_string_append_c(quoted, '\\');
		g_string_append_c(quoted, *c);
	}
	g_string_append_c(quoted, '"');
	g_string_append(quoted, end);
	require_same(naming, form, g_string_free(quoted, FALSE));
}

/* The user's domain is told of the same text; and as a scope it stays what it is, unless
 * its colon makes a route of it. */
static void check_domain(
	const struct user_naming *naming, const char *text, const struct form *form)
{
	struct form domain = form_of(read_domain, naming, text);
	const char *at = strrchr(form->name, '@');

	REQUIRE(!at || (domain.means && strcmp(at, domain.name) == 0));
	if (domain.means && !strchr(domain.name, ':')) {
		struct form scope = form_of(user_scope, naming, domain.name);
		REQUIRE(is_same(&scope, &domain));
	}
}

static void check_scope(const struct user_naming *naming, const char *text, const struct form *form)
{
	struct form scope = form_of(user_scope, naming, text);
	struct form again = form_of(user_scope, naming, scope.name);

	REQUIRE(*text == '@' || is_same(&scope, form));
	if (scope.means)
		REQUIRE(is_same(&again, &scope));
}

/* --- What does not make another user -------------------------------------------- */

static bool is_bracketed(const char *text)
{
	return *text == '<' && text[1] && text[strlen(text) - 1] == '>';
}

static void check_spellings(
	const struct user_naming *naming, const char *text, const struct form *form)
{
	if (*text && !is_bracketed(text)) {
		require_same(naming, form, g_strconcat("<", text, ">", NULL));
		require_same(naming, form, g_strconcat("@a.example,@[IPv6:::1]:", text, NULL));
	}
	if (naming->fold) {
		require_same(naming, form, g_ascii_strup(text, -1));
		require_same(naming, form, g_ascii_strdown(text, -1));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct user_naming naming = {0};

	if (size < 1 || size > MAX_SIZE)
		return 0;
	naming.fold = data[0] & FOLDS;
	g_strlcpy(naming.delimiters, DELIMITERS[data[0] / 2 % G_N_ELEMENTS(DELIMITERS)],
		sizeof(naming.delimiters));
	char *text = g_strndup((const char *)data + 1, size - 1);
	struct form form = form_of(user_name, &naming, text);
	if (form.means && *form.name) {
		check_form(&naming, &form);
		check_quoted(&naming, &form);
	}
	check_domain(&naming, text, &form);
	check_scope(&naming, text, &form);
	check_spellings(&naming, text, &form);
	g_free(text);
	return 0;
}
