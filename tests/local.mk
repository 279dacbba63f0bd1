# SPDX-License-Identifier: Apache-2.0
# Every unit test links only the archives that its layer allows: a forbidden
# dependency fails to link. Programs print TAP.
include tests/unit/local.mk
include tests/conformance/local.mk
include tests/fault/local.mk
include tests/fuzz/local.mk
include tests/bench/local.mk
include tests/check/local.mk
include tests/lint/local.mk

EXTRA_DIST += $(srcdir)/%D%/integration
