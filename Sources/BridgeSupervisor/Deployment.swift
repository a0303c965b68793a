package import BridgeConfiguration
package import BridgeCore
package import NIOCore

/// What the configuration means for the processes of the service.
package struct Deployment: Sendable {
    package struct Upstream: Sendable, Equatable {
        package var configuration: UpstreamConfiguration
        /// The socket that its worker serves and the session worker dials.
        package var socket: String

        package init(configuration: UpstreamConfiguration, socket: String) {
            self.configuration = configuration
            self.socket = socket
        }

        /// Whether tokens of its server pass through its worker's memory.
        var holdsTokens: Bool { self.configuration.oauth != nil }
    }

    package var front: FrontConfiguration
    package var session: SessionConfiguration
    /// The enabled ones, in the configuration's order.
    package var upstreams: [Upstream]
    /// Enabled ones that cannot run; no worker is started for them.
    package var failed: [TroubledServer]
    /// Settings that differ from what the service was started with, and are not applied while it runs.
    package var needsRestart: [String]
    /// How long calls in flight may take when the service stops.
    package var drainTimeout: Duration

    package init(
        front: FrontConfiguration,
        session: SessionConfiguration,
        upstreams: [Upstream],
        failed: [TroubledServer] = [],
        needsRestart: [String] = [],
        drainTimeout: Duration = .seconds(20)
    ) {
        self.front = front
        self.session = session
        self.upstreams = upstreams
        self.failed = failed
        self.needsRestart = needsRestart
        self.drainTimeout = drainTimeout
    }
}

/// The upstreams that a new deployment makes come, go, or start anew.
package struct DeploymentChanges: Sendable, Equatable {
    package var added: [String] = []
    package var removed: [String] = []
    package var changed: [String] = []
}

/// What the service would be with servers that somebody wants to add.
package struct ProposedDeployment: Sendable {
    package var deployment: Deployment
    /// Of those that are to be started.
    package var names: [String]
}

/// Why a change was refused, as HTTP tells it.
package struct DeploymentRefusal: Error, Sendable {
    package var status: Int
    /// A JSON object.
    package var body: JSONText
    /// The same for a terminal, several lines perhaps.
    package var text: String

    package init(status: Int, body: JSONText, text: String) {
        self.status = status
        self.body = body
        self.text = text
    }
}

/// Where deployments come from: the configuration file, and what was changed over HTTP since.
///
/// Called on the supervisor's event loop.
package protocol DeploymentSource: AnyObject {
    /// Reads the configuration anew, beside the event loop: files may be slow, and so may names of users.
    ///
    /// - Parameter done: called once, on the loop. Nothing has changed when it is a refusal.
    func reload(on loop: any EventLoop, _ done: @escaping (Result<Deployment, DeploymentRefusal>) -> Void)
    /// What the service would be with the servers of a `POST /servers` body. Read beside the loop, too: what stands in it may
    /// be expanded by programs that take their time.
    ///
    /// - Parameter done: called once, on the loop.
    func adding(
        _ body: ByteBuffer, on loop: any EventLoop,
        _ done: @escaping (Result<ProposedDeployment, DeploymentRefusal>) -> Void
    )
    /// What the service would be without a server.
    func removing(_ name: String) throws(DeploymentRefusal) -> Deployment
    /// Makes the last ``adding(_:on:_:)`` or ``removing(_:)`` last. Written beside the loop.
    ///
    /// - Parameter done: called once, on the loop. Nothing has changed when it is a refusal.
    func commit(on loop: any EventLoop, _ done: @escaping (Result<Void, DeploymentRefusal>) -> Void)
    /// Takes it back; returns what was before.
    func rollback() -> Deployment
}
