package import BridgeCore

/// The body of `POST /servers`, checked: the servers to add or to replace.
package struct ServersRequest: Sendable, Hashable {
    package let entries: [UpstreamEntry]
    /// The same as they were sent, for the overlay.
    package let additions: [ServersOverlay.Addition]
    package let warnings: [ConfigurationDiagnostic]
}

/// Why such a body is refused, with the answer to give.
package struct ServersRequestError: Error, Sendable, Hashable {
    /// An HTTP status: 400 for what is not JSON, 422 for what is not a configuration.
    package let status: Int
    package let body: JSONText

    static func notJSON(_ error: JSONError, in bytes: [UInt8]) -> ServersRequestError {
        let place = SourcePosition(of: error.offset, in: bytes)
        let message = JSONProblem(error, in: bytes).message
        let position = "line \(place.line) column \(place.column) (char \(error.offset))"
        return ServersRequestError(
            status: 400, body: ServersReply.error("Invalid JSON payload: \(message): \(position).")
        )
    }

    static let noServers = ServersRequestError(
        status: 422,
        body: JSONWriter.object { writer in
            writer.member("error", "Invalid server configuration.")
            writer.member("details", ["At least one server must be provided in 'mcpServers'."])
        }
    )

    /// One object for each error: `loc` is the key's path, `msg` says what is wrong and what to do.
    static func invalid(_ diagnostics: [ConfigurationDiagnostic]) -> ServersRequestError {
        let body = JSONWriter.object { writer in
            writer.member("error", "Invalid server configuration.")
            writer.memberArray("details") { writer in
                for diagnostic in diagnostics where diagnostic.severity == .error {
                    writer.element(
                        JSONWriter.object { writer in
                            writer.member("type", "value_error")
                            writer.member("loc", diagnostic.keyPath)
                            writer.member("msg", diagnostic.message)
                            writer.member("remedy", ifPresent: diagnostic.remedy)
                        }
                    )
                }
            }
        }
        return ServersRequestError(status: 422, body: body)
    }
}
