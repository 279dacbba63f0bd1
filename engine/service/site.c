/* Puts settings and entries of the site together.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/service/site.h"

#include <string.h>

#include <glib.h>

#include "engine/service/service.h"

static char **copy_list(const char *const *list)
{
	return list ? g_strdupv((char **)list) : g_new0(char *, 1);
}

static enum status read_network(struct network *network, const char *text, struct failure *failure)
{
	if (network_parse(network, text))
		return STATUS_OK;
	return failure_set(
		failure, STATUS_INVALID, "own-networks: %.60s is no address or network", text);
}

static enum status read_networks(
	struct site *site, const char *const *list, struct failure *failure)
{
	size_t count = list ? g_strv_length((char **)list) : 0;
	enum status status = STATUS_OK;

	site->networks = g_new0(struct network, count + 1);
	for (size_t i = 0; i < count && status == STATUS_OK; i++)
		status = read_network(&site->networks[i], list[i], failure);
	site->trust.networks = site->networks;
	site->trust.network_count = count;
	return status;
}

static struct site *start_site(
	const char *const *authserv_ids, const char *const *header_names, bool below_received)
{
	struct site *site = g_new0(struct site, 1);

	site->references = 1;
	site->authserv_ids = copy_list(authserv_ids);
	site->header_names = copy_list(header_names);
	site->trust.authserv_ids = (const char *const *)site->authserv_ids;
	site->trust.header_names = (const char *const *)site->header_names;
	site->trust.below_received = below_received;
	return site;
}

/* The file's lines, also the empty ones, for their numbers. */
static enum status read_trusted(struct site *site, const char *path, struct failure *failure)
{
	GError *error = NULL;
	char *text = NULL;
	enum status status = STATUS_OK;

	if (path && *path && !g_file_get_contents(path, &text, NULL, &error))
		status = failure_set(failure, STATUS_IO, "trusted-senders: %.200s", error->message);
	site->trusted = g_strsplit(text ? text : "", "\n", -1);
	for (size_t i = 0; site->trusted[i]; i++) {
		site->trusted[i][strcspn(site->trusted[i], "#")] = '\0';
		g_strstrip(site->trusted[i]);
	}
	g_clear_error(&error);
	g_free(text);
	return status;
}

static enum status refuse_line(size_t line, const struct failure *wrong, struct failure *failure)
{
	return failure_set(
		failure, STATUS_INVALID, "trusted-senders, line %zu: %.180s", line, wrong->detail);
}

static enum status add_trusted(struct site *site, struct failure *failure)
{
	struct failure wrong = {0};

	for (size_t i = 0; site->trusted[i]; i++) {
		if (*site->trusted[i] &&
			preferences_add_trusted(site->preferences, site->trusted[i], &wrong) !=
				STATUS_OK)
			return refuse_line(i + 1, &wrong, failure);
	}
	return STATUS_OK;
}

void site_check(const struct service_settings *settings, site_complaint_fn *each, void *context)
{
	struct site *site = start_site(NULL, NULL, false);
	const char *const *networks = settings->own_networks;
	struct network network;
	struct failure failure, wrong;

	for (size_t i = 0; networks && networks[i]; i++) {
		if (read_network(&network, networks[i], &failure) != STATUS_OK)
			each(context, &failure);
	}
	if (read_trusted(site, settings->trusted_senders, &failure) != STATUS_OK)
		each(context, &failure);
	for (size_t i = 0; site->trusted[i]; i++) {
		if (!*site->trusted[i] ||
			preferences_check_trusted(site->trusted[i], &wrong) == STATUS_OK)
			continue;
		refuse_line(i + 1, &wrong, &failure);
		each(context, &failure);
	}
	site_unref(&site);
}

static enum status finish_site(struct site **result, struct site *site, enum status status,
	struct store_reader *reader, struct failure *failure)
{
	if (status == STATUS_OK)
		status = preferences_read(&site->preferences, reader, "", failure);
	if (status == STATUS_OK)
		status = add_trusted(site, failure);
	if (status != STATUS_OK)
		site_unref(&site);
	*result = site;
	return status;
}

enum status site_new(struct site **result, const struct service_settings *settings,
	struct store_reader *reader, struct failure *failure)
{
	struct site *site = start_site(settings->authserv_ids, settings->authentication_headers,
		settings->authentication_below_received);

	enum status status = read_networks(site, settings->own_networks, failure);
	if (status == STATUS_OK)
		status = read_trusted(site, settings->trusted_senders, failure);
	return finish_site(result, site, status, reader, failure);
}

enum status site_again(struct site **result, const struct site *former, struct store_reader *reader,
	struct failure *failure)
{
	const struct origin_trust *trust = &former->trust;
	struct site *site =
		start_site(trust->authserv_ids, trust->header_names, trust->below_received);

	site->trusted = g_strdupv(former->trusted);
	site->networks = g_new0(struct network, trust->network_count + 1);
	for (size_t i = 0; i < trust->network_count; i++)
		site->networks[i] = trust->networks[i];
	site->trust.networks = site->networks;
	site->trust.network_count = trust->network_count;
	return finish_site(result, site, STATUS_OK, reader, failure);
}

struct site *site_ref(struct site *site)
{
	site->references++;
	return site;
}

void site_unref(struct site **site)
{
	if (*site && --(*site)->references == 0) {
		preferences_free(&(*site)->preferences);
		g_strfreev((*site)->authserv_ids);
		g_strfreev((*site)->header_names);
		g_strfreev((*site)->trusted);
		g_free((*site)->networks);
		g_free(*site);
	}
	*site = NULL;
}
