import BridgeCore
import BridgeMCP
import NIOCore

// A client that comes while the bridge is away.
extension StdioRelay {
    /// A client that can be welcomed without a bridge need not wait long for one.
    func patience(for post: StdioPost) -> TimeAmount {
        post.message.isInitialize && self.remembered.canWelcome ? StdioSettings.shortPatience : StdioSettings.patience
    }

    /// A post waits no longer. When the bridge comes, it opens the session by what the client has said.
    func goOnWithout(_ post: StdioPost) {
        guard !post.isOwn else { return }
        if post.message.isInitialized { self.initialized = post.message }
        guard let hello = post.message.hello, let welcome = self.remembered.welcome(hello), post.take(hello.id) != nil
        else { return }
        self.settings.notes.say("no bridge answers; lists are given out of its file", ["place": self.settings.name])
        self.output.answer(welcome)
        self.isLost = true
        self.tryAgain(by: .distantFuture)
    }

    /// Asks for the lists that the client was given out of the file.
    func lookAtGuesses() {
        self.guesses += self.remembered.takeGuesses()
        for guess in self.guesses {
            let request = JSONWriter.object { request in
                request.member("jsonrpc", "2.0")
                request.member("id", "mcp-bridge-stdio:\(guess.method)")
                request.member("method", guess.method)
            }
            if let message = try? StdioMessage(request.bytes) { self.begin(message, isOwn: true) }
        }
        self.output.changed(self)
    }

    /// Tells the client of a list that is not what it was given.
    func compare(_ result: JSONText, of request: StdioMessage.Request) {
        guard let guess = self.guesses.first(where: { $0.method == request.method }) else { return }
        self.guesses.removeAll { $0.method == request.method }
        guard let change = guess.change(now: result) else { return }
        self.output.write(
            JSONWriter.object { message in
                message.member("jsonrpc", "2.0")
                message.member("method", change)
            })
    }
}
