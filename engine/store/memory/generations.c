/* The store in memory: a generation is kept beside the rows, and put in their place.
 * SPDX-License-Identifier: Apache-2.0 */
#include <glib.h>

#include "engine/store/memory/memory.h"

GHashTable *memory_tokens_new(void)
{
	return g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
}

void memory_put_tokens(GHashTable *rows, const struct store_token *tokens, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct store_token *row = g_memdup2(&tokens[i], sizeof(tokens[i]));
		if (row->gain > 0) {
			g_hash_table_replace(rows, &row->key, row);
		} else {
			g_hash_table_remove(rows, &row->key);
			g_free(row);
		}
	}
}

void memory_forget_former(struct memory *memory)
{
	g_hash_table_remove_all(memory->next_tokens);
	g_array_set_size(memory->next_retrained, 0);
}

static void exchange_rows(struct memory *memory)
{
	GArray *reports = memory->next_retrained;
	GHashTable *tokens = memory->next_tokens;

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

void memory_take_over(struct memory *memory, const struct store_generation *generation)
{
	const struct store_piece *piece = &generation->piece;

	g_array_append_vals(memory->next_retrained, piece->reports, (guint)piece->report_count);
	memory_put_tokens(memory->next_tokens, piece->tokens, piece->token_count);
	if (!generation->checkpoint)
		return;
	exchange_rows(memory);
	memory_clear_entries(memory, generation->entry_kind);
	memory->checkpoint = *generation->checkpoint;
	memory_put_entries(memory, generation->entries, generation->entry_count);
}
