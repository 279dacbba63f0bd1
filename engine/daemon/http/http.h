/* HTTP on a Unix socket, and on loopback TCP with a token: libmicrohttpd driven by the loop
 * through its epoll descriptor.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "engine/daemon/loop/front.h"

/* Its socket is http.sock; TCP as listen-http says, for which there has to be a token. It is
 * read anew with the settings: the former one counts no more then, nor on connections that
 * are open. */
extern const struct front http_front;
