import BridgeCore
import NIOCore

extension JSONText {
    /// A number that we made ourselves, an id or a progress token, as a server gives it back.
    ///
    /// Ours are plain integers, so `"7"`, `7.0` and `7e0` can only mean 7.
    var ownNumber: Int? {
        if let int { return int }
        switch self.kind {
        case .number: return Self.integer(String(buffer: self.bytes))
        case .string: return self.count <= Self.maximumOctets ? self.string.flatMap(Self.integer) : nil
        default: return nil
        }
    }

    /// A longer spelling is none that a program would write.
    private static let maximumOctets = 24

    private static func integer(_ text: String) -> Int? {
        if let int = Int(text) { return int }
        guard text.utf8.count <= Self.maximumOctets, text.utf8.allSatisfy(Self.isOfNumber), let value = Double(text)
        else { return nil }
        return Int(exactly: value)
    }

    private static func isOfNumber(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10 || "+-.eE".utf8.contains(byte)
    }
}
