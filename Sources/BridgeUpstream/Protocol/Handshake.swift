import BridgeConfiguration
import BridgeCore
import BridgeMCP
import NIOCore

/// What an upstream said about itself when it answered `initialize`.
struct UpstreamIdentity: Equatable {
    let revision: ProtocolRevision
    let capabilities: JSONText
    let serverInfo: JSONText
    let instructions: JSONText?
    /// What had to be proposed to it, where that is not the newest revision.
    var proposed: ProtocolRevision?
    /// By which transport it was found to speak.
    var transport: String?

    var logs: Bool { self.capabilities.member("logging") != nil }

    /// Whether its tools can be called as tasks. Tasks came with this revision.
    var hasTasks: Bool { self.revision >= .v2025_11_25 && TaskSupport.isDeclared(in: self.capabilities) }

    func lists(_ offering: Offering) -> Bool { self.capabilities.member(named: offering.capability) != nil }

    /// As watchers are told (``UpstreamNews/identity``).
    var news: JSONText {
        JSONWriter.object { news in
            news.member("capabilities", self.capabilities)
            news.member("serverInfo", self.serverInfo)
            news.member("instructions", ifPresent: self.instructions)
            news.member("protocolVersion", self.revision.name)
            news.member("proposed", ifPresent: self.proposed?.name)
            news.member("transport", ifPresent: self.transport)
        }
    }
}

/// `initialize`, from both sides.
enum Handshake {
    struct Failure: Error, Equatable {
        let reason: String
    }

    /// The parameters of the request.
    static func parameters(
        _ configuration: UpstreamConfiguration, proposing revision: ProtocolRevision = .newest
    ) -> JSONText {
        JSONWriter.object { parameters in
            parameters.member("protocolVersion", revision.name)
            // All that some client can do: whoever cannot be asked is answered for, and in whose place the bridge can keep
            // a task, it does.
            parameters.memberObject("capabilities") { capabilities in
                capabilities.member("sampling", JSONText(literal: #"{"tools":{}}"#))
                capabilities.member("elicitation", JSONText(literal: #"{"form":{},"url":{}}"#))
                capabilities.member("roots", JSONText(literal: #"{"listChanged":false}"#))
                if revision >= .v2025_11_25 { capabilities.member("tasks", Self.tasks) }
            }
            parameters.memberObject("clientInfo") { client in
                client.member("name", "mcp-bridge-\(configuration.name)-client")
                client.member("version", configuration.version)
            }
        }
    }

    private static let tasks = JSONText(
        literal:
            #"{"list":{},"cancel":{},"requests":{"sampling":{"createMessage":{}},"elicitation":{"create":{}}}}"#)

    /// - Parameter result: what the upstream answered. The identity shares none of its bytes.
    static func read(_ result: JSONText) throws(Failure) -> UpstreamIdentity {
        guard let version = result.string("protocolVersion") else {
            throw Failure(reason: "its answer to initialize names no protocol version")
        }
        guard let revision = ProtocolRevision(server: version) else {
            let quoted = ForeignText.printable(ByteBuffer(string: version), limit: 64)
            throw Failure(reason: "it speaks protocol version \(quoted), which is not supported")
        }
        return UpstreamIdentity(
            revision: revision,
            capabilities: Self.object("capabilities", of: result),
            serverInfo: Self.object("serverInfo", of: result),
            instructions: result.value("instructions").flatMap { $0.kind == .string ? $0.compacted : nil }
        )
    }

    private static func object(_ key: StaticString, of result: JSONText) -> JSONText {
        guard let value = result.value(key), value.kind == .object else { return .emptyObject }
        return value.compacted
    }
}

extension JSONText {
    /// The same text in bytes of its own, so that it does not keep in memory what it was cut from.
    var compacted: JSONText { JSONText(trusting: self.ownBytes) }

    /// Its bytes, shared with nothing.
    var ownBytes: ByteBuffer { ByteBuffer(bytes: self.bytes.readableBytesView) }
}
