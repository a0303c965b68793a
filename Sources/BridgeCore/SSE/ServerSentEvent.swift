package import NIOCore

/// What stood between two blank lines of an event stream (WHATWG HTML, "Server-sent events").
///
/// A block without a `data` field is no event by that standard, and its id and retry time count all the same: such a
/// block comes out with ``data`` being `nil`. A block that has none of the three does not come out at all.
package struct ServerSentEvent: Sendable, Hashable {
    /// The `event` field: `message` when there is none, or an empty one.
    package var name: String
    /// The `data` fields, joined by line feeds: the bytes as they came, which need not be UTF-8.
    package var data: ByteBuffer?
    /// The `id` field, when there is one. An empty id takes back the one before.
    package var id: String?
    /// The `retry` field in milliseconds, at most ``maximumRetry``.
    package var retry: Int?
    /// The stream ended before the blank line. The standard drops such a block; servers that forget the last line exist.
    package var isUnfinished: Bool

    package static let standardName = "message"
    /// 24 days.
    package static let maximumRetry = Int(Int32.max)

    package init(
        name: String = Self.standardName, data: ByteBuffer? = nil, id: String? = nil, retry: Int? = nil,
        isUnfinished: Bool = false
    ) {
        self.name = name
        self.data = data
        self.id = id
        self.retry = retry
        self.isUnfinished = isUnfinished
    }
}

/// Why an event stream is not read any further.
package enum ServerSentEventError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The fields of one event are longer than so many bytes together.
    case tooLarge(limit: Int)

    package var description: String {
        switch self {
        case .tooLarge(let limit): "an event is longer than \(limit) bytes"
        }
    }
}
