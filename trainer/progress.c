/* Prints a line of progress on a terminal, a few times a second.
 * SPDX-License-Identifier: Apache-2.0 */
#include "trainer/progress.h"

#include <stdio.h>
#include <unistd.h>

#include <glib.h>

static const int64_t REDRAW_MICROSECONDS = 200000;

static double rate_of(const struct progress *progress, int64_t now)
{
	double seconds = (double)(now - progress->started) / G_USEC_PER_SEC;

	return seconds > 0 ? (double)progress->done / seconds : 0;
}

static void draw(struct progress *progress, int64_t now)
{
	double rate = rate_of(progress, now);

	progress->shown = now;
	fprintf(stderr, "\r  %zu", progress->done);
	if (progress->total)
		fprintf(stderr, " of %zu", progress->total);
	fprintf(stderr, " %s, %.0f/s", progress->what, rate);
	if (progress->total && rate > 0)
		fprintf(stderr, ", %.0f s left", (double)(progress->total - progress->done) / rate);
	fputs("\033[K", stderr);
}

void progress_start(struct progress *progress, const char *what, size_t total)
{
	*progress = (struct progress){
		.what = what,
		.total = total,
		.started = g_get_monotonic_time(),
		.terminal = isatty(STDERR_FILENO) == 1,
	};
}

void progress_step(struct progress *progress, size_t done)
{
	progress->done = done;
	if (!progress->terminal)
		return;
	int64_t now = g_get_monotonic_time();
	if (now - progress->shown >= REDRAW_MICROSECONDS)
		draw(progress, now);
}

double progress_end(struct progress *progress)
{
	int64_t now = g_get_monotonic_time();

	if (progress->terminal) {
		draw(progress, now);
		fputc('\n', stderr);
	}
	return rate_of(progress, now);
}
