# SPDX-License-Identifier: Apache-2.0
# The project's own configure options.

# HAMLET_TRY_CFLAG(FLAG): adds FLAG to HAMLET_CFLAGS where the compiler has it.
AC_DEFUN([HAMLET_TRY_CFLAG], [
	AS_VAR_PUSHDEF([cache], [hamlet_cv_cflag_$1])
	AC_CACHE_CHECK([whether $CC accepts $1], [cache], [
		save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -Werror $1"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
			[AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
		CFLAGS=$save_CFLAGS])
	AS_VAR_IF([cache], [yes], [HAMLET_CFLAGS="$HAMLET_CFLAGS $1"])
	AS_VAR_POPDEF([cache])])

AC_DEFUN([HAMLET_WARNINGS], [
	AC_ARG_ENABLE([werror],
		[AS_HELP_STRING([--enable-werror], [treat compiler warnings as errors])])
	m4_foreach_w([flag], [-Wall -Wextra -Wshadow -Wstrict-prototypes
		-Wmissing-prototypes -Wformat=2 -Wvla -Wundef -Wpointer-arith
		-Wimplicit-fallthrough -Wwrite-strings -Wconversion -Wno-sign-conversion],
		[HAMLET_TRY_CFLAG(flag)])
	AS_VAR_IF([enable_werror], [yes], [HAMLET_CFLAGS="$HAMLET_CFLAGS -Werror"])
	AC_SUBST([HAMLET_CFLAGS])])

AC_DEFUN([HAMLET_HARDENING], [
	HAMLET_CFLAGS="-std=gnu17 -fno-math-errno"
	m4_foreach_w([flag], [-fstack-protector-strong -fstack-clash-protection
		-fcf-protection], [HAMLET_TRY_CFLAG(flag)])
	HAMLET_LDFLAGS="-Wl,-z,relro -Wl,-z,now"
	AC_SUBST([HAMLET_LDFLAGS])])

AC_DEFUN([HAMLET_SANITIZER], [
	AC_ARG_WITH([sanitizer],
		[AS_HELP_STRING([--with-sanitizer=LIST],
			[build with sanitizers, for example address,undefined])],
		[], [with_sanitizer=no])
	AS_CASE([$with_sanitizer],
		[no], [],
		[yes], [hamlet_sanitizers=address,undefined],
		[hamlet_sanitizers=$with_sanitizer])
	AS_IF([test -n "$hamlet_sanitizers"], [
		HAMLET_CFLAGS="$HAMLET_CFLAGS -fsanitize=$hamlet_sanitizers dnl
-fno-sanitize-recover=all -fno-omit-frame-pointer"
		HAMLET_LDFLAGS="$HAMLET_LDFLAGS -fsanitize=$hamlet_sanitizers"])
	AS_CASE([,$hamlet_sanitizers,], [*,thread,*], [
		hamlet_tsan=yes
		# See tests/check/tsan_queue.c.
		HAMLET_LDFLAGS="$HAMLET_LDFLAGS dnl
-Wl,--wrap=g_async_queue_push,--wrap=g_async_queue_pop"])
	AM_CONDITIONAL([THREAD_SANITIZED], [test "$hamlet_tsan" = yes])])

AC_DEFUN([HAMLET_FUZZ], [
	AC_ARG_ENABLE([fuzz],
		[AS_HELP_STRING([--enable-fuzz],
			[build libFuzzer targets (needs CC=clang)])])
	AS_VAR_IF([enable_fuzz], [yes], [
		HAMLET_CFLAGS="$HAMLET_CFLAGS -fsanitize=fuzzer-no-link"
		save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -fsanitize=fuzzer-no-link"
		AC_MSG_CHECKING([for libFuzzer])
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])], [AC_MSG_RESULT([yes])],
			[AC_MSG_ERROR([--enable-fuzz needs clang with libFuzzer; dnl
on Debian: apt-get install clang libclang-rt-14-dev, then ./configure CC=clang])])
		CFLAGS=$save_CFLAGS])
	AM_CONDITIONAL([FUZZ], [test "x$enable_fuzz" = xyes])])

AC_DEFUN([HAMLET_COVERAGE], [
	AC_ARG_ENABLE([coverage],
		[AS_HELP_STRING([--enable-coverage], [build for gcov])])
	AS_VAR_IF([enable_coverage], [yes], [
		HAMLET_CFLAGS="$HAMLET_CFLAGS --coverage -O0 -DHAMLET_COVERAGE"
		HAMLET_LDFLAGS="$HAMLET_LDFLAGS --coverage"])])
