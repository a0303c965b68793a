package import Glibc

/// Which processes are to be ended.
package enum TreeScope: Hashable, Sendable {
    /// Every descendant of this process.
    case everything
    /// One of the thread's children, what is below it, and what it has left behind: all descendants of this process where it
    /// is the only child. Beside others, of what has no parent any more only that is its own which it was seen to have
    /// while it lasted, or which is in its process group: the rest goes with the last of them.
    case child(pid_t)
    /// Descendants of this process that are not below one of the thread's living children: what dead ones left behind.
    ///
    /// A child that somebody else in this process started is one of them, unless it is named here, or is one of the short
    /// commands that the thread knows.
    case strays(except: Set<pid_t>)
}

/// What came of ending them.
package enum TreeOutcome: Hashable, Sendable {
    /// None is left. The strongest signal that was sent, `nil` when none was needed.
    case ended(by: CInt?)
    /// These do not die; the kernel holds them.
    case survivors(Set<ProcessIdentity>)
}
