/* SPAMD: spamc, Exim, Haraka and hamlet ask through it (protocol/spamd.h).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/daemon/loop/front.h"

/* Its socket is spamd.sock; TCP as listen-tcp says. */
extern const struct front spamd_front;
