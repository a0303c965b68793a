// The location macros of sd-journal.h would hide functions that Swift imports; the log records carry their own location.
#define SD_JOURNAL_SUPPRESS_LOCATION 1

#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#include <systemd/sd-id128.h>
