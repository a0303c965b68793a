import BridgeConfiguration
import BridgeCore
import BridgeMCP
import Logging
import NIOCore

/// The answers to the bridge's own requests.
extension Conversation {
    func answered(_ purpose: OwnRequests.Purpose, _ message: RPCMessage) {
        guard let span = message.result else {
            let reason = message.error.flatMap { message.text[$0].string("message") } ?? "no reason given"
            let printable = self.complaints.printable(ByteBuffer(string: reason), limit: 256)
            let words = "it answered with an error: \(printable)"
            if purpose == .initialize, let error = message.error { return self.refused(message.text[error], words) }
            return self.failed(purpose, words)
        }
        switch purpose {
        case .initialize: self.initialized(message.text[span])
        case .list(let offering): self.listed(offering, message.text[span])
        case .ping: break
        case .logLevel: self.sendLogLevel()
        }
    }

    func failed(_ purpose: OwnRequests.Purpose, _ reason: String) {
        guard !self.isOver else { return }
        switch purpose {
        case .initialize: self.delegate?.conversationFailed(self, "initialize failed: \(reason)")
        case .list(let offering): self.listFailed(offering, reason)
        case .ping: break  // an error is a sign of life
        case .logLevel:
            self.logger.debug("upstream did not take a log level", metadata: ["error": "\(reason)"])
            self.sendLogLevel()
        }
    }

    /// What is said of one that was not answered in its time.
    func lateness(of purpose: OwnRequests.Purpose) -> String {
        let timeouts = self.configuration.timeouts
        switch purpose {
        case .list: return "it did not answer within \(timeouts.list.words) (timeouts.list)"
        case .logLevel: return "it did not answer within \(timeouts.call.words) (timeouts.call)"
        case .initialize, .ping: return "it did not answer in time"
        }
    }
}
