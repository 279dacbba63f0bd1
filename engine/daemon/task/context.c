/* What goes with a message: read from JSON, or set one by one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/daemon/task/context.h"

#include <string.h>

#include <glib.h>
#include <jansson.h>

#include "engine/service/query/query.h"
#include "engine/service/report/report.h"

static enum status read_recipients(
	struct context *context, const json_t *list, struct failure *failure)
{
	size_t count = json_array_size(list);

	if (!json_is_array(list) || count == 0 || count > QUERY_MAX_USERS)
		return failure_set(failure, STATUS_INVALID,
			"recipients: a list of 1 to %d names is wanted", QUERY_MAX_USERS);
	context->recipients = g_new0(char *, count + 1);
	for (size_t i = 0; i < count; i++) {
		const char *name = json_string_value(json_array_get(list, i));

		if (!name)
			return failure_set(
				failure, STATUS_INVALID, "recipients: a name is no string");
		context->recipients[context->recipient_count++] = g_strdup(name);
	}
	return STATUS_OK;
}

enum status context_set_consent(struct context *context, const char *word, struct failure *failure)
{
	if (strcmp(word, "granted") == 0)
		context->consent = CONSENT_GRANTED;
	else if (strcmp(word, "declined") == 0)
		context->consent = CONSENT_DECLINED;
	else
		return failure_set(failure, STATUS_INVALID,
			"consent: %.40s is neither granted nor declined", word);
	return STATUS_OK;
}

static bool read_folder(const char *name, enum event_folder *folder)
{
	return !name || event_folder_named(name, folder);
}

enum status context_set_event(
	struct context *context, const struct event_words *words, struct failure *failure)
{
	struct event *event = &context->event;
	const char *kind = words->kind;

	if (!kind)
		return failure_set(failure, STATUS_INVALID, "event: Object item not found: kind");
	if (strcmp(kind, "button") == 0)
		event->kind = EVENT_BUTTON;
	else if (strcmp(kind, "move") == 0)
		event->kind = EVENT_MOVE;
	else if (strcmp(kind, "flag") == 0)
		event->kind = EVENT_FLAG;
	else
		return failure_set(failure, STATUS_INVALID,
			"event: %.40s is none of button, move, flag", kind);
	if (!read_folder(words->from, &event->from) || !read_folder(words->to, &event->to))
		return failure_set(
			failure, STATUS_INVALID, "event: a folder is inbox, junk, trash or other");
	event->selected = (unsigned)CLAMP(words->selected, 0, 1000000);
	return STATUS_OK;
}

static enum status read_event(struct context *context, json_t *json, struct failure *failure)
{
	struct event_words words = {0};
	json_int_t selected = 0;
	json_error_t error;

	if (json_unpack_ex(json, &error, 0, "{s:s, s?s, s?s, s?I !}", "kind", &words.kind, "from",
		    &words.from, "to", &words.to, "selected", &selected) != 0)
		return failure_set(failure, STATUS_INVALID, "event: %.150s", error.text);
	words.selected = selected;
	return context_set_event(context, &words, failure);
}

static enum status read_object(struct context *context, json_t *json, struct failure *failure)
{
	json_t *recipients = NULL, *event = NULL;
	const char *consent = NULL;
	json_error_t error;
	enum status status = STATUS_OK;

	if (json_unpack_ex(json, &error, 0, "{s?o, s?s, s?o !}", "recipients", &recipients,
		    "consent", &consent, "event", &event) != 0)
		return failure_set(failure, STATUS_INVALID, "context: %.150s", error.text);
	if (recipients)
		status = read_recipients(context, recipients, failure);
	if (status == STATUS_OK && consent)
		status = context_set_consent(context, consent, failure);
	if (status == STATUS_OK && event)
		status = read_event(context, event, failure);
	return status;
}

enum status context_parse(struct context *context, const char *text, struct failure *failure)
{
	json_error_t error;
	json_t *json;
	char *valid;
	enum status status;

	*context = (struct context){0};
	if (!*text)
		return STATUS_OK;
	/* A client may quote a recipient's bytes as they came: then that one is nobody. */
	valid = g_utf8_make_valid(text, -1);
	json = json_loads(valid, JSON_REJECT_DUPLICATES, &error);
	g_free(valid);
	if (!json)
		return failure_set(failure, STATUS_INVALID, "context: %.150s", error.text);
	status = read_object(context, json, failure);
	json_decref(json);
	if (status != STATUS_OK)
		context_free(context);
	return status;
}

void context_add_recipients(struct context *context, const char *names, size_t count, size_t lost)
{
	context->recipients = g_new0(char *, count + 2);
	context->recipient_count = count + (lost > 0);
	for (size_t i = 0; i < count; i++, names += strlen(names) + 1)
		context->recipients[i] = g_strdup(names);
	if (lost > 0)
		context->recipients[count] = g_strdup("");
}

void context_free(struct context *context)
{
	g_strfreev(context->recipients);
	*context = (struct context){0};
}
