import BridgeCore
import BridgeMCP

/// Whoever asks a client something. Confined to the event loop.
protocol QuestionAsker: AnyObject {
    /// The client has answered, once.
    ///
    /// - Parameter number: the asker's own, of the question.
    func answered(_ number: Int, with response: RPCMessage)
    /// The client says that it is about to.
    func goesOn(_ number: Int)
}

/// What one client is being asked, under the ids that it knows. Pure, but for the ids.
///
/// An id is the bridge's own, and nobody can guess it: an answer counts only from the session that was asked, and once.
struct OpenQuestions<Asker> {
    /// More of one session are not open at once.
    static var maximum: Int { 64 }

    private var byID: [String: (asker: Asker, number: Int)] = [:]

    var isFull: Bool { self.byID.count >= Self.maximum }
    var isEmpty: Bool { self.byID.isEmpty }

    /// - Parameter number: the asker's own, of the question.
    /// - Returns: the question's id.
    mutating func open(_ asker: Asker, _ number: Int) -> String {
        let id = RandomID.make()
        self.byID[id] = (asker, number)
        return id
    }

    /// Who asked.
    subscript(id: String) -> (asker: Asker, number: Int)? { self.byID[id] }

    /// Another asks it from now on.
    mutating func move(_ id: String, to asker: Asker) { self.byID[id]?.asker = asker }

    /// It has been answered, or is not to be answered any more.
    mutating func close(_ id: String) -> (asker: Asker, number: Int)? { self.byID.removeValue(forKey: id) }
}
