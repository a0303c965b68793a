import BridgeConfiguration
import BridgeCore
import BridgeMCP
import Logging
import NIOCore

/// What is listed of the server.
extension Conversation {
    func list(_ offering: Offering) {
        self.lists.begin(offering, hasTasks: self.identity?.hasTasks ?? false)
        self.askForPage(of: offering, nil)
    }

    private func askForPage(of offering: Offering, _ parameters: JSONText?) {
        self.ask(.list(offering), offering.listMethod, parameters, within: self.configuration.timeouts.list)
    }

    func listed(_ offering: Offering, _ result: JSONText) { self.take(self.lists.page(result, of: offering), offering) }

    /// A page does not come.
    func listFailed(_ offering: Offering, _ reason: String) { self.take(self.lists.cut(offering, reason), offering) }

    private func take(_ outcome: (step: Listing.Step, listing: Listing)?, _ offering: Offering) {
        guard let (step, listing) = outcome else { return }
        switch step {
        case .next(let cursor): self.askForPage(of: offering, JSONWriter.object { $0.member("cursor", cursor) })
        case .complete: self.publish(listing)
        case .failed(let reason): self.notListed(offering, reason)
        }
    }

    private func publish(_ listing: Listing) {
        let isNew = self.delegate?.conversation(self, listed: listing) ?? false
        self.listOver(listing.offering, isNew: isNew, isWhole: listing.flaw == nil)
    }

    private func notListed(_ offering: Offering, _ reason: String) {
        if !self.upkeep.isPutOff(offering, now: .now()), self.lists.isAbsent(offering) {
            return self.hasNone(offering, "it announces no \(offering), and has none")
        }
        let reason = "\(offering.listMethod) failed: \(reason)"
        self.logger.warning("upstream could not be listed", metadata: ["error": "\(reason)"])
        self.delegate?.conversation(self, couldNotList: offering, reason)
        self.listOver(offering, isNew: false, isWhole: false)
    }

    /// The server has no such list.
    func hasNone(_ offering: Offering, _ remark: String? = nil) {
        _ = self.delegate?.conversation(self, listed: Listing(of: offering, remark: remark))
        self.upkeep.listAbsent(offering)
        self.listOver(offering)
    }

    private func listOver(_ offering: Offering, isNew: Bool, isWhole: Bool) {
        self.upkeep.listFinished(offering, isNew: isNew, isWhole: isWhole, now: .now())
        self.judge(offering)
        self.listOver(offering)
    }

    private func listOver(_ offering: Offering) {
        if self.lists.over(offering) { self.delegate?.conversationReady(self) }
        self.delegate?.conversationDeadlinesChanged(self)
    }

    /// Says it when the server announces changes that are none, once.
    private func judge(_ offering: Offering) {
        let isMisled = self.upkeep.isMisled(about: offering)
        guard isMisled != self.misleading.contains(offering) else { return }
        guard isMisled else {
            self.misleading.remove(offering)
            self.delegate?.conversation(self, remarked: nil, about: offering)
            return
        }
        self.misleading.insert(offering)
        let limit = self.configuration.refreshInterval.words
        let remark =
            "it says after every list of \(offering) that the list has changed, and it has not; "
            + "it is listed ever less often, every \(limit) at last (refreshInterval)"
        if self.reported.insert(offering).inserted {
            self.logger.warning("upstream announces changes that are none", metadata: ["reason": "\(remark)"])
        }
        self.delegate?.conversation(self, remarked: remark, about: offering)
    }
}
