import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore

/// Tells the supervisor how things are, when they are otherwise than last told. Confined to the event loop.
final class StatusReport {
    /// More collisions are not told.
    private static let maximumCollisions = 32

    private let control: LinkConnection
    private var told = ByteBuffer()

    init(on control: LinkConnection) { self.control = control }

    func tell(
        sessions: SessionStore, directory: Directory, desk: CallDesk, broker: ChatBroker, retention: Retention,
        offerings: [Offering]
    ) {
        let status = JSONWriter.object { status in
            status.member("sessions", sessions.countInUse)
            status.member("listening", sessions.countListening)
            status.member("callsInFlight", desk.underWay)
            status.member("droppedNotifications", retention.droppedNotes)
            for offering in offerings { Self.write(offering, of: directory, to: &status) }
            broker.writeStatus(to: &status)
            status.memberArray("collisions") { list in
                for collision in directory.collisions.prefix(Self.maximumCollisions) {
                    list.object {
                        $0.member("name", collision.name)
                        $0.member("of", collision.offering.name)
                        $0.member("kept", collision.kept)
                        $0.member("refused", collision.refused)
                    }
                }
            }
        }
        guard status.bytes != self.told else { return }
        self.told = status.bytes
        self.control.ask(header: Self.header, payload: status.bytes) { _ in }
    }

    private static let header = WorkerReport.status.text

    /// How many entries there are (`tools`), and how many each upstream lists (`toolCounts`).
    private static func write(_ offering: Offering, of directory: Directory, to status: inout JSONWriter) {
        status.member(offering.name, directory.section(offering).entries.count)
        status.memberObject("\(offering.singular)Counts") { counts in
            for upstream in directory.upstreams {
                counts.member(upstream.route.name, upstream.list(of: offering)?.count ?? 0)
            }
        }
    }
}
