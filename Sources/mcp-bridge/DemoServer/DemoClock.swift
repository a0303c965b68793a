import BridgeCore
import Glibc

/// The time, wherever it is asked for.
enum DemoClock {
    /// Seconds east of Greenwich, from `+02:00` or `-09:30`.
    static func offset(_ name: String) -> Int? {
        let bytes = Array(name.utf8)
        guard bytes.count == 6, bytes[3] == UInt8(ascii: ":"),
            bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-"),
            [1, 2, 4, 5].allSatisfy({ (0x30...0x39).contains(bytes[$0]) })
        else { return nil }
        let hours = Int(bytes[1] - 0x30) * 10 + Int(bytes[2] - 0x30)
        let minutes = Int(bytes[4] - 0x30) * 10 + Int(bytes[5] - 0x30)
        guard hours < 24, minutes < 60 else { return nil }
        return (bytes[0] == UInt8(ascii: "-") ? -1 : 1) * (hours * 3600 + minutes * 60)
    }

    /// Now, at so many seconds east of Greenwich; nil is UTC.
    static func text(offset: Int?) -> String { UTCTime(seconds: time(nil)).text(offset: offset) }
}
