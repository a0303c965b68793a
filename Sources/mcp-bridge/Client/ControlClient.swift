import BridgeCore
import BridgeLink
import FoundationEssentials
import Glibc
import NIOCore
import NIOPosix

/// Asks the running service over its control socket.
struct ControlClient {
    let path: String

    struct Failure: Error, CustomStringConvertible {
        let description: String
        /// Nobody is there to be asked.
        var isAbsent = false
    }

    /// - Parameter path: named by the user, who answers for it; else it is looked for.
    /// - Throws: ``Failure`` when the place that was found is somebody else's.
    init(path: String?) throws {
        if let path {
            self.path = path
            return
        }
        let environment = ProcessInfo.processInfo.environment
        do throws(ClientPlaces.NotOurs) {
            self.path = try ClientPlaces.trustedSocket("control.sock", environment: environment)
        } catch {
            throw Failure(description: error.description)
        }
    }

    /// Sends one request and waits for its answer.
    ///
    /// - Returns: the status as HTTP would have it, the answer's body, and a text for people where the body says less.
    func ask(_ request: ControlRequest, payload: ByteBuffer? = nil, timeout: TimeAmount = .seconds(10)) throws -> (
        status: Int, body: JSONText, text: String?
    ) {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        defer { try? group.syncShutdownGracefully() }
        do {
            let answer = try LinkConnection.askOnce(
                path: self.path, on: group.next(), header: request.text, payload: payload, timeout: timeout
            ).wait()
            let header = ControlAnswer(answer.header)
            return (
                header?.status ?? 200, answer.payload.map { JSONText(trusting: $0) } ?? .emptyObject, header?.text
            )
        } catch AskError.timeout {
            throw Failure(description: "the service did not answer on \(self.path)")
        } catch let error as IOError where error.errnoCode == EACCES || error.errnoCode == EPERM {
            throw Failure(
                description: "this user may not use \(self.path); ask as root, or as the service's own user"
            )
        } catch {
            throw Failure(
                description:
                    "no service answers on \(self.path). Is it running? ('systemctl status mcp-bridge', or 'mcp-bridge serve')",
                isAbsent: true
            )
        }
    }
}
