/* Counts the work of instrumented code (work.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/work.h"

#include <stdbool.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
/* Of the sanitizers' run time; GCC brings no header for it. */
int __sanitizer_install_malloc_and_free_hooks(
	void (*on_malloc)(const volatile void *, size_t), void (*on_free)(const volatile void *));
#else
#define SANITIZED 0
#endif

static struct work work;
static bool counting;

static void note_allocation(size_t size)
{
	if (!counting)
		return;
	work.allocations++;
	work.allocated += size;
}

/* Called by the compiler's instrumentation. */
void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
	work.blocks++;
}

/* --- Memory ------------------------------------------------------------------- */

#if SANITIZED
static void on_malloc(const volatile void *memory, size_t size)
{
	(void)memory;
	note_allocation(size);
}

static void on_free(const volatile void *memory)
{
	(void)memory;
}

__attribute__((constructor)) static void install(void)
{
	__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}
#else
/* These take the place of the C library's for all libraries. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

void *malloc(size_t size)
{
	note_allocation(size);
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	note_allocation(count * size);
	return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	note_allocation(size);
	return __libc_realloc(memory, size);
}
#endif

/* --- String functions ------------------------------------------------------------ */

/* The linker sends calls of NAME in the measured objects to __wrap_NAME (--wrap). */
#define WRAP(type, name, parameters, arguments, bytes)                                             \
	type __real_##name parameters;                                                             \
	type __wrap_##name parameters;                                                             \
	type __wrap_##name parameters                                                              \
	{                                                                                          \
		type result = __real_##name arguments;                                             \
		work.scanned += (size_t)(bytes);                                                   \
		return result;                                                                     \
	}
#define TO_RESULT(start, all)                                                                      \
	(result ? (size_t)((const char *)result - (const char *)(start)) : (all))

WRAP(void *, memchr, (const void *s, int c, size_t n), (s, c, n), TO_RESULT(s, n))
WRAP(void *, memrchr, (const void *s, int c, size_t n), (s, c, n), n)
WRAP(void *, memmem, (const void *s, size_t n, const void *t, size_t m), (s, n, t, m),
	TO_RESULT(s, n))
WRAP(void *, memcpy, (void *d, const void *s, size_t n), (d, s, n), n)
WRAP(void *, memmove, (void *d, const void *s, size_t n), (d, s, n), n)
WRAP(void *, memset, (void *d, int c, size_t n), (d, c, n), n)
WRAP(size_t, strlen, (const char *s), (s), result)
WRAP(size_t, strnlen, (const char *s, size_t n), (s, n), result)
WRAP(size_t, strspn, (const char *s, const char *t), (s, t), result)
WRAP(size_t, strcspn, (const char *s, const char *t), (s, t), result)
WRAP(char *, strchr, (const char *s, int c), (s, c), TO_RESULT(s, strlen(s)))
WRAP(char *, strrchr, (const char *s, int c), (s, c), strlen(s))
WRAP(char *, strstr, (const char *s, const char *t), (s, t), TO_RESULT(s, strlen(s)))

/* --- Results ---------------------------------------------------------------------- */

void work_begin(void)
{
	work = (struct work){0};
	counting = true;
}

struct work work_end(void)
{
	counting = false;
	return work;
}

double work_units(const struct work *done)
{
	return (double)done->blocks + 50.0 * (double)done->allocations +
		(double)(done->scanned + done->allocated) / 16;
}
