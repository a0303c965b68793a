import BridgeCore
import NIOCore

/// Reads images, sounds and files out of requests. Nothing is ever fetched.
enum MediaReading {
    /// An image given as base64.
    ///
    /// - Parameter data: a string. Its first bytes tell what it is better than `declared` does.
    static func image(base64 data: JSONText, declared: String?, at path: String) throws(ChatFault) -> ChatMedia {
        guard let base64 = Self.base64(data) else { throw .invalid(path, "it is not base64") }
        return try Self.image(base64, declared: declared, at: path)
    }

    /// An image given as a URL, which must be a `data:` URL.
    static func image(url value: JSONText, at path: String) throws(ChatFault) -> ChatMedia {
        let data = try Self.dataURL(value, at: path)
        return try Self.image(data.base64, declared: data.mimeType, at: path)
    }

    private static func image(_ base64: ByteBuffer, declared: String?, at path: String) throws(ChatFault) -> ChatMedia {
        if let known = ImageKind.mimeType(of: base64) { return ChatMedia(base64: base64, mimeType: known) }
        guard let declared, declared.hasPrefix("image/") else {
            throw .invalid(path, "it is not an image, or of a kind that is not known")
        }
        return ChatMedia(base64: base64, mimeType: declared)
    }

    /// A sound: `data` and its `format`, `wav` or `mp3`.
    static func audio(_ value: JSONText, at path: String) throws(ChatFault) -> ChatMedia {
        var members = try MemberReader(value, at: path)
        guard let data = try members.take("data"), let base64 = Self.base64(data) else {
            throw .invalid(members.path("data"), "base64 is expected")
        }
        let format = try members.string("format") ?? "wav"
        guard !format.isEmpty, format.utf8.allSatisfy(PercentCoding.isAlphanumeric) else {
            throw .invalid(members.path("format"), "the name of a format is expected")
        }
        return ChatMedia(base64: base64, mimeType: format == "mp3" ? "audio/mpeg" : "audio/\(format)")
    }

    /// The text of a file: of plain text there is one, of everything else not.
    static func text(fileData value: JSONText, at path: String) throws(ChatFault) -> String {
        let data = try Self.dataURL(value, at: path)
        return try Self.text(data.base64, mimeType: data.mimeType, at: path)
    }

    static func text(_ base64: ByteBuffer, mimeType: String?, at path: String) throws(ChatFault) -> String {
        guard let mimeType, Self.isText(mimeType) else {
            throw .unsupported(path, "of files, only plain text can be passed on")
        }
        guard let text = String(validating: Base64Text.decode(base64), as: UTF8.self) else {
            throw .invalid(path, "the text is not UTF-8")
        }
        return text
    }

    static func isText(_ mimeType: String) -> Bool {
        mimeType.hasPrefix("text/") || mimeType == "application/json"
    }

    /// The characters of a string of base64. A string without escapes is taken as it lies there.
    static func base64(_ value: JSONText) -> ByteBuffer? {
        guard value.kind == .string, value.count >= 2 else { return nil }
        let raw = value.bytes.getSlice(at: value.bytes.readerIndex + 1, length: value.count - 2)
        if let raw, let base64 = Base64Text.read(raw) { return base64 }
        return value.string.flatMap { Base64Text.read(ByteBuffer(string: $0)) }
    }
}

extension MediaReading {
    /// In bytes, `data:` to the comma.
    private static let longestPrefix = 256

    /// What a `data:` URL holds.
    private static func dataURL(
        _ value: JSONText, at path: String
    ) throws(ChatFault) -> (base64: ByteBuffer, mimeType: String?) {
        guard value.kind == .string, value.count >= 2 else { throw .invalid(path, "a string is expected") }
        let raw = value.bytes.getSlice(at: value.bytes.readerIndex + 1, length: value.count - 2) ?? ByteBuffer()
        guard Self.isDataURL(raw) else {
            throw .unsupported(path, "nothing is fetched, and no files are kept; send the data itself as a data: URL")
        }
        if let split = Self.split(raw), let base64 = Base64Text.read(split.data) {
            return (base64, split.mimeType)
        }
        // Written with escapes: some libraries escape every slash.
        guard let text = value.string, let split = Self.split(ByteBuffer(string: text)),
            let base64 = Base64Text.read(split.data)
        else { throw .invalid(path, "the data: URL does not hold base64") }
        return (base64, split.mimeType)
    }

    private static func isDataURL(_ url: ByteBuffer) -> Bool {
        url.readableBytesView.prefix(5).elementsEqual("data:".utf8) { $0 | 0x20 == $1 || $0 == $1 }
    }

    private static func split(_ url: ByteBuffer) -> (data: ByteBuffer, mimeType: String?)? {
        let view = url.readableBytesView.prefix(Self.longestPrefix)
        guard let comma = view.firstIndex(of: UInt8(ascii: ",")) else { return nil }
        let words = String(decoding: view[view.startIndex..<comma], as: UTF8.self).dropFirst(5).lowercased()
            .split(separator: ";", omittingEmptySubsequences: false)
        guard words.dropFirst().contains(where: { $0 == "base64" }), !words.contains(where: { $0.contains("\\") }),
            let data = url.getSlice(at: comma + 1, length: url.writerIndex - comma - 1)
        else { return nil }
        return (data, words.first.flatMap { $0.isEmpty ? nil : String($0) })
    }
}
