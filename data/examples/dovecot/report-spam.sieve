# A message was moved into Junk: report it as spam, for the user whose mailbox it is.
require ["vnd.dovecot.pipe", "copy", "imapsieve", "environment", "variables"];

if environment :matches "imap.user" "*" {
  set "user" "${1}";
}

pipe :copy "hamlet-report" ["${user}", "spam", "other", "junk"];
