/* The one place where a setting has its name, bounds, default and description. Whoever adds one
 * writes a row here, a member of a struct in table.h or service-settings.h, and the code that
 * reads it; "make update-documents" then writes hamlet.conf and hamlet.conf(5).
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/settings/table.h"

#define KIB 1024.0
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* clang-format off */
/* Where a member is. It compiles only if the member has a type that its rule can fill. */
#define AT(type, member) \
	_Generic(&((struct settings *)0)->member, type *: offsetof(struct settings, member))
#define AT_EITHER(one, other, member) \
	_Generic(&((struct settings *)0)->member, one *: offsetof(struct settings, member), \
		other *: offsetof(struct settings, member))

#define TEXT(member)    {TYPE_TEXT, 0, 0, NULL, NULL}, AT_EITHER(char *, const char *, member)
#define PATH(member)    {TYPE_PATH, 0, 0, NULL, NULL}, AT(char *, member)
#define ADDRESS(member) {TYPE_ADDRESS, 0, 0, NULL, NULL}, AT(char *, member)
#define LIST(member)    {TYPE_LIST, 0, 0, NULL, NULL}, AT_EITHER(char **, const char *const *, member)
#define BOOL(member, words)               {TYPE_BOOL, 0, 0, NULL, words}, AT(bool, member)
#define WORD(member, first, last, words)  {TYPE_WORD, first, last, NULL, words}, AT(unsigned, member)
#define CHARACTERS(member, most, words) \
	{TYPE_CHARACTERS, 0, most, NULL, words}, AT(typeof(char[(most) + 1]), member)
#define OCTAL(member, most)               {TYPE_OCTAL, 0, most, NULL, NULL}, AT(uint64_t, member)
#define BYTES(member, least, most)        {TYPE_BYTES, least, most, "bytes", NULL}, AT(uint64_t, member)
#define ROOM(member, least, most)         {TYPE_ROOM, least, most, "bytes", NULL}, AT(uint64_t, member)
#define REAL(member, least, most, unit)   {TYPE_REAL, least, most, unit, NULL}, AT(double, member)
#define NUMBER(member, least, most, unit) \
	{TYPE_NUMBER, least, most, unit, NULL}, AT_EITHER(uint64_t, int64_t, member)

static const char *const LEVELS[] = {
	[LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};
static const char *const FAILURES[] = {
	[ON_FAILURE_ACCEPT] = "accept", [ON_FAILURE_TEMPFAIL] = "tempfail"};
static const char *const ACTIONS[] = {
	[ACTION_TAG] = "tag", [ACTION_JUNK] = "junk", [ACTION_REJECT] = "reject"};
static const char *const CASES[] = {"keep", "fold"};

/* What an atom has beside letters and digits (RFC 5322 section 3.2.3), without the grave
 * accent, which other letters are composed to; and the dot. */
static const char *const DELIMITERS[] = {"!#$%&'*+-/=?^_{|}~."};

const struct settings_section settings_sections[] = {
	[SECTION_PLACES] = {"Places", NULL},
	[SECTION_RIGHTS] = {"Rights", NULL},
	[SECTION_LIMITS] = {"Limits",
		"hamletd refuses at once what is beyond a limit, with an answer that says so."},
	[SECTION_DURABILITY] = {"Durability", NULL},
	[SECTION_VERDICTS] = {"Verdicts", NULL},
	[SECTION_BELIEF] = {"Whom to believe", NULL},
	[SECTION_THRESHOLDS] = {"Thresholds by retraining", NULL},
	[SECTION_HOUSEKEEPING] = {"Housekeeping", NULL},
	[SECTION_LOG] = {"Log", NULL},
};

/* Bounds keep out slips of the keyboard, not unusual sites. */
const struct setting settings_table[] = {
	/* --- Places -------------------------------------------------------------- */
	{"state-directory", PATH(state_directory), SETTINGS_STATE_DIRECTORY,
		SECTION_PLACES, RESTART,
		.text = "The database hamlet.sqlite is in this folder. "
			"Back it up; nobody else should read it.",
		.more = "hamletd makes the folder, for itself alone, if it is missing. "
			"The build of hamletd may have set another default."},
	{"runtime-directory", PATH(runtime_directory), SETTINGS_RUNTIME_DIRECTORY,
		SECTION_PLACES, RESTART,
		.text = "The sockets spamd.sock, http.sock and milter.sock are in this folder. "
			"Where systemd passes a socket (hamletd.socket), hamletd takes that one for spamd.sock.",
		.more = "The build of hamletd may have set another default."},
	{"socket-mode", OCTAL(socket_mode, 0777), "0660", SECTION_PLACES, RESTART,
		.text = "The socket has these permissions. "
			"With 0660 whoever is in the socket's group may ask for the verdict of any user: "
			"put the accounts of the MTA, of Dovecot and of the webmail into it. "
			"With 0666 every local login can connect. "
			"Who is not in the group may then report as itself and gets its own verdict; "
			"for another user it gets everybody's verdict.",
		.more = "See Rights in hamletd(8)."},
	{"socket-group", TEXT(socket_group), "", SECTION_PLACES, RESTART,
		.text = "The socket belongs to this group. "
			"Empty means the group that hamletd runs with."},
	{"listen-tcp", ADDRESS(listen_tcp), "", SECTION_PLACES, RESTART,
		.text = "hamletd listens here as well, for clients that know no Unix sockets, "
			"for example at 127.0.0.1:783 or [::1]:783. "
			"Such clients get everybody's verdict, whatever user they name. "
			"They cannot report: TCP does not tell who they are."},
	{"listen-http", ADDRESS(listen_http), "", SECTION_PLACES, RESTART,
		.text = "hamletd serves HTTP on the Unix socket http.sock beside spamd.sock, "
			"and here over TCP, for example at 127.0.0.1:8783. "
			"A client of this address shows the token of http-token-file."},
	{"listen-milter", ADDRESS(listen_milter), "", SECTION_PLACES, RESTART,
		.text = "Postfix and Sendmail ask through the milter protocol. "
			"hamletd serves it on the Unix socket milter.sock beside spamd.sock, "
			"and here, for example at 127.0.0.1:8891, for a mail server that is chrooted and "
			"does not see the socket."},

	/* --- Rights -------------------------------------------------------------- */
	{"http-token-file", TEXT(http_token_file), "", SECTION_RIGHTS, RESTART,
		.text = "This file holds the token that clients of listen-http show "
			"('Authorization: Bearer TOKEN'). "
			"It has 16 characters at least. "
			"A client that shows it may report for any user.",
		.more = "hamletd reads the token again on SIGHUP and refuses the former one then. "
			"When the file cannot be read, or the token is too short, the former one stays, "
			"and the log says so. "
			"listen-http needs this file."},
	{"on-failure", WORD(on_failure, ON_FAILURE_ACCEPT, ON_FAILURE_TEMPFAIL, FAILURES), "accept",
		SECTION_RIGHTS, RELOAD,
		.text = "The milter answers this for a message that cannot be judged, "
			"and when all connections are in use. "
			"'accept' takes the message as it is; "
			"'tempfail' has it sent again later."},
	{"judge-authenticated", BOOL(judge_authenticated, NULL), "false", SECTION_RIGHTS, RELOAD,
		.text = "Does the milter judge mail of clients that have authenticated themselves? "
			"Such mail is people's own on its way out. "
			"Where the milter does not judge it, it takes it without a mark.",
		.more = "The macro '{auth_authen}' of the mail server tells who has."},
	{"reporters", LIST(reporters), "", SECTION_RIGHTS, RELOAD,
		.text = "These logins may report for any user: those that the webmail, Dovecot and the MTA "
			"run with, for example 'www-data vmail'. "
			"root and the login of hamletd itself may, too. "
			"Everybody else reports as the own login only, as the kernel knows it."},
	{"administrators", LIST(administrators), "", SECTION_RIGHTS, RELOAD,
		.text = "These logins may do everything."},
	{"sandbox", BOOL(sandbox, NULL), "true", SECTION_RIGHTS, RESTART,
		.text = "Does hamletd give up what it never needs once it serves? "
			"That is other programs, other accounts, network connections of its own, "
			"and files that are not in its folders. "
			"'hamletd --check' says what this kernel can deny.",
		.more = "See hamletd(8)."},

	/* --- Limits -------------------------------------------------------------- */
	{"workers", NUMBER(workers, 0, 256, "threads"), "0", SECTION_LIMITS, RESTART,
		.text = "This many threads read messages. "
			"0 means one a processor, which is the most that helps."},
	{"max-connections", NUMBER(max_connections, 1, 100000, NULL), "1000",
		SECTION_LIMITS, RELOAD,
		.text = "Each protocol may have this many open connections. "
			"A connection costs some kilobytes and its message.",
		.more = "One login, and all TCP clients together, may have three quarters of them. "
			"root, the login of hamletd(8) and the milter may have all. "
			"Beyond them the milter answers as on-failure says, "
			"and HTTP answers 503 with 'Retry-After'."},
	{"max-jobs", NUMBER(max_jobs, 1, 100000, NULL), "500", SECTION_LIMITS, RELOAD,
		.text = "This many messages may be worked on or wait for a thread. "
			"A message takes a millisecond or two, so the last in line waits about a second.",
		.more = "Clients have their turns, and the same shares as of connections."},
	{"max-message-bytes", BYTES(max_message_bytes, KIB, GIB), "32M", SECTION_LIMITS, RELOAD,
		.text = "A message may have this size. "
			"Clients usually send far less: spamc stops at 500K."},
	{"max-buffered-bytes", BYTES(max_buffered_bytes, KIB, 1024 * GIB), "512M",
		SECTION_LIMITS, RELOAD,
		.text = "All requests together may use this much memory. "
			"The limit keeps many large messages at once from exhausting the machine. "
			"The value must not be less than max-message-bytes."},
	{"header-timeout", NUMBER(header_timeout, 1, 3600, "seconds"), "30", SECTION_LIMITS, RELOAD,
		.text = "A client has this many seconds for the headers of its request. "
			"They come in one piece: who needs longer is no mail program."},
	{"body-timeout", NUMBER(body_timeout, 1, 3600, "seconds"), "60", SECTION_LIMITS, RELOAD,
		.text = "A client may be silent for this many seconds: "
			"it neither sends a byte of the message nor takes one of the reply.",
		.more = "A whole message or reply may take this many seconds and one more for each kilobyte: "
			"who sends a byte now and then is cut off, too."},

	/* --- Durability ---------------------------------------------------------- */
	{"commit-delay", NUMBER(writer.commit_delay, 0, 10000, "milliseconds"), "5",
		SECTION_DURABILITY, RELOAD,
		.text = "A report waits this many milliseconds for others. "
			"hamletd acknowledges a report when it is on the disk. "
			"Reports that come within this time share one write. "
			"0 is quickest for one report; more is better for many."},
	{"commit-reports", NUMBER(writer.commit_reports, 1, 10000, "reports"), "200",
		SECTION_DURABILITY, RELOAD,
		.text = "This many reports are written at once, without waiting any longer."},
	{"checkpoint-seconds", NUMBER(writer.checkpoint_seconds, 1, 86400, "seconds"), "300",
		SECTION_DURABILITY, RELOAD,
		.text = "The global evidence is written after this many seconds at the latest. "
			"Reports are durable without that. "
			"After a crash a restart reads again what came since the last writing."},
	{"checkpoint-tokens", NUMBER(writer.checkpoint_tokens, 1000, 1e9, "tokens"), "200000",
		SECTION_DURABILITY, RELOAD,
		.text = "The global evidence is written earlier when this many of its tokens have changed."},

	/* --- Verdicts ------------------------------------------------------------ */
	{"junk-probability", REAL(service.junk_probability, 0.01, 0.9999, NULL), "0.9",
		SECTION_VERDICTS, RELOAD,
		.text = "A message is spam from this probability on. "
			"A higher value loses less good mail, a lower value lets less spam through."},
	{"threshold", REAL(service.threshold, -1000, 1000, NULL), "5", SECTION_VERDICTS, RELOAD,
		.text = "This score stands for junk-probability. "
			"One point more is one unit of log odds. "
			"5 is what mail programs know from SpamAssassin."},
	{"spam-action", WORD(service.spam_action, ACTION_TAG, ACTION_REJECT, ACTIONS), "junk",
		SECTION_VERDICTS, RELOAD,
		.text = "hamletd tells the MTA to do this with spam, where no site, domain or user has laid down a "
			"policy."},
	{"reject-score", REAL(service.reject_score, -1000, 1000, NULL), "10",
		SECTION_VERDICTS, RELOAD,
		.text = "Where spam is rejected at all, it is from this score on. "
			"Below it goes to Junk."},
	{"reject-uncertainty", REAL(service.reject_uncertainty, 0, 100, "nats"), "4",
		SECTION_VERDICTS, RELOAD,
		.text = "hamletd rejects nothing for a score that is uncertain. "
			"Spam whose margin has a higher standard deviation than this goes to Junk. "
			"A message of which nothing is known has 5.6; "
			"3.8 was usual for spam after 3,000 messages."},
	{"junk-score-min", REAL(service.junk_score_min, -1000, 1000, NULL), "2",
		SECTION_VERDICTS, RELOAD,
		.text = "A user may choose no junk score below this one."},
	{"junk-score-max", REAL(service.junk_score_max, -1000, 1000, NULL), "10",
		SECTION_VERDICTS, RELOAD,
		.text = "A user may choose no junk score above this one."},
	{"own-threshold-shift", REAL(service.own_shift, 0, 100, NULL), "3",
		SECTION_VERDICTS, RELOAD,
		.text = "A user's presses move the threshold that is in force for that user, up or down. "
			"They move it by this much of a score at most."},
	{"label-error", REAL(service.label_error, 0, 0.5, NULL), "0.12", SECTION_VERDICTS, RELOAD,
		.text = "People press the wrong button in this share of their reports. "
			"With a higher value a report counts less that contradicts what is already known. "
			"At 0.5 a report moves nothing."},
	{"default-consent", BOOL(service.default_consent, NULL), "false", SECTION_VERDICTS, RELOAD,
		.text = "Does a report teach the global evidence, which everybody shares, when nothing else "
			"tells of the reporter's consent? "
			"If not, it teaches the reporter's own store alone."},
	{"user-case", BOOL(service.naming.fold, CASES), "fold", SECTION_VERDICTS, RESTART,
		.text = "Are BOB@example.org and bob@example.org one user: 'fold' (yes) or 'keep' (no)? "
			"Domains always compare in lower case. "
			"The start renames the users that the database has: "
			"what was folded cannot be told apart again.",
		.more = "See hamletd(8)."},
	{"recipient-delimiter", CHARACTERS(service.naming.delimiters, USER_NAMING_DELIMITERS, DELIMITERS), "+",
		SECTION_VERDICTS, RESTART,
		.text = "Each of these characters begins an address's extension, "
			"which is left out of the user's name. "
			"With '+' mail to bob+list@example.org is bob's. "
			"Have what recipient_delimiter has in postconf(5). "
			"Empty: no address has an extension. "
			"The start renames users, as with user-case."},
	{"flip-seconds", NUMBER(service.events.flip_seconds, 0, 86400, "seconds"), "60",
		SECTION_VERDICTS, RELOAD,
		.text = "In a mail program the opposite press within this many seconds undoes the one before."},
	{"mass-selection", NUMBER(service.events.mass_selection, 1, 1e6, "messages"), "50",
		SECTION_VERDICTS, RELOAD,
		.text = "Who selects more messages than this for one press teaches the own store alone: "
			"nobody reads so many to judge them."},
	{"user-reports", NUMBER(service.user_reports, 1, 1e6, "reports"), "500",
		SECTION_VERDICTS, RELOAD,
		.text = "This many of a user's newest reports count in the user's own store. "
			"hamletd reads them from the database at the user's first message, "
			"so this bounds how long that takes."},
	{"user-cache-bytes", BYTES(service.user_cache_bytes, MIB, 1024 * GIB), "256M",
		SECTION_VERDICTS, RELOAD,
		.text = "All users' folds together may use this much memory. "
			"A store of 500 reports takes about a megabyte."},
	{"global-tokens", NUMBER(service.global_tokens, 0, 1e10, "tokens"), "0",
		SECTION_VERDICTS, RESTART,
		.text = "The global evidence has this many tokens at most, each about 50 bytes of memory. "
			"0 is no limit.",
		.more = "From 95 % of it on the housekeeping takes out the oldest reports. "
			"Where reports come faster than that, tokens that are new are left out. "
			"What such a report taught is then taken back inexactly, "
			"until the next retraining is adopted. "
			"Where more are kept already, they stay until the housekeeping has made room."},

	/* --- Whom to believe ----------------------------------------------------- */
	{"authserv-ids", LIST(service.authserv_ids), "", SECTION_BELIEF, RELOAD,
		.text = "Our mail servers give themselves these names at the beginning of their "
			"'Authentication-Results'. "
			"Without them no sender is ever trusted.",
		.more = "RFC 8601 describes the field. "
			"With these names an allow entry of an address or domain holds only where the author is "
			"proven: DMARC passed, or DKIM or SPF of the author's domain or one above it. "
			"Without them an allow entry holds for whoever writes the address as the author; "
			"'hamletd --check', 'hamlet list allow' and 'hamlet diagnose' say so. "
			"Either way it holds only where one 'From' field names one mailbox beyond doubt "
			"(RFC 5322 section 3.6) and DMARC did not fail. "
			"Block entries hold for any of several authors, "
			"and entries of networks by the address of the sending host."
			"\n\n"
			"Fields that name one of these servers count above the first 'Received' line that tells "
			"of a client outside own-networks. "
			"Through the milter the line for the client is not written yet. "
			"There all fields count that stand above the message's own 'Received' lines, "
			"or anywhere in the header where there is none: "
			"those of milters asked before, but also what the client wrote and nobody took out, "
			"see own-networks."},
	{"authentication-headers", LIST(service.authentication_headers),
		"Authentication-Results Received-SPF X-HE-DKIM-Result", SECTION_BELIEF, RELOAD,
		.text = "Our mail servers write into these header fields what their checks gave. "
			"The fields count above our 'Received' line only: what stands below came from outside."},
	{"authentication-below-received", BOOL(service.authentication_below_received, NULL), "false",
		SECTION_BELIEF, RELOAD,
		.text = "Do our mail servers write authentication-headers below their own 'Received' line? "
			"Say true if they do, and if they remove such fields that come from outside."},
	{"own-networks", LIST(service.own_networks),
		"127.0.0.0/8 ::1 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7", SECTION_BELIEF, RELOAD,
		.text = "Our own mail servers have these addresses. "
			"Their 'Received' lines are believed, "
			"and the first client outside of these networks is the sending host.",
		.more = "That a client is in one of them, such as a container or a load balancer in a private "
			"network, makes it no author of authentication-headers. "
			"The mail servers have to take out those fields that come from any client, "
			"also from these, before their own checks write theirs. "
			"'docs/postfix.md' and 'data/examples/postfix/header_checks.hamlet' show how."},
	{"trusted-senders", TEXT(service.trusted_senders), "", SECTION_BELIEF, RELOAD,
		.text = "This file names trusted senders: addresses and domains, one a line, "
			"beside those that 'hamlet trust add' keeps in the database. "
			"hamletd reads it again with a reload.",
		.more = "What follows a '#' is a comment. "
			"Within the sandbox a reload can read it in a folder that a setting named at the start; "
			"else a restart is needed."},

	/* --- Thresholds by retraining -------------------------------------------- */
	{"ham-lost-target", REAL(ham_lost_target, 0.001, 10, "percent"), "0.1",
		SECTION_THRESHOLDS, RELOAD,
		.text = "This percentage of good mail may be lost. "
			"hamlet-train(1) 'retrain' proposes the site's junk score that keeps to it, "
			"within junk-score-min and junk-score-max. "
			"It also proposes a reject score above all good mail and not below reject-score, "
			"and the scale at which probabilities are right."},
	{"adopt-thresholds", BOOL(adopt_thresholds, NULL), "false", SECTION_THRESHOLDS, RELOAD,
		.text = "Does a retraining lay its thresholds down as the site's policy "
			"when the retrained store is adopted? "
			"'hamlet policy --site' shows, sets and unsets that policy."},

	/* --- Housekeeping -------------------------------------------------------- */
	{"retention-days", NUMBER(service.retention.days, 0, 36500, "days"), "730",
		SECTION_HOUSEKEEPING, RELOAD,
		.text = "hamletd keeps a report for this many days. "
			"What the report taught goes with it. "
			"0 is without end."},
	{"retention-reports", NUMBER(service.retention.reports, 0, 1e9, "reports"), "10000",
		SECTION_HOUSEKEEPING, RELOAD,
		.text = "hamletd keeps this many of each user's newest reports. "
			"Reports of no user (imported mail of the site) are bounded by days alone. "
			"0 is all."},
	{"idle-days", NUMBER(service.retention.idle_days, 0, 36500, "days"), "0",
		SECTION_HOUSEKEEPING, RELOAD,
		.text = "This many days after a user's last report all the user's reports go. "
			"Consent, lists and policy stay. "
			"Who is content does not press: leave this at 0, which is never, "
			"unless mailboxes come and go. "
			"'hamlet user erase' takes out one who has left, at once."},
	{"expire-most", NUMBER(service.retention.most, 1, 100, "percent"), "10",
		SECTION_HOUSEKEEPING, RELOAD,
		.text = "One housekeeping takes this percentage of the reports, a hundred reports at least, "
			"for their age or their user's idleness. "
			"A wrong clock, or a slip in retention-days or idle-days, then costs a part and not all. "
			"100 is no limit."},
	{"database-bytes", ROOM(database_bytes, 0, 1024 * GIB), "auto",
		SECTION_HOUSEKEEPING, RELOAD,
		.text = "hamletd keeps the database below this size: the oldest reports make room. "
			"A report takes about 3K. "
			"The log beside the database takes another 8M or so, and more while a retraining reads. "
			"The value is bytes (1M at least), percent of the file system such as 25%, or 'auto'. "
			"'auto' is a quarter of the file system, 16M at least, "
			"and three quarters where the database was clearly larger than a quarter at the start. "
			"0 is no limit.",
		.more = "'hamlet stats' shows the size in force as 'engine.budget_bytes'."},
	{"housekeeping-seconds", NUMBER(housekeeping_seconds, 1, 604800, "seconds"), "3600",
		SECTION_HOUSEKEEPING, RELOAD,
		.text = "The housekeeping begins this many seconds after the one before. "
			"It works in small steps. "
			"It begins at once above database-bytes, "
			"and when the global evidence is nearly as full as global-tokens allows."},

	/* --- Log ----------------------------------------------------------------- */
	{"log-users", BOOL(log_users, NULL), "false", SECTION_LOG, RELOAD,
		.text = "Do log lines name users? "
			"The names may be addresses of people. "
			"The content of mail is never logged."},
	{"log-level", WORD(log_level, LOG_ERROR, LOG_DEBUG, LEVELS), "info", SECTION_LOG, RELOAD,
		.text = "hamletd logs lines that are as important as this or more. "
			"'info' has a line for each message."},
};
/* clang-format on */

const size_t settings_count = sizeof(settings_table) / sizeof(settings_table[0]);
