/* Writes what people read of the settings from their table: "documents conf" prints
 * hamlet.conf.in, "documents manual" the keys of hamlet.conf(5).
 * SPDX-License-Identifier: Apache-2.0 */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "engine/settings/table.h"

enum { WIDTH = 80 };

static const char HEAD[] =
	"# Hamlet's configuration: see hamlet.conf(5). Each key is shown with its default;\n"
	"# take the # away to change it. \"hamletd --check\" says whether the file is valid\n"
	"# and what is in force; \"systemctl reload hamletd\" applies what can be applied\n"
	"# while it runs. A key that is not known is an error.\n"
	"\n"
	"[hamletd]\n";

/* What a reader of either document needs beside the text. To be freed. */
static char *closing_sentences(const struct setting *setting)
{
	static const enum value_type PLAIN[] = {
		TYPE_TEXT, TYPE_LIST, TYPE_BOOL, TYPE_PATH, TYPE_CHARACTERS};
	char *allowed = value_allowed(&setting->rule);
	char *text = g_strconcat("Allowed: ", allowed, ".", NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(PLAIN); i++) {
		if (setting->rule.type == PLAIN[i])
			*text = '\0';
	}
	char *all = g_strconcat(
		text, setting->take_over == RESTART ? " A new value needs a restart." : "", NULL);
	g_free(text);
	g_free(allowed);
	return g_strstrip(all);
}

/* Lines of at most WIDTH, each after `prefix`. */
static void print_filled(const char *text, const char *prefix)
{
	char **words = g_strsplit(text, " ", -1);
	size_t column = 0;

	for (size_t i = 0; words[i]; i++) {
		size_t size = strlen(words[i]);
		bool fits = column > 0 && column + 1 + size <= WIDTH;

		printf("%s%s%s", fits ? " " : column > 0 ? "\n" : "", fits ? "" : prefix, words[i]);
		column = fits ? column + 1 + size : strlen(prefix) + size;
	}
	putchar('\n');
	g_strfreev(words);
}

static bool begins_section(size_t i)
{
	return i == 0 || settings_table[i - 1].section != settings_table[i].section;
}

/* --- hamlet.conf ----------------------------------------------------------- */

static void print_in_conf(const struct setting *setting)
{
	char *closing = closing_sentences(setting);
	char *text = g_strjoin(*closing ? " " : "", setting->text, closing, NULL);

	putchar('\n');
	print_filled(text, "# ");
	printf("#%s =%s%s\n", setting->key, *setting->fallback ? " " : "", setting->fallback);
	g_free(text);
	g_free(closing);
}

static void print_section_in_conf(const struct settings_section *section)
{
	printf("\n# --- %s ---\n", section->title);
	if (section->text)
		print_filled(section->text, "# ");
}

static void print_conf(void)
{
	fputs(HEAD, stdout);
	for (size_t i = 0; i < settings_count; i++) {
		if (begins_section(i))
			print_section_in_conf(&settings_sections[settings_table[i].section]);
		print_in_conf(&settings_table[i]);
	}
}

/* --- hamlet.conf(5) -------------------------------------------------------- */

/* What becomes a macro, with the punctuation around it: a literal, a manual, a signal. */
static const char MACROS[] = "(?:^|[ \n]+)(\\(?)(?:'(?<Ql>[^']+)'|(?<Xr>[a-z.-]+)\\((?<n>[158])\\)|"
			     "(?<Dv>SIGHUP)|(?<Cm>[a-z]+(?:-[a-z]+)+))(\\)?)([.,:;?]?)(?=[ \n]|$)";

static bool is_key(const char *word)
{
	bool found = false;

	for (size_t i = 0; i < settings_count; i++)
		found = found || strcmp(settings_table[i].key, word) == 0;
	return found;
}

/* Words with a dash that are no keys stay what they are. */
static gboolean write_macro(const GMatchInfo *match, GString *text, void *context)
{
	static const char *const NAMES[] = {"Ql", "Xr", "Dv", "Cm"};
	char *before = g_match_info_fetch(match, 1);
	char *number = g_match_info_fetch_named(match, "n");
	char *after = g_match_info_fetch(match, 7), *stop = g_match_info_fetch(match, 8);

	(void)context;
	for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++) {
		char *word = g_match_info_fetch_named(match, NAMES[i]);
		if (word && *word && NAMES[i][0] == 'C' && !is_key(word))
			g_string_append_printf(text, " %s%s%s%s", before, word, after, stop);
		else if (word && *word)
			g_string_append_printf(text,
				i == 0 ? "\n.%s %s \"%s\" %s %s %s\n" : "\n.%s %s %s %s %s %s\n",
				NAMES[i], before, word, number, after, stop);
		g_free(word);
	}
	g_free(stop);
	g_free(after);
	g_free(number);
	g_free(before);
	return FALSE;
}

/* Each sentence and each macro has lines of its own. To be freed. */
static char *to_mdoc(const char *text)
{
	static const char *const STEPS[][2] = {
		{" *\n *", "\n"}, {"\n+", "\n"}, {"(?m)^(\\..*?) +$", "\\1"}, {"  +", " "}};
	GRegex *sentences = g_regex_new("([.?!]) ", 0, 0, NULL);
	GRegex *macros = g_regex_new(MACROS, 0, 0, NULL);
	char *lines = g_regex_replace(sentences, text, -1, 0, "\\1\n", 0, NULL);
	char *mdoc = g_regex_replace_eval(macros, lines, -1, 0, 0, write_macro, NULL, NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(STEPS); i++) {
		GRegex *step = g_regex_new(STEPS[i][0], 0, 0, NULL);
		char *next = g_regex_replace(step, mdoc, -1, 0, STEPS[i][1], 0, NULL);
		g_free(mdoc);
		mdoc = next;
		g_regex_unref(step);
	}
	g_free(lines);
	g_regex_unref(macros);
	g_regex_unref(sentences);
	return mdoc;
}

static void print_mdoc(const char *text)
{
	char *mdoc = to_mdoc(text);
	char **lines = g_strsplit(g_strstrip(mdoc), "\n", -1);

	for (size_t i = 0; lines[i]; i++) {
		if (*lines[i] == '.')
			puts(lines[i]);
		else
			print_filled(lines[i], "");
	}
	g_strfreev(lines);
	g_free(mdoc);
}

static void print_in_manual(const struct setting *setting)
{
	char **paragraphs = g_strsplit(setting->more ? setting->more : "", "\n\n", -1);
	char *closing = closing_sentences(setting);

	printf(".It Cm %s\n", setting->key);
	print_mdoc(setting->text);
	for (size_t i = 0; paragraphs[i]; i++) {
		if (i > 0)
			puts(".Pp");
		print_mdoc(paragraphs[i]);
	}
	if (*closing)
		print_mdoc(closing);
	printf("Default: %s.\n", *setting->fallback ? setting->fallback : "none");
	g_free(closing);
	g_strfreev(paragraphs);
}

static void print_section_in_manual(const struct settings_section *section)
{
	printf(".Ss %s\n", section->title);
	if (section->text)
		print_mdoc(section->text);
	puts(".Bl -tag -width Ds");
}

static void print_manual(void)
{
	for (size_t i = 0; i < settings_count; i++) {
		if (begins_section(i) && i > 0)
			puts(".El");
		if (begins_section(i))
			print_section_in_manual(&settings_sections[settings_table[i].section]);
		print_in_manual(&settings_table[i]);
	}
	puts(".El");
}

int main(int argc, char **argv)
{
	const char *document = argc == 2 ? argv[1] : "";

	if (strcmp(document, "conf") == 0)
		print_conf();
	else if (strcmp(document, "manual") == 0)
		print_manual();
	else
		return fputs("usage: documents conf | manual\n", stderr), 1;
	return 0;
}
