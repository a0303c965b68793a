import BridgeProcess
import Glibc
import Synchronization

/// Wakes a thread that waits in `poll`, from other threads and from signal handlers.
struct WakingPipe: Sendable {
    /// To be polled.
    let reading: Int32
    private let writing: Int32

    init() throws {
        let pipe = try Pipe.make(nonblocking: true)
        self.reading = pipe.reading
        self.writing = pipe.writing
    }

    /// One that is full wakes as well.
    func wake() { Self.write(0, to: self.writing) }

    /// Takes away what woke it.
    ///
    /// - Returns: a signal that has come, if any has.
    func settle() -> Int32? {
        var room = [UInt8](repeating: 0, count: 512)
        var signal: Int32?
        while true {
            let count = read(self.reading, &room, room.count)
            guard count > 0 else { return signal }
            signal = signal ?? room[..<count].first { $0 != 0 }.map(Int32.init)
        }
    }

    /// From now on these signals come here. There is one such pipe in a process.
    func take(_ signals: [Int32]) {
        Self.signalled.store(self.writing, ordering: .sequentiallyConsistent)
        for number in signals { Glibc.signal(number) { WakingPipe.caught($0) } }
    }

    /// They end the process again.
    static func release(_ signals: [Int32]) {
        for number in signals { Glibc.signal(number, SIG_DFL) }
    }

    private static let signalled = Atomic<Int32>(-1)

    private static func caught(_ number: Int32) {
        let before = errno
        Self.write(UInt8(truncatingIfNeeded: number), to: Self.signalled.load(ordering: .sequentiallyConsistent))
        errno = before
    }

    private static func write(_ byte: UInt8, to descriptor: Int32) {
        var byte = byte
        _ = Glibc.write(descriptor, &byte, 1)
    }
}
