import BridgeCore

extension ChatRequest {
    /// Lets go of all that was said, and keeps what it was counted as: a conversation with images may be tens of megabytes, and
    /// its answer take minutes. What is left is enough to fit an answer to it and to write that, and has bytes of its own: a
    /// part of the body would keep all of it.
    package mutating func forgetTurns() {
        self.countInput()
        self.turns = []
        self.system = []
        self.extras = []
        for index in self.tools.indices { self.tools[index].inputSchema = self.tools[index].inputSchema.detached }
    }

    /// Counts what the client has sent: what is added later to have an answer mended is not the client's.
    package mutating func countInput() { self.countedInput = TokenEstimate.input(of: self) }
}
