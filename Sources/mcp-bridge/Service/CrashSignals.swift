import Glibc

/// Signals that end a process which has gone wrong.
enum CrashSignals {
    /// Gives them back their default action: the process ends at once. (It leaves no core: see `ProcessSecrecy`.)
    ///
    /// Swift's runtime may have put a backtracer there, which keeps a crashed process alive for seconds while it prints;
    /// a supervisor that restarts crashed workers, and a watchdog that sends SIGABRT, need the end and not the story.
    static func restoreDefaults() {
        for number in [SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV, SIGTRAP] { signal(number, SIG_DFL) }
    }
}
