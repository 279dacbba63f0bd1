/* What the service manager is told, see sd_notify(3); without libsystemd, since
 * the protocol is one datagram. Without $NOTIFY_SOCKET all of this is nothing.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* Sends "READY=1" and the like; several are separated by \n. */
void notify_send(const char *state);

/* RELOADING=1 with the time that Type=notify-reload wants to see. */
void notify_reloading(void);

/* Milliseconds between two WATCHDOG=1: half of what the manager expects of this
 * process. 0 when it expects none. */
uint64_t notify_watchdog_interval(void);
