import BridgeCore
import NIOCore

/// Looks for messages in a line that is not simply one.
///
/// What a terminal would not show, at the beginning or between messages, is passed over: byte order marks, blanks, escape
/// sequences. Then the line holds messages and nothing else, and all of them count in full. With anything else on it
/// (a progress bar, a prompt, somebody's data), what it holds is only found: see ``Unreadable/found``.
///
/// However hostile the line is, no more than three times its bytes are looked at (in a short one, 4 KiB). Pure.
struct LineSearch {
    /// JSON is looked for amid other text at so many places, and within so many bytes of such text.
    static let maximumStarts = 16
    static let maximumTextOctets = 4 << 10
    static let smallestAllowance = 4 << 10
    /// Whether something begins as messages do is seen within so many bytes.
    private static let lookAhead = 64

    typealias Outcome = Result<(text: JSONText, rest: Int), JSONError>

    private let bytes: ByteBuffer
    private let limits: JSONLimits
    private var position = 0
    private var starts = 0
    private var textOctets = 0
    /// Bytes looked at so far, each as often as it was.
    private(set) var octets = 0
    private let allowance: Int

    /// The JSON texts of the line, in their order.
    private(set) var texts: [JSONText] = []
    /// Whether there is nothing else on it.
    private(set) var isClean = true
    private(set) var fragment: RPCFragment?
    /// Why the line is no message, where it begins like one.
    private(set) var flaw: JSONError?
    /// Whether bytes were met that are not UTF-8.
    private(set) var hasInvalidUTF8 = false

    /// - Parameter allowance: how many bytes may be looked at.
    init(_ bytes: ByteBuffer, limits: JSONLimits, allowance: Int? = nil) {
        self.bytes = bytes
        self.limits = limits
        self.allowance = max(allowance ?? 3 * bytes.readableBytes, Self.smallestAllowance)
    }

    /// - Parameter first: what became of reading the line from its first byte, where that was tried.
    mutating func run(first: Outcome? = nil) {
        self.walk(first)
        if self.isClean, self.texts.count > 1, let last = self.texts.last, !self.isMessage(last) {
            self.isClean = false
        }
    }

    private mutating func walk(_ first: Outcome?) {
        if let first { guard self.take(first) else { return } }
        while self.skipInvisible() {
            // More messages than this of one line are not looked at: each takes time from everybody else.
            if self.texts.count >= Conversation.maximumBatch { return self.isClean = false }
            // Something stands behind the last text: if that is no message, it is other text.
            if self.isClean, let last = self.texts.last, !self.isMessage(last) { self.isClean = false }
            if !self.isClean || !self.isStart(self.position) {
                guard self.skipText() else { return }
            }
            guard self.isClean || self.starts < Self.maximumStarts else { return }
            guard self.isClean || self.isLikeMessage else {
                self.isNoStart()
                continue
            }
            guard let slice = self.rest else { return }
            guard self.take(Result { () throws(JSONError) in try JSONText.leading(slice, limits: self.limits) }) else {
                return
            }
        }
    }

    /// How much further may be looked.
    private var left: Int { self.isClean ? .max : self.allowance - self.octets }

    /// From here to the end of the line, or as far as may be looked: what is found is looked at twice.
    private var rest: ByteBuffer? {
        let length = min(self.bytes.readableBytes - self.position, self.left / 2)
        guard length > 0 else { return nil }
        return self.bytes.getSlice(at: self.bytes.readerIndex + self.position, length: length)
    }

    // MARK: JSON

    /// - Returns: whether to go on.
    private mutating func take(_ outcome: Outcome) -> Bool {
        switch outcome {
        case .success(let (text, rest)):
            self.octets += rest
            self.position += rest
            self.texts.append(text)
            guard !self.isClean else { return true }
            self.starts += 1
            // It will be looked at once more, to see whether it is an answer.
            self.octets += text.count
            return true
        case .failure(let error):
            self.octets += error.offset
            if error.code == .invalidUTF8 { self.hasInvalidUTF8 = true }
            return self.isClean && self.texts.isEmpty && self.isLikeMessage ? self.giveUp(error) : self.isOtherText()
        }
    }

    /// The line is JSON from its first byte, and broken: what is inside may be anybody's.
    private mutating func giveUp(_ error: JSONError) -> Bool {
        self.isClean = false
        self.flaw = error
        self.fragment = self.readFragment()
        return false
    }

    private mutating func isOtherText() -> Bool {
        self.isClean = false
        if !self.isBatch, let fragment = self.readFragment(), fragment.kind == .answer, fragment.isVersioned {
            self.fragment = fragment
            return false
        }
        self.isNoStart()
        return true
    }

    private mutating func isNoStart() {
        self.starts += 1
        self.position += 1
        self.textOctets += 1
        self.octets += 1
    }

    private var isBatch: Bool {
        self.bytes.getInteger(at: self.bytes.readerIndex + self.position, as: UInt8.self) == UInt8(ascii: "[")
    }

    private mutating func readFragment() -> RPCFragment? {
        guard self.isLikeMessage, var slice = self.rest else { return nil }
        // Of a batch it is the first message.
        while let byte = slice.readableBytesView.first, byte == UInt8(ascii: "[") || Self.isBlank(byte) {
            slice.moveReaderIndex(forwardBy: 1)
            self.octets += 1
        }
        let (fragment, octets) = RPCFragment.read(slice)
        self.octets += octets
        return fragment
    }

    private mutating func isMessage(_ text: JSONText) -> Bool {
        self.octets += text.count
        guard text.kind == .array else { return (try? RPCMessage(text)) != nil }
        var isMessage = text.count > 2
        text.elements { if (try? RPCMessage(text[$0])) == nil { isMessage = false } }
        return isMessage
    }

    /// Whether what begins here begins as messages do: `{"` or `[{"`.
    private var isLikeMessage: Bool {
        self.bytes.withUnsafeReadableBytes { bytes in
            let bytes = bytes[self.position...].prefix(Self.lookAhead).lazy.filter { !Self.isBlank($0) }
            return bytes.starts(with: "{\"".utf8) || bytes.starts(with: "[{\"".utf8)
        }
    }

    // MARK: Between JSON

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

    private static func isByteOrderMark(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Bool {
        bytes[index] == 0xEF && index + 2 < bytes.count && bytes[index + 1] == 0xBB && bytes[index + 2] == 0xBF
    }

    private func isStart(_ position: Int) -> Bool {
        let byte = self.bytes.getInteger(at: self.bytes.readerIndex + position, as: UInt8.self)
        return byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[")
    }

    /// Steps over what no terminal shows.
    ///
    /// - Returns: false at the end of the line, or of what may be looked at.
    private mutating func skipInvisible() -> Bool {
        let start = self.position
        let end = start + min(self.bytes.readableBytes - start, max(0, self.left))
        self.position = self.bytes.withUnsafeReadableBytes { bytes in
            var index = start
            while index < end {
                if Self.isBlank(bytes[index]) {
                    index += 1
                } else if Self.isByteOrderMark(bytes, at: index) {
                    index += 3
                } else if let end = EscapeSequence.end(in: bytes, at: index) {
                    index = end
                } else {
                    break
                }
            }
            return index
        }
        self.octets += self.position - start
        return self.position < end
    }

    /// Steps over other text, to where JSON may begin.
    ///
    /// - Returns: false when there is no such place.
    private mutating func skipText() -> Bool {
        self.isClean = false
        let start = self.position
        let (found, isStart) = self.bytes.withUnsafeReadableBytes { bytes in
            let end = min(bytes.count, start + min(Self.maximumTextOctets - self.textOctets, self.left))
            var index = start
            while index < end {
                if bytes[index] == UInt8(ascii: "{") || bytes[index] == UInt8(ascii: "[") { return (index, true) }
                index = EscapeSequence.end(in: bytes, at: index) ?? index + 1
            }
            return (index, false)
        }
        self.position = found
        self.octets += found - start
        self.textOctets += found - start
        return isStart
    }
}
