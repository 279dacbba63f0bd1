# A message was moved out of Junk: report it as not spam, for the user whose mailbox
# it is. Deleting it says nothing (hamletd would ignore it, too).
require ["vnd.dovecot.pipe", "copy", "imapsieve", "environment", "variables"];

if environment :matches "imap.mailbox" "*" {
  set "mailbox" "${1}";
}
if string "${mailbox}" ["Trash", "Deleted Items", "Deleted Messages"] {
  stop;
}
if environment :matches "imap.user" "*" {
  set "user" "${1}";
}

pipe :copy "hamlet-report" ["${user}", "ham", "junk", "other"];
