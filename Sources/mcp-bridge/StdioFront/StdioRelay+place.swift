import BridgeCore
import BridgeHTTPClient
import NIOCore
import NIOHTTP1

// Where the bridge is.
extension StdioRelay {
    /// The bridge may have come elsewhere: it is looked for before anything else is sent.
    func doubt(isSession: Bool) {
        guard self.settings.isLocal else { return }
        self.isStale = true
        if isSession { self.isDoubted = true }
        self.look()
    }

    /// Finds out where MCP is.
    func look() {
        guard !self.isLooking else { return }
        do {
            guard let address = try self.settings.address() else { return self.missed("no address") }
            guard address.isSocket, let root = try self.settings.rootAddress() else { return self.found(address) }
            self.isLooking = true
            let request = HTTPRequest(.GET, root, limits: TransferLimits(total: .seconds(10)))
            self.connections.reply(to: request, maximumBody: 1 << 20).assumeIsolated().whenComplete { result in
                self.isLooking = false
                switch result {
                case .success(let reply):
                    self.found((try? self.settings.address(path: ServicePath.mcp(in: reply))) ?? address)
                case .failure(let error): self.missed("\(error)")
                }
            }
        } catch {
            self.missed("\(error)")
        }
    }

    private func found(_ address: HTTPAddress?) {
        guard let address else { return self.missed("no address") }
        let listens = self.listening != nil || self.isDoubted
        let hasMoved = self.destination.map { $0.address != address } ?? false
        if self.destination == nil { self.destination = MCPDestination(address, headers: self.settings.fields) }
        self.destination?.address = address
        self.isStale = false
        if hasMoved, listens {
            self.listening?.cancel()
            self.listening = nil
            self.listen()
        } else if listens, self.isDoubted {
            self.isLost = true
            self.renew()
        }
        self.isDoubted = false
        self.sendHeld()
    }
}
