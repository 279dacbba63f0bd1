/* Hamlet - adaptive Bayesian spam learning engine
 * SPDX-License-Identifier: Apache-2.0
 * The store in memory: a generation is kept beside the rows, and put in their place. */
#include <glib.h>

#include "engine/store/memory/memory.h"

enum status memory_forget_former(struct memory *memory, struct failure *failure)
{
	struct table *tokens = table_new(0);

	if (!tokens)
		return failure_set(failure, STATUS_NOMEM, "adopting a generation: out of memory");
	table_track(tokens);
	table_free(&memory->next_tokens);
	memory->next_tokens = tokens;
	g_array_set_size(memory->next_retrained, 0);
	return STATUS_OK;
}

static enum status put_piece(
	struct memory *memory, const struct store_piece *piece, struct failure *failure)
{
	g_array_append_vals(memory->next_retrained, piece->reports, (guint)piece->report_count);
	for (size_t i = 0; i < piece->token_count; i++) {
		const struct store_token *token = &piece->tokens[i];
		if (table_set(memory->next_tokens, token->key, token->sum, token->gain) !=
			STATUS_OK)
			return failure_set(failure, STATUS_NOMEM, "writing tokens: out of memory");
	}
	return STATUS_OK;
}

static void exchange_rows(struct memory *memory)
{
	GArray *reports = memory->next_retrained;
	struct table *tokens = memory->next_tokens;

	memory->next_retrained = memory->retrained;
	memory->retrained = reports;
	memory->next_tokens = memory->tokens;
	memory->tokens = tokens;
	for (guint i = 0; i < memory->rows->len; i++) {
		if (memory->rows->pdata[i])
			((struct row *)memory->rows->pdata[i])->retrained = NULL;
	}
	for (guint i = 0; i < reports->len; i++) {
		const struct store_retrained *report =
			&g_array_index(reports, struct store_retrained, i);
		if (report->seq <= (int64_t)memory->rows->len &&
			memory->rows->pdata[report->seq - 1])
			((struct row *)memory->rows->pdata[report->seq - 1])->retrained = report;
	}
}

enum status memory_take_over(
	struct memory *memory, const struct store_generation *generation, struct failure *failure)
{
	enum status status = put_piece(memory, &generation->piece, failure);

	if (status != STATUS_OK || !generation->checkpoint)
		return status;
	exchange_rows(memory);
	memory_clear_entries(memory, generation->entry_kind);
	memory->checkpoint = *generation->checkpoint;
	memory_put_entries(memory, generation->entries, generation->entry_count);
	return STATUS_OK;
}

enum status memory_empty_rows(struct memory *memory, struct failure *failure)
{
	struct table *empty = table_new(0);

	if (!empty)
		return failure_set(failure, STATUS_NOMEM, "writing tokens: out of memory");
	table_track(empty);
	table_free(&memory->tokens);
	memory->tokens = empty;
	return STATUS_OK;
}
