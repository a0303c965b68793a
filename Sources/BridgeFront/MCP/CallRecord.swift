import Crypto
import HTTPTypes
import Logging
import NIOCore

/// One exchange with the session worker, as the log tells it.
struct CallRecord: Sendable {
    let id: RequestID
    let method: String
    let session: String?
    /// A stream is not slow for having been open long.
    private let isLong: Bool
    private let start = NIODeadline.now()

    private static let slow = TimeAmount.seconds(1)

    init(id: RequestID, method: String, session: String?, isLong: Bool = false) {
        self.id = id
        self.method = method
        self.session = session
        self.isLong = isLong
    }

    /// - Parameter failure: the stable word of what went wrong; `nil` when the call went as it should.
    func finish(_ logger: Logger, status: HTTPResponse.Status, failure: String? = nil) {
        let elapsed = NIODeadline.now() - self.start
        let isNotable = failure != nil || status.code >= 400 || (elapsed > Self.slow && !self.isLong)
        let level: Logger.Level = isNotable ? .info : .debug
        guard logger.logLevel <= level else { return }
        var metadata: Logger.Metadata = [
            "mcp.request_id": "\(self.id)",
            "mcp.method": "\(Self.printable(self.method))",
            "mcp.duration_us": "\(elapsed.nanoseconds / 1_000)",
            "http.status": "\(status.code)",
        ]
        if let session { metadata["mcp.session"] = "\(Self.digest(session))" }
        if let failure { metadata["error.code"] = "\(failure)" }
        logger.log(level: level, "Request finished", metadata: metadata)
    }

    /// The first eight hexadecimal digits of SHA-256: enough to tell sessions apart, too little to use one.
    static func digest(_ session: String) -> String {
        SHA256.hash(data: Array(session.utf8)).prefix(4).map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0\(digits)" : digits
        }.joined()
    }

    /// A method is whatever a client wrote: bounded, and without control characters.
    private static func printable(_ method: String) -> String {
        String(String.UnicodeScalarView(method.unicodeScalars.prefix(64).map { $0.value < 0x20 ? "?" : $0 }))
    }
}
