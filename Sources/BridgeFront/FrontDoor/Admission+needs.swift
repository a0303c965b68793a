import BridgeCore

extension FrontDoor.Admission {
    /// Somebody who is not known, with the reason why most is not for them.
    static func stranger(_ refusal: Refusal, origin: String?) -> FrontDoor.Admission {
        FrontDoor.Admission(principal: "", grants: [], origin: origin, refusal: refusal)
    }

    /// Whether the caller may change what the service runs. Without a token a page never may, a process only when it is
    /// granted.
    var mayAdminister: Bool { self.grants.contains(.admin) && (self.origin == nil || self.token != nil) }

    /// Whether it may be a source by its own word. A process that merely comes from this machine may not: its client may have
    /// been told to by anybody.
    var mayLendUnnamed: Bool { self.token == nil ? self.mayAdminister : self.grants.contains(.source) }

    /// Whether every server is the caller's business.
    var seesAll: Bool {
        self.refusal == nil && (self.grants.contains(.admin) || self.grants.contains(.mcp) && self.token?.scope == nil)
    }

    /// Whether the caller may hear how each server is. That is no more than any local program could find out.
    var hearsOfServers: Bool { self.refusal == nil && (self.token == nil || self.seesAll) }

    /// Why a route with this need is not served to the caller; nil where it is.
    func refusal(for need: Route.Need) -> Refusal? {
        switch need {
        case .nothing, .leastForStrangers: return nil
        case .anyone: return self.refusal
        case .mcp:
            return self.refusal ?? (self.grants.isDisjoint(with: [.mcp, .admin, .source]) ? self.lacks("mcp") : nil)
        case .chat:
            return self.refusal ?? (self.grants.isDisjoint(with: [.chat, .admin]) ? self.lacks("chat") : nil)
        case .allOfMCP: return self.refusal ?? (self.seesAll ? nil : self.lacks("mcp"))
        case .admin: return self.refusal ?? (self.mayAdminister ? nil : .adminRequired)
        }
    }

    private func lacks(_ scope: String) -> Refusal { self.token == nil ? .notGranted : .outOfScope(scope) }
}
