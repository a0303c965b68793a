/// How long one upstream may take over things.
package struct UpstreamTimeouts: Sendable, Hashable, Codable {
    /// Start and `initialize` together.
    package var connect: Seconds
    /// Whether the server's own entry sets ``connect``. Else a start that was too slow is followed by one with more time.
    package var isConnectFixed = false
    /// Each page of a list.
    package var list: Seconds
    /// A call, counted anew from each progress notification.
    package var call: Seconds
    package var ping: Seconds
    /// For a client's answer to what the server asks it in the middle of a call. The call's own time stands still meanwhile.
    package var question: Seconds
    /// For a call that waits for its turn behind a question.
    package var turn: Seconds
    /// By the upstream's own tool name, where it differs from ``call``.
    package var tools: [String: Seconds]

    package init(
        connect: Seconds = 30,
        list: Seconds = 30,
        call: Seconds = 300,
        ping: Seconds = 30,
        question: Seconds = 600,
        turn: Seconds = 30,
        tools: [String: Seconds] = [:]
    ) {
        self.connect = connect
        self.list = list
        self.call = call
        self.ping = ping
        self.question = question
        self.turn = turn
        self.tools = tools
    }
}
