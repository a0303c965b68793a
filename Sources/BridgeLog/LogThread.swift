import CNIOLinux  // whose declarations the compiler may find here and not in Glibc
import Glibc

/// A thread that is not one of a pool's and may block.
enum LogThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs `body` on a detached thread on which no signal is delivered: the process's signals have owners elsewhere,
    /// and a write to a closed pipe must be an error and not a SIGPIPE.
    static func start(_ body: @escaping @Sendable () -> Void) throws(LogError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))

        var all = sigset_t()
        var former = sigset_t()
        sigfillset(&all)
        // A new thread inherits the mask of the one that makes it.
        pthread_sigmask(SIG_BLOCK, &all, &former)
        defer { pthread_sigmask(SIG_SETMASK, &former, nil) }

        var thread = pthread_t()
        let argument = Unmanaged.passRetained(Body(body))
        let result = pthread_create(&thread, &attributes, Self.main, argument.toOpaque())
        guard result == 0 else {
            argument.release()
            throw LogError(.thread, "Cannot start the logging thread", errorNumber: result)
        }
    }

    private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { argument in
        guard let argument else { return nil }
        Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
        return nil
    }
}
