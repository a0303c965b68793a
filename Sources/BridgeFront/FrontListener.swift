/// A listening socket that the front was started with.
package struct FrontListener: Sendable {
    /// Which of the service's doors a socket is. It decides how a caller is known: see ``Caller``.
    package enum Name: String, Sendable {
        /// TCP.
        case http
        /// The local Unix socket.
        case local
        /// The Unix socket of the one client whose program the bridge is, in a folder that nobody else may enter.
        case own
        /// TCP on this machine, while a sign-in waits: a browser comes back there, and nothing else is served.
        case receiver
    }

    package let name: Name
    /// Bound and listening. The worker owns it from ``FrontWorker/run(ready:)`` on and closes it when it drains; other
    /// processes' copies, the supervisor's above all, stay open.
    package let descriptor: Int32

    package init(name: Name, descriptor: Int32) {
        self.name = name
        self.descriptor = descriptor
    }
}
