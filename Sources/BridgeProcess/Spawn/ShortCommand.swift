import BridgeFiles
import CSpawn
import Glibc

/// A program that is asked one thing and ends: its output is the answer.
///
/// It is started by posix_spawn(3), on whichever thread asks, and waited for there: it may be needed before there is a
/// ``ProcessThread``, and it outlives nobody, since it has a limit. It leads a process group of its own.
package enum ShortCommand {
    /// Why there is no answer, in words without a full stop.
    package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        package let description: String

        package init(description: String) { self.description = description }
    }

    /// How long a program that was asked to end may take to do so.
    private static let grace = Duration.seconds(2)
    private static let outputLimit = 64 << 10

    /// - Parameters:
    ///   - executable: a path; it is not searched for.
    ///   - arguments: without the program's name.
    ///   - environment: the whole of it.
    ///   - limit: then it gets SIGTERM, and two seconds later SIGKILL.
    ///   - commands: where it is known while it runs.
    package static func output(
        of executable: String, _ arguments: [String], environment: [String: String], within limit: Duration,
        among commands: ShortCommands = ShortCommands()
    ) throws(Failure) -> [UInt8] {
        let (output, errors) = (try Self.pipe(), try Self.pipe())
        var running = Running(output: output.reading, errors: errors.reading)
        defer { running.close() }
        var started = Started.failure(0)
        commands.add {
            started = Self.start(executable, arguments, environment, output: output.writing, errors: errors.writing)
            return started.process
        }
        Glibc.close(output.writing)
        Glibc.close(errors.writing)
        guard case .success(let process) = started else {
            throw Failure(description: "it cannot be started: \(String(cString: strerror(started.code)))")
        }
        let pidfd = cspawn_pidfd_open(process)
        defer { if pidfd >= 0 { Glibc.close(pidfd) } }
        let isOver = running.read(while: pidfd, until: .now + limit)
        if !isOver {
            kill(-process, SIGTERM)
            if !running.read(while: pidfd, until: .now + Self.grace) { kill(-process, SIGKILL) }
        }
        commands.remove(process)
        var end = cspawn_exit()
        let isKnown = cspawn_reap(process, 1, &end) == 1
        guard isOver else { throw Failure(description: "there was no answer within \(limit.components.seconds) s") }
        guard isKnown, end.signaled == 0, end.status == 0 else {
            throw Failure(description: Self.words(end, running.bytes[1]))
        }
        guard running.bytes[0].count <= Self.outputLimit else { throw Failure(description: "its answer is too long") }
        return running.bytes[0]
    }

    /// Starts a program that is left to itself, without a word from it.
    ///
    /// - Returns: whether it runs.
    package static func leave(_ executable: String, _ arguments: [String], environment: [String: String]) -> Bool {
        let nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC)
        guard nowhere >= 0 else { return false }
        defer { Glibc.close(nowhere) }
        let started = Self.start(executable, arguments, environment, output: nowhere, errors: nowhere)
        if case .success = started { return true } else { return false }
    }

    private enum Started {
        case success(pid_t)
        case failure(Int32)

        var code: Int32 { if case .failure(let code) = self { code } else { 0 } }
        var process: pid_t? { if case .success(let process) = self { process } else { nil } }
    }

    private static func start(
        _ executable: String, _ arguments: [String], _ environment: [String: String], output: CInt, errors: CInt
    ) -> Started {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
        // This process has signals blocked that the program must hear.
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        var argv = ([executable] + arguments).map { strdup($0) } + [nil]
        var envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var process: pid_t = 0
        let code = posix_spawn(&process, executable, &actions, &attributes, &argv, &envp)
        return code == 0 ? .success(process) : .failure(code)
    }

    private static func pipe() throws(Failure) -> Pipe {
        do throws(SystemCallError) {
            return try Pipe.make(capacity: 1 << 16)
        } catch {
            throw Failure(description: "\(error)")
        }
    }

    /// What it says of itself, as far as a terminal can show it.
    private static func words(_ end: cspawn_exit, _ errors: [UInt8]) -> String {
        let line = String(decoding: errors, as: UTF8.self).split { $0.isNewline }.first ?? ""
        let shown = String(
            line.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7F }.prefix(200).map(Character.init))
        let ended = end.signaled != 0 ? "it was killed by signal \(end.status)" : "it ended with status \(end.status)"
        return shown.isEmpty ? ended : "\(ended): \(shown)"
    }
}

/// The pipes of a command that runs.
private struct Running {
    /// Output and errors; -1 once it is at its end.
    private var descriptors: [CInt]
    var bytes: [[UInt8]] = [[], []]

    init(output: CInt, errors: CInt) { self.descriptors = [output, errors] }

    mutating func close() {
        for descriptor in self.descriptors where descriptor >= 0 { Glibc.close(descriptor) }
        self.descriptors = [-1, -1]
    }

    /// Reads until the process has ended, whoever else has its pipes.
    ///
    /// - Returns: whether it has.
    mutating func read(while pidfd: CInt, until deadline: SuspendingClock.Instant) -> Bool {
        while true {
            var polled = (self.descriptors + [pidfd]).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            let count = poll(&polled, nfds_t(polled.count), DescriptorIO.milliseconds(until: deadline))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            for index in 0..<2 where polled[index].revents != 0 { self.readOnce(index) }
            // What it wrote before its end has been readable as long.
            if polled[2].revents != 0, !(0..<2).contains(where: { polled[$0].revents & Int16(POLLIN) != 0 }) {
                return true
            }
        }
    }

    private mutating func readOnce(_ index: Int) {
        var room = [UInt8](repeating: 0, count: 4_096)
        let count = Glibc.read(self.descriptors[index], &room, room.count)
        if count > 0 {
            if self.bytes[index].count <= 1 << 16 { self.bytes[index] += room[..<count] }
        } else {
            Glibc.close(self.descriptors[index])
            self.descriptors[index] = -1
        }
    }
}
