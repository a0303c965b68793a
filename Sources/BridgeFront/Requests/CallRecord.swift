import BridgeAccess
import BridgeCore
import BridgeMCP
import Logging
import NIOCore

/// One exchange with the session worker, as the log tells it.
struct CallRecord {
    let method: String
    let session: String?
    let elapsed: TimeAmount
    /// A stream is not slow for having been open long.
    var isLong = false
    var token: TokenID?
    /// The tool, prompt or resource, where it is known.
    var subject: String?
    /// Its token asks for a record of each request.
    var isAudited = false

    private static let slow = TimeAmount.seconds(1)

    /// - Parameters:
    ///   - failure: the stable word of what went wrong; `nil` when the call went as it should.
    ///   - id: the id by which logs know it. Not asked for unless there is a record.
    func write(to logger: Logger, status: Int, failure: String? = nil, id: @autoclosure () -> RequestID) {
        let isNotable = failure != nil || status >= 400 || (self.elapsed > Self.slow && !self.isLong)
        let level: Logger.Level = isNotable || self.isAudited ? .info : .debug
        guard logger.logLevel <= level else { return }
        var metadata: Logger.Metadata = [
            "mcp.method": "\(Self.printable(self.method))",
            "mcp.duration_us": "\(self.elapsed.nanoseconds / 1_000)",
            "http.status": "\(status)",
            "mcp.request_id": "\(id())",
        ]
        if let session { metadata["mcp.session"] = "\(SessionSeal.digest(of: session))" }
        if let token { metadata["mcp.token"] = "\(token)" }
        if let subject { metadata["mcp.tool"] = "\(subject)" }
        if let failure { metadata["error.code"] = "\(failure)" }
        logger.log(level: level, "Request finished", metadata: metadata)
    }

    /// A method is whatever a client wrote: bounded, and without control characters.
    static func printable(_ method: String) -> String {
        // As a rule.
        if method.utf8.count <= 64, method.utf8.allSatisfy({ $0 >= 0x20 }) { return method }
        return String(String.UnicodeScalarView(method.unicodeScalars.prefix(64).map { $0.value < 0x20 ? "?" : $0 }))
    }
}
