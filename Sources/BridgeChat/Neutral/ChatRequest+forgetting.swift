extension ChatRequest {
    /// Lets go of all that was said, and keeps what it was counted as: a conversation with images may be tens of megabytes, and
    /// its answer take minutes. What is left is enough to fit an answer to it and to write that.
    package mutating func forgetTurns() {
        self.countInput()
        self.turns = []
        self.system = []
    }

    /// Counts what the client has sent: what is added later to have an answer mended is not the client's.
    package mutating func countInput() { self.countedInput = TokenEstimate.input(of: self) }
}
