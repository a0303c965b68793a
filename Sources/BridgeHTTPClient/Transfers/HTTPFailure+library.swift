import AsyncHTTPClient
import Glibc
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOPosix
import NIOSSL

extension HTTPFailure {
    /// What an error of the libraries below means.
    ///
    /// - Parameter sent: whether anything of the request was written.
    init(_ error: any Error, sent: Bool) {
        if let failure = error as? HTTPFailure {
            self = failure
            return
        }
        self.init(Self.reason(error, sent: sent), mayHaveRun: sent)
    }

    private static func reason(_ error: any Error, sent: Bool) -> Reason {
        switch error {
        case let error as HTTPClientError: Self.reason(error, sent: sent)
        case HTTPParserError.invalidEOFState: .closed
        case let error as HTTPParserError: .malformed("\(error), as of one that speaks nothing but HTTP/2")
        case NIOHTTPDecompression.DecompressionError.limit:
            .malformed("its body unpacks to far more than was sent")
        case let error as NIOConnectionError: .unreachable(Self.words(error))
        case let error as IOError: sent ? .closed : .unreachable(Self.words(error))
        case is ChannelError: sent ? .closed : .unreachable("\(error)")
        case NIOSSLError.uncleanShutdown: .closed
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            .unreachable("TLS: the server's certificate is for another name")
        case let error as NIOSSLError: sent ? .closed : .unreachable("TLS: \(Self.words(error))")
        default: sent ? .malformed("\(error)") : .unreachable("\(error)")
        }
    }

    private static func reason(_ error: HTTPClientError, sent: Bool) -> Reason {
        switch error {
        case .connectTimeout, .getConnectionFromPoolTimeout, .tlsHandshakeTimeout, .httpProxyHandshakeTimeout,
            .socksHandshakeTimeout, .deadlineExceeded:
            .slowConnection
        case .remoteConnectionClosed, .uncleanShutdown, .requestStreamCancelled, .writeTimeout, .readTimeout:
            sent ? .closed : .unreachable(error.shortDescription)
        case .cancelled, .alreadyShutdown: .shutDown
        case .proxyAuthenticationRequired, .invalidProxyResponse: .unreachable(error.shortDescription)
        default: sent ? .malformed(error.shortDescription) : .badRequest(error.shortDescription)
        }
    }

    /// Of the first address that was tried, or why there is none.
    private static func words(_ error: NIOConnectionError) -> String {
        if let first = error.connectionErrors.first {
            return (first.error as? IOError).map { Self.words($0) } ?? "\(first.error)"
        }
        return (error.dnsAError ?? error.dnsAAAAError).map { "the name \(error.host) is not known (\($0))" }
            ?? "the name \(error.host) is not known"
    }

    /// The library's error has where in its own files the handshake ended, which tells nobody anything.
    private static func words(_ error: NIOSSLError) -> String {
        guard case .handshakeFailed(.sslError(let stack)) = error, let first = stack.first else { return "\(error)" }
        let parts = "\(first)".split(separator: ":").map(String.init)
        return parts.count > 5 ? parts[5].split(separator: " at ").first.map(String.init) ?? "\(first)" : "\(first)"
    }

    private static func words(_ error: IOError) -> String {
        String(cString: strerror(error.errnoCode))
    }
}
