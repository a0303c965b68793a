import BridgeConfiguration
import BridgeCore
import NIOCore

/// Makes messages of the lines that a child writes to its stdout.
struct ChildLineReader {
    enum Reading: Equatable {
        case message(JSONText)
        /// Several on one line.
        case messages([JSONText])
        case unreadable(Unreadable)
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
        case .whole(let bytes): return self.read(bytes).reading
        case .overlong(let beginning):
            return Self.reading(
                self.read(beginning).reading, cutOff: beginning,
                because: "it sent a line of more than \(self.maximumOctets) bytes, a fixed limit")
        case .unfinished(let bytes):
            let reading = self.read(bytes).reading
            guard case .unreadable(var what) = reading else { return reading }
            // What was left when it died: the calls hear of that.
            what.fragment = nil
            what.reason = "the stream ends within a line"
            return .unreadable(what)
        }
    }

    /// What is known of a line by its beginning.
    private static func reading(_ reading: Reading, cutOff bytes: ByteBuffer, because reason: String) -> Reading {
        var what = Unreadable(bytes: bytes, reason: reason)
        switch reading {
        case .message(let text): what.found = [text]
        case .messages(let texts): what.found = texts
        case .unreadable(let cut): (what.found, what.fragment) = (cut.found, cut.fragment)
        case .blank: break
        }
        return .unreadable(what)
    }

    /// - Returns: what the line is, and how many of its bytes were looked at, each as often as it was.
    func read(_ bytes: ByteBuffer) -> (reading: Reading, octets: Int) {
        guard bytes.readableBytesView.first == UInt8(ascii: "{") else { return self.search(bytes, first: nil) }
        // Nearly every line is one message, from its first byte to its last.
        let first: LineSearch.Outcome
        do throws(JSONError) {
            let (text, rest) = try JSONText.leading(bytes, limits: self.limits)
            if rest == bytes.readableBytes { return (.message(text), rest) }
            first = .success((text, rest))
        } catch {
            first = .failure(error)
        }
        return self.search(bytes, first: first)
    }

    private func search(_ bytes: ByteBuffer, first: LineSearch.Outcome?) -> (reading: Reading, octets: Int) {
        var search = LineSearch(bytes, limits: self.limits)
        search.run(first: first)
        var octets = search.octets
        guard search.hasInvalidUTF8,
            let repaired = UTF8Repair.repaired(bytes, self.errors, limit: self.maximumOctets)
        else { return (self.reading(of: search, in: bytes), octets) }
        octets += bytes.readableBytes
        search = LineSearch(repaired, limits: self.limits, allowance: 2 * repaired.readableBytes)
        search.run()
        return (self.reading(of: search, in: repaired), octets + search.octets)
    }

    private func reading(of search: LineSearch, in bytes: ByteBuffer) -> Reading {
        if search.isClean {
            switch search.texts.count {
            case 0: return .blank
            case 1: return .message(search.texts[0])
            default: return .messages(search.texts)
            }
        }
        let reason = search.flaw?.description ?? (search.texts.isEmpty ? "no JSON" : "text that is no message")
        return .unreadable(
            Unreadable(bytes: bytes, reason: reason, found: search.texts, fragment: search.fragment))
    }
}
