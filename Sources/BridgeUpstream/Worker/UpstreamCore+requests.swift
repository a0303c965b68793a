import BridgeConfiguration
import BridgeCore
import BridgeMCP
import FoundationEssentials
import Logging
import NIOCore

/// What the bridge asks of the upstream for itself.
extension UpstreamCore {
    /// Of lines of the bridge's own that the upstream does not read.
    private static let maximumControlOctets = 4 << 20

    /// Writes a line of the bridge's own, before any further call.
    func say(_ line: ByteBuffer) {
        self.controls.writeImmutableBuffer(line)
        self.scheduleDrain()
        guard self.controls.readableBytes > Self.maximumControlOctets else { return }
        self.lost("it does not read its input")
    }

    private func ask(_ purpose: OwnRequests.Purpose, _ method: String, _ parameters: JSONText?, within limit: Seconds) {
        let id = self.pending.reserveID()
        self.own.add(id, purpose, deadline: .now() + limit.timeAmount)
        self.say(ClientMessage.request(id: id, method: method, parameters: parameters))
        self.rearm()
    }

    func ownRequestAnswered(_ purpose: OwnRequests.Purpose, _ message: RPCMessage) {
        guard let span = message.result else {
            let reason = message.error.flatMap { message.text[$0].string("message") } ?? "no reason given"
            let printable = ForeignText.printable(ByteBuffer(string: reason), limit: 256)
            return self.ownRequestFailed(purpose, "it answered with an error: \(printable)")
        }
        let result = message.text[span]
        switch purpose {
        case .initialize: self.initialized(result)
        case .list: self.listed(result)
        case .ping: break  // it has been heard
        case .logLevel: break
        }
    }

    func ownRequestFailed(_ purpose: OwnRequests.Purpose, _ reason: String) {
        switch purpose {
        case .initialize: self.lost("initialize failed: \(reason)")
        case .list: self.listFailed("tools/list failed: \(reason)")
        case .ping: break  // an error is a sign of life
        case .logLevel: self.logger.debug("upstream did not take a log level", metadata: ["error": "\(reason)"])
        }
    }

    func expireOwnRequests(_ now: NIODeadline) {
        for (id, purpose) in self.own.expire(now: now) {
            self.pending.giveUp(reserved: id)
            if purpose != .initialize { self.say(ClientMessage.cancelled(id: id, reason: "timeout")) }
            // That a ping went unanswered is for the upkeep to judge.
            if purpose != .ping { self.ownRequestFailed(purpose, "it did not answer in time") }
        }
    }

    func keepUp(_ now: NIODeadline) {
        for task in self.upkeep.due(now: now, callsUnderWay: self.pending.writtenCount > 0) {
            switch task {
            case .list: self.list()
            case .ping: self.ping()
            case .hold: self.logger.info("upstream says nothing; further calls wait")
            case .mute: self.lost("it did not answer a ping in time")
            case .unused:
                self.logger.info("upstream unused; ending it")
                self.perform(self.lifecycle.unused())
            }
        }
    }

    private func ping() {
        // One that speaks and answers no pings would leave one for each interval.
        for id in self.own.takeAll(.ping) { self.pending.giveUp(reserved: id) }
        self.ask(.ping, "ping", nil, within: .longest)
    }

    // MARK: Handshake

    func initialize() {
        // Its time is that of the whole attempt.
        self.ask(.initialize, "initialize", Handshake.parameters(self.configuration), within: .longest)
    }

    private func initialized(_ result: JSONText) {
        let identity: UpstreamIdentity
        do {
            identity = try Handshake.read(result)
        } catch {
            return self.lost(error.reason)
        }
        guard self.lifecycle.initialized() else { return }
        self.identity = identity
        self.attemptDeadline = nil
        self.lastConnected = Date()
        self.say(ClientMessage.notification(method: "notifications/initialized"))
        self.sendLogLevel()
        let now = NIODeadline.now()
        self.upkeep.connected(lists: identity.listsTools, now: now)
        if identity.listsTools { self.keepUp(now) } else { self.publish(ToolListing()) }
        self.announcer.stateChanged()
        self.rearm()
    }

    // MARK: Lists

    private func list() {
        self.listing = ToolListing()
        self.ask(.list, "tools/list", nil, within: self.configuration.timeouts.list)
    }

    private func listed(_ result: JSONText) {
        guard var listing = self.listing else { return }
        self.listing = nil
        switch listing.page(result) {
        case .next(let cursor):
            self.listing = listing
            let parameters = JSONWriter.object { $0.member("cursor", cursor) }
            self.ask(.list, "tools/list", parameters, within: self.configuration.timeouts.list)
        case .complete:
            self.publish(listing)
        case .failed(let reason):
            self.listFailed(reason)
        }
    }

    private func listFailed(_ reason: String) {
        self.listing = nil
        self.lastError = reason
        self.logger.warning("upstream could not be listed", metadata: ["error": "\(reason)"])
        self.listingOver(succeeded: false)
    }

    private func publish(_ listing: ToolListing) {
        guard let identity else { return }
        let catalogue = Self.catalogue(listing, identity)
        guard catalogue.readableBytes <= Frame.maximumPayload else {
            return self.listFailed("its list of tools is too large to be passed on")
        }
        self.toolCount = listing.count
        self.lastToolRefresh = Date()
        self.lastError = nil
        self.listFlaw = listing.flaw
        if self.announcer.publish(catalogue: catalogue) {
            self.logger.debug("upstream listed", metadata: ["toolCount": "\(listing.count)"])
        }
        self.listingOver(succeeded: true)
    }

    private func listingOver(succeeded: Bool) {
        let isFirst = self.lifecycle.phase != .ready
        self.upkeep.listFinished(succeeded: succeeded, now: .now())
        self.lifecycle.listed(now: .now())
        if isFirst { self.logger.info("upstream connected", metadata: ["toolCount": "\(self.toolCount)"]) }
        self.announcer.stateChanged()
        self.rearm()
    }

    private static func catalogue(_ listing: ToolListing, _ identity: UpstreamIdentity) -> ByteBuffer {
        var tools = ByteBufferAllocator().buffer(capacity: listing.tools.readableBytes + 2)
        tools.writeStaticString("[")
        tools.writeImmutableBuffer(listing.tools)
        tools.writeStaticString("]")
        return JSONWriter.object { catalogue in
            catalogue.member("tools", JSONText(trusting: tools))
            catalogue.member("serverInfo", identity.serverInfo)
            catalogue.member("capabilities", identity.capabilities)
            catalogue.member("instructions", ifPresent: identity.instructions)
            catalogue.member("protocolVersion", identity.revision.name)
        }.bytes
    }

    // MARK: Log level

    /// - Parameter payload: `{"level":"…"}`.
    func setLogLevel(_ payload: ByteBuffer?) {
        guard let payload, payload.readableBytes > 0, let level = JSONText(trusting: payload).value("level"),
            level.kind == .string
        else { return }
        self.wantedLogLevel = level.compacted
        self.sendLogLevel()
    }

    private func sendLogLevel() {
        guard let level = self.wantedLogLevel, self.identity?.logs == true else { return }
        let parameters = JSONWriter.object { $0.member("level", level) }
        self.ask(.logLevel, "logging/setLevel", parameters, within: self.configuration.timeouts.call)
    }
}
