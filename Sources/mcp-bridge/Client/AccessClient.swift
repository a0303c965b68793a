import ArgumentParser
import BridgeAccess
import BridgeConfiguration
import BridgeCore
import Glibc
import NIOCore

/// Asks whoever has the tokens: the running service, and where there is none the database itself.
struct AccessClient {
    /// The service's control socket, where the user has named it.
    let control: String?
    /// The state directory of a bridge of its own, where that is meant and not the service.
    var state: String?

    /// - Throws: ``ExitCode``, once what is wrong has been said.
    func ask(_ command: AccessCommand) throws -> AccessReply {
        do {
            return try self.reply(to: command)
        } catch {
            StandardStreams.error("mcp-bridge: \(error)\n")
            throw ExitCode.failure
        }
    }

    private func reply(to command: AccessCommand) throws -> AccessReply {
        let payload = try WorkerConfigurationCoding.encode(command)
        do {
            var answer = try ControlClient(path: self.socket).ask(.access, payload: payload, timeout: .seconds(30))
            // 503: the service is starting, and nothing has been done.
            for _ in 0..<50 where answer.status == 503 {
                usleep(200_000)
                answer = try ControlClient(path: self.socket).ask(.access, payload: payload, timeout: .seconds(30))
            }
            guard answer.status == 200 else {
                throw ControlClient.Failure(description: answer.body.string("error") ?? "the service refused")
            }
            return try WorkerConfigurationCoding.decode(AccessReply.self, from: answer.body.bytes)
        } catch let failure as ControlClient.Failure where failure.isAbsent && self.control == nil {
            let access = try self.state.map { try LocalAccess(ofBridge: $0) } ?? LocalAccess()
            StandardStreams.error("note: no service runs; this is done in \(access.database) itself\n")
            return try access.reply(to: command)
        }
    }

    /// Where it is asked; nil: wherever the service's own is.
    private var socket: String? { self.control ?? self.state.map { ServicePlaces.ownControl(in: $0) } }

    /// The tokens of the running service; none where it does not tell.
    func tokensOfService() -> [TokenReport] {
        guard let payload = try? WorkerConfigurationCoding.encode(AccessCommand.list),
            let answer = try? ControlClient(path: self.socket).ask(.access, payload: payload, timeout: .seconds(5)),
            case .tokens(let tokens)? = try? WorkerConfigurationCoding.decode(
                AccessReply.self, from: answer.body.bytes)
        else { return [] }
        return tokens
    }

    /// Where the running service serves MCP: as others reach it, where that is configured, else on its first address.
    func address() -> ServiceAddress? {
        guard let status = try? ControlClient(path: self.socket).ask(.status(fresh: false)).body,
            let list = status.value("listen")
        else { return nil }
        var address = status.string("publicURL")
        list.elements { span in
            if address == nil, let text = list[span].string, !text.hasPrefix("/") { address = "http://\(text)" }
        }
        return address.map { ServiceAddress(root: $0, mcpPath: status.string("mcpPath") ?? "/mcp") }
    }
}

/// Where a service is reached.
struct ServiceAddress {
    /// What all its paths follow.
    let root: String
    let mcpPath: String

    var mcp: String { self.root + self.mcpPath }

    /// Of a service for which nothing else is configured.
    static let usual = ServiceAddress(root: "http://127.0.0.1:8769", mcpPath: "/mcp")
}
