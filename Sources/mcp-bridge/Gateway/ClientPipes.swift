import BridgeFiles
import Glibc

/// Standard input and output as they were given to this process, which are MCP's alone.
struct ClientPipes: Sendable {
    let input: Int32
    let output: Int32

    /// Takes both away, so that nothing else in this process, and nothing that it starts, reads or writes them. What is
    /// written to standard output from now on goes to standard error.
    static func take() throws(SystemCallError) -> ClientPipes {
        let input = try Self.moved(STDIN_FILENO)
        let output = try Self.moved(STDOUT_FILENO)
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard nothing >= 0 else { throw SystemCallError("open", "/dev/null") }
        defer { close(nothing) }
        guard dup2(nothing, STDIN_FILENO) >= 0 else { throw SystemCallError("dup2", "standard input") }
        guard dup2(STDERR_FILENO, STDOUT_FILENO) >= 0 || dup2(nothing, STDOUT_FILENO) >= 0 else {
            throw SystemCallError("dup2", "standard output")
        }
        return ClientPipes(input: input, output: output)
    }

    private static func moved(_ descriptor: Int32) throws(SystemCallError) -> Int32 {
        // Above those that every program takes for granted.
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw SystemCallError("fcntl", "descriptor \(descriptor)") }
        return copy
    }
}
