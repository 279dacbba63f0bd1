/* Makes the order of scoring and learning, by a seed.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/evaluate/schedule.h"

#include "trainer/measure/random.h"

GArray *schedule_lessons(
	const struct corpus_index *index, double labelled, double wrong, uint64_t seed)
{
	GArray *lessons =
		g_array_sized_new(FALSE, FALSE, sizeof(struct lesson), (guint)index->count);
	uint64_t random = seed;

	for (size_t i = 0; i < index->count; i++) {
		bool learned = random_share(&random) * 100 < labelled;
		bool flipped = random_share(&random) * 100 < wrong;
		struct lesson lesson = {
			.learned = learned && index->entries[i].use != CORPUS_SCORED,
			.spam = index->entries[i].spam != flipped};
		g_array_append_val(lessons, lesson);
	}
	return lessons;
}

static GArray *new_steps(void)
{
	return g_array_new(FALSE, FALSE, sizeof(struct step));
}

static void add_score(GArray *steps, const struct corpus_index *index, size_t entry)
{
	struct step step = {.kind = STEP_SCORE, .entry = entry};

	if (index->entries[entry].use != CORPUS_LEARNED)
		g_array_append_val(steps, step);
}

static void add_lesson(GArray *steps, const GArray *lessons, size_t entry)
{
	const struct lesson *lesson = &g_array_index(lessons, struct lesson, entry);
	struct step step = {.kind = STEP_LEARN, .entry = entry, .spam = lesson->spam};

	if (lesson->learned)
		g_array_append_val(steps, step);
}

static void add_retraining(GArray *steps, bool retrain)
{
	struct step step = {.kind = STEP_RETRAIN};

	if (retrain)
		g_array_append_val(steps, step);
}

GArray *schedule_online(const struct corpus_index *index, const GArray *lessons, size_t delay)
{
	size_t *scored = g_new(size_t, index->count + 1); /* the entries, in order */
	size_t count = 0, taught = 0;
	GArray *steps = new_steps();

	for (size_t i = 0; i < index->count; i++) {
		add_score(steps, index, i);
		if (index->entries[i].use == CORPUS_LEARNED)
			add_lesson(steps, lessons, i);
		else
			scored[count++] = i;
		for (; taught + delay < count; taught++)
			add_lesson(steps, lessons, scored[taught]);
	}
	g_free(scored);
	return steps;
}

GArray *schedule_held_out(
	const struct corpus_index *index, const GArray *lessons, size_t held_out, bool retrain)
{
	size_t until = index->count - held_out;
	GArray *steps = new_steps();

	for (size_t i = 0; i < until; i++)
		add_lesson(steps, lessons, i);
	add_retraining(steps, retrain);
	for (size_t i = until; i < index->count; i++)
		add_score(steps, index, i);
	return steps;
}

GArray *schedule_fold(const struct corpus_index *index, const GArray *lessons, const size_t *folds,
	size_t fold, bool retrain)
{
	GArray *steps = new_steps();

	for (size_t i = 0; i < index->count; i++) {
		if (folds[i] != fold)
			add_lesson(steps, lessons, i);
	}
	add_retraining(steps, retrain);
	for (size_t i = 0; i < index->count; i++) {
		if (folds[i] == fold)
			add_score(steps, index, i);
	}
	return steps;
}

GArray *schedule_scores(const struct corpus_index *index)
{
	GArray *steps = new_steps();

	for (size_t i = 0; i < index->count; i++)
		add_score(steps, index, i);
	return steps;
}

/* Fisher and Yates. */
static size_t *shuffled(size_t count, uint64_t seed)
{
	size_t *order = g_new(size_t, count + 1);
	uint64_t random = seed;

	for (size_t i = 0; i < count; i++) {
		size_t from = random_below(&random, i + 1);
		order[i] = order[from];
		order[from] = i;
	}
	return order;
}

static size_t smallest(const size_t *sizes, size_t count)
{
	size_t best = 0;

	for (size_t i = 1; i < count; i++)
		best = sizes[i] < sizes[best] ? i : best;
	return best;
}

void schedule_assign_folds(const size_t *groups, size_t count, size_t group_count, size_t folds,
	uint64_t seed, size_t *fold_of)
{
	size_t *order = shuffled(group_count, seed);
	size_t *members = g_new0(size_t, group_count + 1);
	size_t *fold_of_group = g_new(size_t, group_count + 1);
	size_t *sizes = g_new0(size_t, folds);

	for (size_t i = 0; i < count; i++)
		members[groups[i]]++;
	for (size_t i = 0; i < group_count; i++) {
		size_t fold = smallest(sizes, folds);
		fold_of_group[order[i]] = fold;
		sizes[fold] += members[order[i]];
	}
	for (size_t i = 0; i < count; i++)
		fold_of[i] = fold_of_group[groups[i]];
	g_free(sizes);
	g_free(fold_of_group);
	g_free(members);
	g_free(order);
}
