import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore

/// Tells servers of subscriptions what no client waits for. Confined to the event loop.
final class SubscriptionTeller {
    private let directory: Directory
    private var lastID = 0

    init(_ directory: Directory) { self.directory = directory }

    /// - Parameter answered: called once the server has answered, or will not; at once where it is not told.
    func tell(
        _ topic: ResourceTopic, _ method: String, on upstream: UpstreamLink? = nil,
        answered: @escaping () -> Void = {}
    ) {
        let upstream = upstream ?? self.directory.upstreams.first { $0.route.name == topic.server }
        // One that is not connected knows of nothing, and is not to be started for this.
        guard let upstream, upstream.isConnected, upstream.isRunning else { return answered() }
        self.lastID += 1
        let message = JSONWriter.object { message in
            message.member("jsonrpc", "2.0")
            message.member("id", self.lastID)
            message.member("method", method)
            message.memberObject("params") { $0.member("uri", topic.uri) }
        }
        let header = UpstreamCallHeader(
            requestID: "", timeout: upstream.route.callTimeout.milliseconds, principal: "", session: nil)
        _ = upstream.open(
            header: UpstreamRequest.call(header).text, payload: message.bytes,
            delegate: AnswerWaiter { _ in answered() })
    }
}

/// That a resource has changed, as clients are told.
enum ResourceUpdate {
    static let method = "notifications/resources/updated"

    static func message(_ uri: String) -> ByteBuffer {
        JSONWriter.object { message in
            message.member("jsonrpc", "2.0")
            message.member("method", Self.method)
            message.memberObject("params") { $0.member("uri", uri) }
        }.bytes
    }

    static func change(_ uri: String) -> ListChange {
        ListChange(method: Self.method, about: uri, message: Self.message(uri))
    }
}
