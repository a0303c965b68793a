import BridgeConfiguration
import BridgeCore
import NIOCore

/// Makes messages of the lines that a child writes to its stdout.
struct ChildLineReader {
    enum Reading: Equatable {
        case message(JSONText)
        /// No JSON. What it seems to answer gets no other answer.
        case unreadable(ByteBuffer, answering: Int?, reason: String)
        case blank
    }

    private let maximumOctets: Int
    private let errors: StdioLaunch.EncodingErrors
    private var limits: JSONLimits { JSONLimits(maximumBytes: max(self.maximumOctets, 1)) }

    init(maximumOctets: Int, errors: StdioLaunch.EncodingErrors) {
        self.maximumOctets = maximumOctets
        self.errors = errors
    }

    func read(_ line: LineDecoder.Line) -> Reading {
        switch line {
        case .whole(let bytes): return self.read(bytes)
        case .overlong(let beginning):
            return self.unreadable(beginning, "it sent a line of more than \(self.maximumOctets) bytes")
        case .unfinished(let bytes):
            // Whole all the same, or what was left when it died: then the calls hear of that.
            if let text = try? JSONText(validating: bytes, limits: self.limits) { return .message(text) }
            return .unreadable(bytes, answering: nil, reason: "the stream ends within a line")
        }
    }

    private func read(_ bytes: ByteBuffer) -> Reading {
        let first = bytes.readableBytesView.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }
        guard let first else { return .blank }
        guard first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else {
            return .unreadable(bytes, answering: nil, reason: "no JSON")
        }
        do {
            return .message(try JSONText(validating: bytes, limits: self.limits))
        } catch {
            guard error.code == .invalidUTF8, let repaired = UTF8Repair.repaired(bytes, self.errors),
                let text = try? JSONText(validating: repaired, limits: self.limits)
            else { return self.unreadable(bytes, error.description) }
            return .message(text)
        }
    }

    /// Where it is seen to be an answer, who waits for it can be told.
    private func unreadable(_ bytes: ByteBuffer, _ reason: String) -> Reading {
        .unreadable(bytes, answering: SalvagedResponse.id(in: bytes), reason: reason)
    }
}
