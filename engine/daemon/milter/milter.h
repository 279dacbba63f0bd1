/* Mail servers that ask as they receive: Postfix and Sendmail through the milter protocol. A
 * message is refused where every recipient's policy says so, otherwise taken and marked.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/daemon/loop/front.h"

/* Its socket is milter.sock; TCP as listen-milter says. */
extern const struct front milter_front;
