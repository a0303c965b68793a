import BridgeCore
import BridgeMCP
import NIOCore

/// What is answered while the bridge is away: the lists that it has last given, else those of the file in which it keeps them.
struct RememberedLists {
    /// In bytes, of one list.
    private static let limit = 4 << 20
    private static let methods = Set(Offering.all.map(\.listMethod))

    private var results: [String: JSONText] = [:]
    /// By method.
    private var guesses: [String: Guess] = [:]
    private let file: WarmLists.File?
    /// Made when the bridge is missed for the first time.
    private lazy var warm = self.file.map { WarmLists($0) }.flatMap { $0.isEmpty ? nil : $0 }

    init(_ file: WarmLists.File?) { self.file = file }

    /// Whether a client can be welcomed without a bridge.
    var canWelcome: Bool { mutating get { self.warm != nil } }

    mutating func welcome(_ hello: StdioMessage.Hello) -> ByteBuffer? { self.warm?.welcome(hello) }

    /// Remembers a result, if it is all of a list.
    mutating func heard(_ result: JSONText, of request: StdioMessage.Request) {
        guard Self.methods.contains(request.method), !request.hasCursor else { return }
        let isWhole = result.member("nextCursor") == nil && result.count <= Self.limit
        self.results[request.method] = isWhole ? result.detached : nil
    }

    /// - Parameter hello: the client's `initialize`, by which its names are spelled.
    mutating func answer(to request: StdioMessage.Request, for hello: StdioMessage.Hello?) -> ByteBuffer? {
        if !request.hasCursor, let result = self.results[request.method] {
            return RPCReply.result(id: request.id.bytes, result)
        }
        guard let reply = self.warm?.list(request, for: hello) else { return nil }
        let result = JSONText(trusting: reply).value("result")
        self.guesses[request.method] = result.map { Guess(method: request.method, result: $0) }
        return reply
    }

    /// The lists that were given out of the file since this was asked.
    mutating func takeGuesses() -> [Guess] {
        defer { self.guesses = [:] }
        return self.guesses.values.sorted { $0.method < $1.method }
    }

    /// A list that was given out of the file: to be compared with what the bridge says when it is there.
    struct Guess {
        let method: String
        let result: JSONText

        /// What the client is to be told when the list is another one by now.
        func change(now result: JSONText) -> String? {
            let offering = Offering.all.first { $0.listMethod == self.method }
            guard let offering, Self.layout(self.result, offering) != Self.layout(result, offering) else { return nil }
            // The list of templates changes with that of resources.
            return offering.changed ?? Offering.all.first { $0.capability == offering.capability }?.changed
        }

        /// The file lays entries out for people, the bridge does not.
        private static func layout(_ result: JSONText, _ offering: Offering) -> ByteBuffer {
            var layout = ByteBuffer()
            result.member(named: offering.name).map { result[$0] }?.writeIndented(to: &layout)
            return layout
        }
    }
}
