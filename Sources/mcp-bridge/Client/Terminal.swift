import BridgeFiles
import Glibc

/// The terminal that a person sits at, by its descriptors.
struct Terminal {
    enum Input {
        /// Without its line break.
        case line(String)
        /// Ctrl-D, or nobody is there any more.
        case end
        /// Nothing whole so far.
        case none
    }

    let input: Int32
    private let output: Int32
    private var typed: [UInt8] = []

    private init(input: Int32, output: Int32) {
        self.input = input
        self.output = output
    }

    /// Standard input and error where both are a terminal, else the one that this process belongs to.
    ///
    /// - Returns: `nil` where there is none, and in the background, where reading would stop the process.
    static func ofPerson() -> Terminal? {
        let terminal: Terminal
        if isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 {
            terminal = Terminal(input: STDIN_FILENO, output: STDERR_FILENO)
        } else {
            let descriptor = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
            guard descriptor >= 0 else { return nil }
            terminal = Terminal(input: descriptor, output: descriptor)
        }
        let group = tcgetpgrp(terminal.input)
        return group == -1 || group == getpgrp() ? terminal : nil
    }

    func write(_ text: String) { try? DescriptorIO.write(text.utf8, to: self.output) }

    /// Forgets what was typed before it was asked for: it is no answer to what has not been read yet.
    mutating func forgetInput() {
        self.typed = []
        tcflush(self.input, TCIFLUSH)
    }

    /// Reads what there is. The terminal itself edits the line.
    mutating func read() -> Input {
        var room = [UInt8](repeating: 0, count: 4_096)
        let count = Glibc.read(self.input, &room, room.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return .none }
        guard count > 0 else { return .end }
        self.typed += room[..<count]
        return self.line()
    }

    /// The next line of what was read before.
    mutating func line() -> Input {
        guard let end = self.typed.firstIndex(of: UInt8(ascii: "\n")) else { return .none }
        let line = String(decoding: self.typed[..<end], as: UTF8.self)
        self.typed.removeFirst(end + 1)
        return .line(line)
    }
}
