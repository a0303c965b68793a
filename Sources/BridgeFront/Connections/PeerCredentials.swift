import Glibc
import NIOCore

/// `struct ucred`: who was at the other end of a Unix socket when it was connected.
struct PeerCredentials {
    var pid: Int32 = 0
    var uid: UInt32 = 0
    var gid: UInt32 = 0

    /// The user id at the other end of a connected Unix socket; `nil` when the kernel does not tell.
    static func userID(of channel: any Channel) -> EventLoopFuture<UInt32?> {
        guard let socket = channel as? any SocketOptionProvider else {
            return channel.eventLoop.makeSucceededFuture(nil)
        }
        let credentials: EventLoopFuture<PeerCredentials> = socket.unsafeGetSocketOption(
            level: .socket, name: NIOBSDSocket.Option(rawValue: SO_PEERCRED)
        )
        return credentials.map { Optional($0.uid) }.recover { _ in nil }
    }
}
