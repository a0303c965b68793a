import BridgeCore
import BridgeLink
import NIOCore

/// One call from the session worker: its exchange, its request, and how it is spelled upstream and back.
///
/// Confined to its event loop.
final class UpstreamCall {
    private static let progress = UpstreamMessage.progress.text
    private static let log = UpstreamMessage.log.text

    /// What a log calls it.
    struct Names {
        /// As the front named it.
        let requestID: String
        /// A short digest of the client's session.
        let session: String?
        let method: String
        /// The tool (or prompt) that it is about, as its server knows it.
        let tool: String?
    }

    private let exchange: Exchange
    /// The request, and what it is counted by, until it has been sent.
    private var message: RPCMessage?
    private var hold: PayloadHold?
    /// What takes the place of the name in the request.
    private var name: ByteBuffer?
    let octets: Int
    /// The request's id and progress token, as its client wrote them.
    private let clientID: ByteBuffer
    private let clientToken: ByteBuffer?
    /// Of one about a task: the connection that the task belongs to, 0 of one that makes it.
    let life: Int?
    /// The task that it is about, as its server calls it.
    let taskID: String?
    /// Whether it is about a task that there is. Such a call takes no turns: what is asked for it names the task.
    var isOfTask: Bool { self.taskID != nil }
    /// Of one that makes a task: what its server calls that, where it has said so before its answer.
    var madeTask: String?
    /// Whether it waits for a task to end.
    let isPatient: Bool
    /// Whether it asks how a task is.
    let isInquiry: Bool
    /// As the caller asked for it.
    let timeout: TimeAmount?
    /// Whether its client can be asked something.
    let mayBeAsked: Bool
    /// A short digest of the client's session, or its principal where it has none.
    let whose: String
    /// Kept only where finished calls are logged.
    let names: Names?
    let arrived: NIODeadline
    /// Hears that nobody waits for it any more; until it is over.
    private var owner: (any UpstreamCallOwner)?
    /// Its id upstream, once it has one.
    private(set) var id = 0
    /// The newest progress that the exchange had no room for.
    private var heldProgress: ByteBuffer?

    /// Takes the exchange's payload.
    ///
    /// - Parameter isLogged: whether its names will be asked for when it has ended.
    /// - Returns: `nil` when the exchange carries no request; then its payload is left to it.
    init?(_ exchange: Exchange, _ header: UpstreamCallHeader, isLogged: Bool, now: NIODeadline) {
        guard let payload = exchange.payload, payload.readableBytes > 0,
            let message = try? RPCMessage(JSONText(trusting: payload)),
            message.shape == .request, let id = message.id
        else { return nil }
        self.exchange = exchange
        self.message = message
        self.hold = exchange.takePayload().hold
        self.name = header.name?.bytes
        self.octets = payload.readableBytes
        self.clientID = message.text[id].bytes.toKeep
        self.clientToken = Self.progressToken(of: message).map { message.text[$0].bytes.toKeep }
        self.life = header.life
        self.taskID = header.life.flatMap { $0 != 0 ? header.name?.string : nil }
        self.isPatient = header.life != nil && message.method == "tasks/result"
        self.isInquiry = header.life != nil && message.method == "tasks/get"
        self.timeout = header.timeout.flatMap { $0 > 0 ? .milliseconds(Int64(min($0, 1 << 40))) : nil }
        self.mayBeAsked = header.mayBeAsked
        self.whose = header.session ?? header.principal
        self.arrived = now
        guard isLogged else {
            self.names = nil
            return
        }
        self.names = Names(
            requestID: header.requestID, session: header.session, method: message.method ?? "",
            tool: header.name?.string ?? Self.toolName(of: message))
    }

    private static func toolName(of message: RPCMessage) -> String? {
        message.name.flatMap { message.text[$0].string }
    }

    /// Where the entry is named: a completion names it in its reference, and a task has a place of its own.
    private static func nameSpan(of message: RPCMessage) -> JSONSpan? {
        switch message.method {
        case "completion/complete": message.param("ref").flatMap { message.text.member("name", in: $0) }
        case "tasks/get", "tasks/result", "tasks/cancel": message.param("taskId")
        default: message.name
        }
    }

    private static func progressToken(of message: RPCMessage) -> JSONSpan? {
        message.progressToken.flatMap { $0.kind == .string || $0.kind == .number ? $0 : nil }
    }

    /// Its client's progress token.
    var tokenOfClient: ByteBuffer? { self.clientToken }

    /// The tool (or prompt) that it is about, as its server knows it; not known any more once it has been sent.
    var toolName: String? {
        self.name.map { JSONText(trusting: $0) }?.string ?? self.message.flatMap(Self.toolName)
    }

    // MARK: The way there

    /// Sends the request, under our id, its server's name and, where the client wants progress, our progress token, and
    /// lets go of it.
    ///
    /// - Parameters:
    ///   - digits: our id.
    ///   - edits: room for what is replaced, kept between calls.
    func send(on connection: any Connection, digits: ByteBuffer, edits: inout [(JSONSpan, ByteBuffer)]) {
        guard let message = self.message, let id = message.id else { return }
        edits.removeAll(keepingCapacity: true)
        edits.append((id, digits))
        if let name = self.name, let span = Self.nameSpan(of: message) { edits.append((span, name)) }
        if let token = Self.progressToken(of: message) {
            // What takes a text where a text was takes no number there, and the other way round.
            edits.append((token, token.kind == .string ? digits.quoted : digits))
        }
        if edits.count > 1 { edits.sort { $0.0.lowerBound < $1.0.lowerBound } }
        connection.send(message.text, replacing: edits, request: self.id, hold: self.hold)
        edits.removeAll(keepingCapacity: true)
        self.message = nil
        self.name = nil
        self.hold = nil
    }

    // MARK: The way back

    /// It has been taken under this id: from here on it hears of its exchange.
    func attach(to owner: any UpstreamCallOwner, id: Int) {
        self.owner = owner
        self.id = id
        self.exchange.delegate = self
    }

    /// Ends the exchange with the upstream's response, under the client's id.
    ///
    /// - Parameter life: of the connection.
    /// - Returns: false when the result is too large to travel; then the exchange goes on.
    func answer(_ response: RPCMessage, id: JSONSpan, life: Int) -> Bool {
        let octets = response.text.count - id.count + self.clientID.readableBytes
        guard octets <= Frame.maximumPayload else { return false }
        self.owner = nil
        let isError = response.shape == .error
        let header =
            self.life == nil
            ? isError ? UpstreamEnd.refused : UpstreamEnd.answered : UpstreamEnd(isError: isError, life: life).text
        self.exchange.end(header: header, octets: octets) {
            response.text.withWholePairs.write(to: &$0, replacing: id, with: self.clientID)
        }
        return true
    }

    /// Ends the exchange with an error that the bridge makes.
    func fail(_ fault: ToldFault) {
        self.owner = nil
        self.exchange.end(header: UpstreamEnd(failure: fault.word).text, payload: fault.reply(to: self.clientID))
    }

    /// Passes a progress notification on under the client's token, or holds it until there is room; an older one that is
    /// held gives way.
    ///
    /// - Parameter token: of the notification, ours.
    func progress(_ notification: RPCMessage, token: JSONSpan) {
        guard let clientToken = self.clientToken else { return }
        var buffer = ByteBuffer()
        notification.text.withWholePairs.write(to: &buffer, replacing: token, with: clientToken)
        if self.exchange.isWritable {
            self.heldProgress = nil
            self.exchange.send(header: Self.progress, payload: buffer)
        } else {
            self.heldProgress = buffer
        }
    }

    /// Asks its client what the server asks. A question is never dropped.
    func ask(_ question: RPCMessage, number: Int) {
        self.exchange.send(
            header: UpstreamMessage.ask(number).text, payload: question.text.withWholePairs.bytes)
    }

    /// A question is not to be answered any more.
    func withdraw(_ number: Int) { self.exchange.send(header: UpstreamMessage.withdraw(number).text, payload: nil) }

    /// Passes on a log message, or another notification that is about it; dropped when there is no room.
    func log(_ notification: RPCMessage) {
        guard self.exchange.isWritable else { return }
        self.exchange.send(header: Self.log, payload: notification.text.withWholePairs.bytes)
    }
}

extension UpstreamCall: ExchangeDelegate {
    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {
        guard let answer = QuestionAnswer(header) else { return }
        self.owner?.callAnswered(self, answer, payload)
    }

    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) {
        self.abandoned("the caller went away")
    }

    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) {
        switch failure {
        case .cancelled(let reason): self.abandoned(reason)
        case .linkLost, .overloaded: self.abandoned("the caller went away")
        }
    }

    private func abandoned(_ reason: String) {
        let owner = self.owner
        self.owner = nil
        owner?.callAbandoned(self, reason: reason)
    }

    func exchangeBecameWritable(_ exchange: Exchange) {
        guard let held = self.heldProgress else { return }
        self.heldProgress = nil
        exchange.send(header: Self.progress, payload: held)
    }
}

extension ByteBuffer {
    fileprivate var quoted: ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(self.readableBytes + 2)
        buffer.writeStaticString("\"")
        buffer.writeImmutableBuffer(self)
        buffer.writeStaticString("\"")
        return buffer
    }
}

/// Hears that nobody waits for a call any more.
protocol UpstreamCallOwner: AnyObject {
    func callAbandoned(_ call: UpstreamCall, reason: String)

    /// A question that was asked in its name has been answered.
    func callAnswered(_ call: UpstreamCall, _ answer: QuestionAnswer, _ payload: ByteBuffer?)
}
