import BridgeConfiguration
import BridgeCore
import BridgeMCP
import Logging
import NIOCore

/// What is listed of the server.
extension Conversation {
    func list(_ offering: Offering) {
        self.lists.begin(offering)
        self.askForPage(of: offering, nil)
    }

    private func askForPage(of offering: Offering, _ parameters: JSONText?) {
        self.ask(.list(offering), offering.listMethod, parameters, within: self.configuration.timeouts.list)
    }

    func listed(_ offering: Offering, _ result: JSONText) {
        guard let (step, listing) = self.lists.page(result, of: offering) else { return }
        switch step {
        case .next(let cursor): self.askForPage(of: offering, JSONWriter.object { $0.member("cursor", cursor) })
        case .complete: self.publish(listing)
        case .failed(let reason): self.listFailed(offering, reason)
        }
    }

    func publish(_ listing: Listing) {
        self.delegate?.conversation(self, listed: listing)
        self.listOver(listing.offering, succeeded: true)
    }

    func listFailed(_ offering: Offering, _ reason: String) {
        self.logger.warning("upstream could not be listed", metadata: ["error": "\(reason)"])
        self.delegate?.conversation(self, couldNotList: offering, reason)
        self.listOver(offering, succeeded: false)
    }

    private func listOver(_ offering: Offering, succeeded: Bool) {
        self.upkeep.listFinished(offering, succeeded: succeeded, now: .now())
        if self.lists.over(offering) { self.delegate?.conversationReady(self) }
        self.delegate?.conversationDeadlinesChanged(self)
    }
}
